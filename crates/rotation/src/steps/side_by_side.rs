//! Services are changed side by side: each of them takes its time.

use futures_util::future::join_all;

use crate::error::Error;

/// Does the same for every consumer at once, or for what is known of each. Each is brought to its end, whatever
/// becomes of the others: a change that is dropped half way is one that nobody knows.
///
/// # Errors
///
/// That of the first consumer with one.
pub(crate) async fn side_by_side<C, T>(
    consumers: &[C],
    work: impl AsyncFn(&C) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let work = consumers.iter().map(|consumer| work(consumer));
    join_all(work).await.into_iter().collect()
}

//! Who may call the services.

use async_trait::async_trait;

use crate::error::Error;

/// Who may call the services: taken away in an emergency, and given back.
///
/// What every implementation keeps to:
///
/// - A caller is named as the platform names it: an account, a group, everybody.
/// - Both changes can be repeated: what is so already is no error.
/// - Nothing else of who may do what is changed.
/// - Instances run on. Whoever may call by other means than the service's own list, the
///   project's owner for example, still may.
#[async_trait(?Send)]
pub trait Callers {
    /// Who is on the service's own list; nobody where it is empty.
    ///
    /// # Errors
    ///
    /// When the platform can't be asked, and where refusing callers would contain nothing
    /// or could not be undone exactly: that is said before anything is changed.
    async fn callers(&self, service: &str) -> Result<Vec<String>, Error>;

    /// Takes a caller off the list.
    ///
    /// # Errors
    ///
    /// When that fails; the caller is on the list as before.
    async fn refuse(&self, service: &str, caller: &str) -> Result<(), Error>;

    /// Puts a caller on the list.
    ///
    /// # Errors
    ///
    /// When that fails; the caller is not on the list, as before.
    async fn admit(&self, service: &str, caller: &str) -> Result<(), Error>;
}

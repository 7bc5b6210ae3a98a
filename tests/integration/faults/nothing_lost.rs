//! What is to be found after a rotation among other clients.
use anyhow::{Context as _, Result, ensure};

use super::rotation::{json_of, rotation, survey};
use super::table::Store;
use super::tokens::{Counted, Keys};

/// Every token is there, a survey counts the same ones, and a second rotation, which
/// the first one's advice asks for, sweeps up what came under the old key meanwhile.
pub(super) async fn assert_nothing_lost(
    store: &impl Store,
    keys: &Keys,
    clients: u64,
) -> Result<()> {
    let all_new = Counted::all_new(clients);
    let counted = store.count(keys).await?;
    assert_eq!(counted.rows, all_new.rows);
    assert_eq!(counted.under_old + counted.under_new, all_new.under_new);
    assert!(
        counted.under_old > 0 && counted.under_new > 0,
        "{counted:?}"
    );

    let surveyed = json_of(&survey(&store.url(), keys))?;
    let columns = surveyed["columns"].as_object().context("no columns")?;
    let under = |fingerprint: &serde_json::Value| {
        let fingerprint = fingerprint.as_str().unwrap_or_default();
        let counts = columns.values().map(|column| &column["under"][fingerprint]);
        counts.filter_map(serde_json::Value::as_u64).sum::<u64>()
    };
    assert_eq!(surveyed["clients"], counted.rows);
    let by_survey = Counted {
        rows: counted.rows,
        under_old: under(&surveyed["old_key_fingerprints"][0]),
        under_new: under(&surveyed["new_key_fingerprint"]),
    };
    assert_eq!(by_survey, counted);

    let swept = json_of(&rotation(&store.url(), keys))?;
    ensure!(swept["outcome"] == "rotated", "{swept}");
    assert_eq!(store.count(keys).await?, all_new);
    Ok(())
}

//! What is said of a database's tables, whichever database it is.

/// A remark for the plan: what triggers do, a run can't see beforehand.
pub(crate) fn remark_on_triggers(triggers: &[String]) -> Option<String> {
    let names: Vec<String> = triggers.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "`dcr_clients` has triggers, which run for every row that is written and may keep \
             copies of old tokens: {}",
            names.join(", ")
        )
    })
}

/// A warning for the plan: encrypted columns may have gone unnoticed.
pub fn remark_on_unsearched(tables: &[String]) -> Option<String> {
    let names: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "not searched for encrypted columns, because this role may not read them: {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_named_where_there_are_any() {
        assert_eq!(remark_on_triggers(&[]), None);
        let remark = remark_on_triggers(&["audit".to_owned(), "notes".to_owned()]).unwrap();
        assert!(remark.contains("copies of old tokens: `audit`, `notes`"));
    }
}

//! The roles to ask for when permissions are missing.

/// Roles that have all that others have.
const INCLUDED: [(&str, &[&str]); 2] = [
    (
        "roles/secretmanager.secretVersionManager",
        &[
            "roles/secretmanager.viewer",
            "roles/secretmanager.secretVersionAdder",
        ],
    ),
    ("roles/cloudsql.editor", &["roles/cloudsql.client"]),
];

/// The smallest roles that have these permissions together.
pub(super) fn roles(permissions: &[&str]) -> Vec<&'static str> {
    let mut roles: Vec<&'static str> = Vec::new();
    for role in permissions.iter().filter_map(|name| role_with(name)) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    for (whole, parts) in INCLUDED {
        if roles.contains(&whole) {
            roles.retain(|role| !parts.contains(role));
        }
    }
    roles
}

/// The smallest of Google's roles that has a permission.
pub(super) fn role_with(permission: &str) -> Option<&'static str> {
    let role = match permission {
        "secretmanager.versions.access" => "roles/secretmanager.secretAccessor",
        "secretmanager.versions.add" => "roles/secretmanager.secretVersionAdder",
        "secretmanager.versions.list" | "secretmanager.versions.get" => {
            "roles/secretmanager.viewer"
        }
        name if name.starts_with("secretmanager.") => "roles/secretmanager.secretVersionManager",
        "iam.serviceAccounts.actAs" => "roles/iam.serviceAccountUser",
        "run.services.getIamPolicy" | "run.services.setIamPolicy" => "roles/run.admin",
        name if name.starts_with("run.") => "roles/run.developer",
        "cloudsql.instances.connect" => "roles/cloudsql.client",
        name if name.starts_with("cloudsql.") => "roles/cloudsql.editor",
        _ => return None,
    };
    Some(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_is_asked_for_that_another_has() {
        let (access, add) = (
            "secretmanager.versions.access",
            "secretmanager.versions.add",
        );
        let manager = "roles/secretmanager.secretVersionManager";
        for (permissions, asked) in [
            (vec![add], vec!["roles/secretmanager.secretVersionAdder"]),
            (
                vec![access, add, "secretmanager.versions.disable"],
                vec!["roles/secretmanager.secretAccessor", manager],
            ),
            (
                vec!["run.services.get", "run.services.update"],
                vec!["roles/run.developer"],
            ),
            (vec!["nobody.knows"], vec![]),
        ] {
            assert_eq!(roles(&permissions), asked, "{permissions:?}");
        }
    }
}

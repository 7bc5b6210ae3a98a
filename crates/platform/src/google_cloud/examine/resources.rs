//! Things that permissions are granted on.

/// Something with a policy of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Secret {
        project: String,
        secret: String,
    },
    Service {
        project: String,
        region: String,
        service: String,
    },
    /// The account that a service runs as.
    Account {
        project: String,
        email: String,
    },
    /// What has no policy of its own, such as an instance of Cloud SQL, has the project's.
    Project {
        project: String,
    },
}

impl Resource {
    /// The API that knows its policy.
    pub(super) fn api(&self) -> &'static str {
        match self {
            Resource::Secret { .. } => "secretmanager",
            Resource::Service { .. } => "run",
            Resource::Account { .. } => "iam",
            Resource::Project { .. } => "cloudresourcemanager",
        }
    }

    /// The path of the method that tests permissions on it, by its segments.
    pub(super) fn test_path(&self) -> Vec<String> {
        let path = match self {
            Resource::Secret { project, secret } => {
                vec!["v1", "projects", project, "secrets", secret]
            }
            Resource::Service {
                project,
                region,
                service,
            } => vec![
                "v2",
                "projects",
                project,
                "locations",
                region,
                "services",
                service,
            ],
            // The account may be another project's.
            Resource::Account { email, .. } => {
                vec!["v1", "projects", "-", "serviceAccounts", email]
            }
            Resource::Project { project } => vec!["v1", "projects", project],
        };
        let mut path: Vec<String> = path.into_iter().map(str::to_owned).collect();
        if let Some(last) = path.last_mut() {
            last.push_str(":testIamPermissions");
        }
        path
    }

    /// The project that it is looked for in.
    pub(super) fn project(&self) -> &str {
        match self {
            Resource::Secret { project, .. }
            | Resource::Service { project, .. }
            | Resource::Account { project, .. }
            | Resource::Project { project } => project,
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Resource::Secret { secret, .. } => format!("the secret `{secret}`"),
            Resource::Service { service, .. } => format!("the service `{service}`"),
            Resource::Account { email, .. } => format!("the service account `{email}`"),
            Resource::Project { project } => format!("the project `{project}`"),
        }
    }

    /// The command that gives somebody a role on it.
    pub(super) fn grant(&self, member: &str, role: &str) -> String {
        let (command, place) = match self {
            Resource::Secret { project, secret } => (
                format!("secrets add-iam-policy-binding {secret}"),
                format!("--project={project}"),
            ),
            Resource::Service {
                project,
                region,
                service,
            } => (
                format!("run services add-iam-policy-binding {service}"),
                format!("--project={project} --region={region}"),
            ),
            Resource::Account { project, email } => (
                format!("iam service-accounts add-iam-policy-binding {email}"),
                format!("--project={project}"),
            ),
            Resource::Project { project } => (
                format!("projects add-iam-policy-binding {project}"),
                String::new(),
            ),
        };
        let place = if place.is_empty() {
            place
        } else {
            format!(" {place}")
        };
        format!("gcloud {command}{place} --member={member} --role={role}")
    }

    /// The command that shows it, or what has it.
    pub(super) fn show(&self) -> String {
        match self {
            Resource::Secret { project, .. } => format!("gcloud secrets list --project={project}"),
            Resource::Service {
                project, region, ..
            } => format!("gcloud run services list --project={project} --region={region}"),
            Resource::Account { project, .. } => {
                format!("gcloud iam service-accounts list --project={project}")
            }
            Resource::Project { .. } => "gcloud projects list".to_owned(),
        }
    }
}

//! What would be done on this machine: which file is written, which command is run.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Settings;
use super::services::LocalServices;
use crate::rehearsal::{Change, Rehearsal, Rehearsed, Which};
use crate::{Binding, Error, VersionState};

/// Changes of this machine, told and not made.
pub(super) struct LocalRehearsal {
    settings: Settings,
    services: LocalServices,
    /// What each service's revision that was prepared last reads.
    prepared: HashMap<String, (Binding, Which)>,
}

impl LocalRehearsal {
    pub(super) fn new(settings: Settings, services: LocalServices) -> LocalRehearsal {
        LocalRehearsal {
            settings,
            services,
            prepared: HashMap::new(),
        }
    }

    fn in_store(&self, path: &str) -> String {
        self.settings.store.join(path).display().to_string()
    }

    fn cut_over(&self, service: &str) -> Result<Vec<Rehearsed>, Error> {
        let Some((binding, to)) = self.prepared.get(service) else {
            return Ok(Vec::new());
        };
        let records = self.in_store("services.json");
        let noted = format!("notes in `{records}` that `{service}` serves with version {to}");
        let mut done = Vec::new();
        if *to == Which::New {
            let variable = &binding.variable;
            let env_file = self.settings.env_file.display();
            done.push(Rehearsed::deed(format!(
                "writes the new value of {variable} into `{env_file}`, where it isn't there yet"
            )));
        }
        // Where the file holds this value already, nothing has to start anew, unless
        // nobody knows what the service started with.
        if (*to == Which::New || self.services.look(service, binding)?.is_unsettled)
            && let Some(settings) = self.settings.services.get(service)
        {
            let seconds = settings.timeout.as_secs();
            let command = |words: &Option<Vec<String>>, text: String| {
                let command = words.clone()?;
                Some(Rehearsed { command, text })
            };
            let restarts = format!("`{service}` restarts within {seconds} s");
            done.extend(command(&settings.restart, restarts));
            let answers = format!("tried until it succeeds, for {seconds} s at most");
            done.extend(command(&settings.ready, answers));
        }
        done.push(Rehearsed::deed(noted));
        Ok(done)
    }
}

#[async_trait(?Send)]
impl Rehearsal for LocalRehearsal {
    async fn rehearse(&mut self, change: &Change) -> Result<Vec<Rehearsed>, Error> {
        let text = match change {
            Change::AddVersion { secret } => format!(
                "adds a version to the folder `{}`, and reads it back",
                self.in_store(secret)
            ),
            Change::SetState {
                secret,
                version,
                state,
            } => {
                let index = self.in_store(&format!("{secret}/versions.json"));
                let removed = match state {
                    VersionState::Enabled | VersionState::Disabled => "",
                    VersionState::Destroyed => ", and removes the file with its value",
                };
                format!("notes in `{index}` that version {version} is {state}{removed}")
            }
            Change::Prepare {
                service,
                binding,
                to,
            } => {
                self.prepared
                    .insert(service.clone(), (binding.clone(), *to));
                let records = self.in_store("services.json");
                format!("notes in `{records}` a revision of `{service}` that reads version {to}")
            }
            Change::CutOver { service } => return self.cut_over(service),
            Change::DiscardOthers { service } => {
                let records = self.in_store("services.json");
                format!("removes from `{records}` the revisions of `{service}` that don't serve")
            }
            // The platform has no such list.
            Change::Refuse { .. } | Change::Admit { .. } => return Ok(Vec::new()),
            Change::BackUp => format!(
                "copies the database into `{}`, and checks the copy",
                self.in_store("backups")
            ),
        };
        Ok(vec![Rehearsed::deed(text)])
    }
}

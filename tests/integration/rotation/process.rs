//! A process that carries a run on: everything that is gone when it ends.
use std::time::Duration;

use anyhow::Result;
use reencrypt::{Timeouts, Tls};
use rotation::{Consumer, Context, Material, Plan, Role, Store, dcr_encryption_key};
use runbook::{About, Conductor, Event, Name, Run};
use secret::DatabaseUrl;
use tokio_util::sync::CancellationToken;

use super::faulty;
use super::moments::Moments;
use super::seen::{SECRET, SERVICE, VARIABLE};
use super::watched::{Records, observer, watched};
use super::world::{Ended, World};

/// Everything that ends with a process.
pub(super) struct Process {
    pub(super) plan: Plan,
    pub(super) context: Context,
    pub(super) watcher: Watcher,
    moments: Moments,
}

pub(super) struct Watcher {
    people: bool,
    interrupt: CancellationToken,
    pub(super) remarks: Vec<String>,
}

impl World {
    /// A process that can be hit at these moments.
    pub(super) fn process(&self, moments: &Moments) -> Result<Process> {
        let interrupt = CancellationToken::new();
        let url = format!("sqlite+aiosqlite:///{}", self.path("service.db").display());
        let consumer = Consumer {
            role: Role::Handler,
            service: SERVICE.to_owned(),
        };
        let context = Context {
            platform: faulty::wrapped(self.platform()?, moments, &self.laws()?),
            store: Store {
                name: SECRET.to_owned(),
                variable: VARIABLE.to_owned(),
                setting: "DCR_ENCRYPTION_KEY_SECRET",
            },
            consumers: vec![consumer],
            material: Material::Key(Box::new(rotation::Database {
                url: DatabaseUrl::parse(&url)?,
                tls: Tls::AsUrlSays,
                timeouts: Timeouts {
                    lock: self.lock_timeout,
                    ..Timeouts::default()
                },
                excluded_columns: Vec::new(),
                observer: observer(moments, &interrupt),
                interrupt: interrupt.clone(),
            })),
            backup_max_age: Duration::from_secs(3600),
            soak: self.soak,
            client_list: self.path("clients.csv"),
            candidate: None,
        };
        let plan = dcr_encryption_key::plan(self.parameters);
        Ok(Process {
            plan: watched(plan, moments, self.times),
            context,
            watcher: Watcher {
                people: self.people,
                interrupt,
                remarks: Vec::new(),
            },
            moments: moments.clone(),
        })
    }
}

impl Process {
    pub(super) async fn forward(&mut self, run: Run) -> Ended {
        let mut run = self.through(run);
        runbook::run_forward(&self.plan, &mut self.context, &mut run, &mut self.watcher).await
    }

    pub(super) async fn back(&mut self, run: Run) -> Ended {
        let mut run = self.through(run);
        runbook::roll_back(&self.plan, &mut self.context, &mut run, &mut self.watcher).await
    }

    fn through(&self, run: Run) -> Run {
        let moments = self.moments.clone();
        run.through(|file| Box::new(Records { file, moments }))
    }
}

impl Conductor for Watcher {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Remark(text) = event {
            self.remarks.push(text.to_owned());
        }
    }

    fn is_done_by_people(&mut self, _: &'static About) -> bool {
        self.people
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_cancelled()
    }
}

pub(super) fn operator() -> Name {
    Name::new("tests").expect("a name")
}

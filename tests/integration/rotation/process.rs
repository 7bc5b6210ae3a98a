//! A process that carries a run on: everything that is gone when it ends.
use std::time::Duration;

use anyhow::Result;
use reencrypt::{Timeouts, Tls};
use rotation::client_secret::{self, Client};
use rotation::database_login::Logins;
use rotation::{
    Consumer, Context, DATABASE_URL, Database, GMA_CLIENT_SECRET, Material, Plan, Role, Secret,
    Store, database_url, gma_client_secret, red_hat_sso_client_secret, session_database_url,
};
use runbook::{About, Conductor, Event, Name, Run};
use secret::DatabaseUrl;
use tokio_util::sync::CancellationToken;

use super::faulty;
use super::laws::Laws;
use super::moments::Moments;
use super::scene::{Scene, Server};
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
        let (secret, laws) = (self.scene.secret(), self.laws()?);
        let consumer = |role: &Role| Consumer {
            role: *role,
            service: role.default_service().to_owned(),
        };
        let context = Context {
            platform: faulty::wrapped(self.platform()?, moments, &laws),
            store: store(secret),
            consumers: secret.readers.iter().map(consumer).collect(),
            material: self.material(moments, &laws, &interrupt)?,
            backup_max_age: Duration::from_secs(3600),
            soak: self.soak,
            run_folder: self.path("."),
            contacts: Vec::new(),
            candidate: None,
        };
        Ok(Process {
            plan: watched(self.scene.plan(self.parameters), moments, self.times),
            context,
            watcher: Watcher {
                people: self.people,
                interrupt,
                remarks: Vec::new(),
            },
            moments: moments.clone(),
        })
    }

    fn material(
        &self,
        moments: &Moments,
        laws: &Laws,
        interrupt: &CancellationToken,
    ) -> Result<Material> {
        Ok(match &self.scene {
            Scene::Key => Material::Key(Box::new(self.database(moments, interrupt)?)),
            Scene::Client(issuer) => {
                let (id, proof) = match issuer.secret == GMA_CLIENT_SECRET {
                    true => (gma_client_secret::CLIENT_ID, gma_client_secret::proof()),
                    false => (
                        red_hat_sso_client_secret::CLIENT_ID,
                        red_hat_sso_client_secret::PROOF,
                    ),
                };
                Material::ClientSecret(Box::new(Client {
                    checks: faulty::wrapped_checks(Box::new(issuer.clone()), moments, laws),
                    issuer: client_secret::ISSUER.parse()?,
                    id,
                    proof,
                }))
            }
            Scene::Login(server) => Material::Login(Box::new(Logins {
                socket_folder: None,
                roles: faulty::wrapped_roles(Box::new(Server::platform_roles()), moments, laws),
                mode: server.mode,
                neighbour: store(match server.secret == DATABASE_URL {
                    true => database_url::NEIGHBOUR,
                    false => session_database_url::NEIGHBOUR,
                }),
            })),
        })
    }

    fn database(&self, moments: &Moments, interrupt: &CancellationToken) -> Result<Database> {
        let url = format!("sqlite+aiosqlite:///{}", self.path("service.db").display());
        Ok(Database {
            url: DatabaseUrl::parse(&url)?,
            tls: Tls::AsUrlSays,
            timeouts: Timeouts {
                lock: self.lock_timeout,
                ..Timeouts::default()
            },
            excluded_columns: Vec::new(),
            observer: observer(moments, interrupt),
            interrupt: interrupt.clone(),
        })
    }
}

fn store(secret: Secret) -> Store {
    Store {
        name: secret.store_name.to_owned(),
        variable: secret.variable.to_owned(),
        setting: "the secret's setting",
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

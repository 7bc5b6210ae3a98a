//! A database as the service's: its role owns the tables, may make roles, and is no
//! superuser.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use integration_tests::{TestDatabase, TestRole};
use platform::Error;
use platform::database_roles::{DatabaseRoles as _, Login, PostgresRoles, Tls, other_role};
use rotation::Secret;
use rotation::database_login::Mode;
use secrecy::ExposeSecret as _;
use secret::{DatabaseUrl, Password};
use tokio_postgres::{Client, Config, NoTls};

/// A server with the roles that take turns.
pub(in crate::rotation) struct Server {
    pub(in crate::rotation) secret: Secret,
    pub(in crate::rotation) mode: Mode,
    /// Whether the old login is shut out before the new one serves.
    pub(in crate::rotation) is_contained: bool,
    pub(in crate::rotation) database: TestDatabase,
    first: TestRole,
    second: TestRole,
    admin: Client,
    /// The number of the state that the roles are in. Only this test changes them.
    state: Cell<u64>,
    states: Cell<u64>,
    /// How often somebody has set a password in the middle of a run.
    set_meanwhile: Arc<AtomicU64>,
    /// The states that worlds were put into.
    put: RefCell<BTreeMap<(String, bool), u64>>,
    /// What the server said in which state, after how many passwords set meanwhile, to which
    /// URL: a login takes its time, and nothing else makes a difference to it.
    answers: RefCell<BTreeMap<(u64, u64, String, String), Login>>,
}

impl Server {
    pub(in crate::rotation) async fn new(secret: Secret, mode: Mode) -> Rc<Server> {
        Server::with(secret, mode, false).await
    }

    /// One whose old login is shut out before the new one serves.
    pub(in crate::rotation) async fn contained(secret: Secret, mode: Mode) -> Rc<Server> {
        Server::with(secret, mode, true).await
    }

    async fn with(secret: Secret, mode: Mode, is_contained: bool) -> Rc<Server> {
        let database = TestDatabase::create().await;
        let first = database.server().create_role("createrole").await;
        database.give_to(first.name()).await;
        let second = TestRole::expected(database.server(), other_role(first.name()));
        let admin = database.connect().await;
        Rc::new(Server {
            secret,
            mode,
            is_contained,
            database,
            first,
            second,
            admin,
            state: Cell::new(0),
            states: Cell::new(0),
            set_meanwhile: Arc::default(),
            put: RefCell::default(),
            answers: RefCell::default(),
        })
    }

    /// What the tool works on the roles with.
    pub(in crate::rotation) fn platform_roles() -> PostgresRoles {
        PostgresRoles::new(Tls::AsUrlSays)
    }

    pub(in crate::rotation) fn is_in_place(&self) -> bool {
        self.mode == Mode::InPlace
    }

    /// The URL that the service begins with.
    pub(in crate::rotation) fn first_url(&self) -> String {
        self.database
            .url_as(self.first.name(), self.first.password())
    }

    /// A role may have changed.
    pub(in crate::rotation) fn changed(&self) {
        self.states.set(self.states.get() + 1);
        self.state.set(self.states.get());
    }

    /// Whether a URL logs in.
    pub(in crate::rotation) async fn accepts(&self, url: &str) -> bool {
        let url = DatabaseUrl::parse(url).expect("a URL");
        let login = self.log_in(&url, None).await.expect("an answer");
        matches!(login, Login::Accepted(_))
    }

    /// Logs in, unless that was tried since the roles last changed.
    #[expect(clippy::disallowed_methods, reason = "a test's own URL")]
    pub(in crate::rotation) async fn log_in(
        &self,
        url: &DatabaseUrl,
        like: Option<&str>,
    ) -> Result<Login, Error> {
        let key = (
            self.state.get(),
            self.set_meanwhile.load(Ordering::Relaxed),
            url.expose_secret().to_owned(),
            like.unwrap_or_default().to_owned(),
        );
        if let Some(answer) = self.answers.borrow().get(&key) {
            return Ok(answer.clone());
        }
        let answer = Server::platform_roles().log_in(url, like).await?;
        self.answers.borrow_mut().insert(key, answer.clone());
        Ok(answer)
    }

    /// The roles that there are.
    pub(in crate::rotation) async fn roles(&self) -> Vec<String> {
        let query = "select rolname::text from pg_roles where rolname in ($1, $2) order by 1";
        let names = [self.first.name(), self.second.name()];
        let rows = self.admin.query(query, &[&names[0], &names[1]]).await;
        let rows = rows.expect("roles");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Puts the roles into the state in which a run that is at its start or its end has
    /// them: this URL is in use, and the other role is idle or not there.
    pub(in crate::rotation) async fn put(&self, in_use: &str, has_second: bool) {
        self.changed();
        let key = (in_use.to_owned(), has_second);
        let in_use = DatabaseUrl::parse(in_use).expect("a URL");
        let roles = Server::platform_roles();
        let user = in_use.user().expect("a role");
        let other = other_role(user);
        let mut found = self.roles().await;
        if !found.iter().any(|role| role == user) {
            // Another world is before the rotation that made it.
            let first = in_use.for_idle(&other).expect("a URL");
            self.set_password(&first).await;
            let made = roles.prepare_second(&first, &in_use).await;
            made.expect("a role");
            found = self.roles().await;
        }
        self.set_password(&in_use).await;
        let is_there = found.contains(&other);
        if is_there && !has_second {
            let dropped = roles.drop_second(&in_use, &other).await;
            dropped.expect("a role that is dropped");
        }
        if has_second {
            let idle = in_use.for_idle(&other).expect("a URL");
            if is_there {
                self.set_password(&idle).await;
            } else {
                let made = roles.prepare_second(&in_use, &idle).await;
                made.expect("a role");
            }
        }
        let state = *self.put.borrow_mut().entry(key).or_insert(self.state.get());
        self.state.set(state);
    }

    /// A session as this URL's.
    pub(in crate::rotation) async fn connect(url: &str) -> Client {
        let config: Config = url.replacen("+asyncpg", "", 1).parse().expect("a URL");
        let (client, connection) = config.connect(NoTls).await.expect("a login");
        tokio::spawn(connection);
        client
    }

    /// Makes the second role as this URL has it, by that of the first, and with nothing
    /// that it may do.
    pub(in crate::rotation) async fn make_bare(&self, first: &str, second: &str) {
        let url = DatabaseUrl::parse(second).expect("a URL");
        let (role, password) = (url.user().expect("a role"), url.password());
        let client = Server::connect(first).await;
        let create = format!("create role {role} createrole");
        client.batch_execute(&create).await.expect("a role");
        let alter = alter(role, &password.expect("a password"));
        client.batch_execute(&alter).await.expect("a password");
        self.changed();
    }

    /// An administrator says that the second role is there to take turns.
    pub(in crate::rotation) async fn say_whose_it_is(&self, first: &str, second: &str) {
        let user = |url: &str| {
            let url = DatabaseUrl::parse(url).expect("a URL");
            url.user().expect("a role").to_owned()
        };
        let grant = format!(
            "grant {} to {} with admin option",
            user(second),
            user(first)
        );
        self.admin.batch_execute(&grant).await.expect("a grant");
    }

    /// Gives a role another password, as somebody does by hand.
    pub(in crate::rotation) async fn set_password_by_hand(&self, url: &DatabaseUrl) {
        self.set_password(url).await;
        self.changed();
    }

    /// The same in the middle of a run.
    pub(in crate::rotation) fn setting_password(
        &self,
        url: &DatabaseUrl,
    ) -> impl FnOnce() + Send + 'static {
        let password = url.password().expect("a password");
        let statement = alter(url.user().expect("a role"), &password);
        let (admin, count) = (self.database.url(), Arc::clone(&self.set_meanwhile));
        move || {
            let set = async move {
                let admin = Server::connect(&admin).await;
                admin.batch_execute(&statement).await.expect("a password");
            };
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let set = std::thread::spawn(move || runtime.block_on(set));
            set.join().expect("no panic");
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn set_password(&self, url: &DatabaseUrl) {
        let (role, password) = (url.user().expect("a role"), url.password());
        let statement = alter(role, &password.expect("a password"));
        self.admin
            .batch_execute(&statement)
            .await
            .expect("a password");
    }
}

#[expect(clippy::disallowed_methods, reason = "a verifier for a test's role")]
fn alter(role: &str, password: &Password) -> String {
    let verifier = password.scram_verifier();
    format!(
        "alter role {role} login password '{}'",
        verifier.expose_secret()
    )
}

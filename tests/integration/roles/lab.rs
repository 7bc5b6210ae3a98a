//! A database as the service's: its role owns the tables, may make roles, and is no
//! superuser.
use anyhow::{Context, Result, ensure};
use connection::{Connector, Tls};
use integration_tests::{TestDatabase, TestRole};
use platform::database_roles::{DatabaseRoles, Login, PostgresRoles, Prepared, other_role};
use secret::{DatabaseTarget, DatabaseUrl, Password};
use tokio_postgres::Client;

/// The database, the role in use, and the name that the other one is to get.
pub(crate) struct Lab {
    pub(crate) database: TestDatabase,
    pub(crate) first: TestRole,
    pub(crate) second: TestRole,
    pub(crate) roles: PostgresRoles,
}

impl Lab {
    pub(crate) async fn new() -> Result<Lab> {
        Lab::with_first("createrole").await
    }

    /// A lab in which the role in use has other options.
    pub(crate) async fn with_first(options: &str) -> Result<Lab> {
        Ok(Lab::of(TestDatabase::create().await, options).await)
    }

    /// A lab around a database.
    pub(crate) async fn of(database: TestDatabase, options: &str) -> Lab {
        let first = database.server().create_role(options).await;
        database.give_to(first.name()).await;
        let second = TestRole::expected(database.server(), other_role(first.name()));
        Lab {
            database,
            first,
            second,
            roles: PostgresRoles::new(Tls::AsUrlSays),
        }
    }

    /// The URL that the service begins with.
    pub(crate) fn in_use(&self) -> Result<DatabaseUrl> {
        let url = self
            .database
            .url_as(self.first.name(), self.first.password());
        Ok(DatabaseUrl::parse(&url)?)
    }

    /// A URL with a new password for the role that isn't in use.
    pub(crate) fn candidate(&self, in_use: &DatabaseUrl) -> Result<DatabaseUrl> {
        let role = other_role(in_use.user()?);
        Ok(in_use.with_login(&role, &Password::generate())?)
    }

    /// The role of `candidate` is made ready, and lacks nothing.
    pub(crate) async fn prepare(
        &self,
        in_use: &DatabaseUrl,
        candidate: &DatabaseUrl,
    ) -> Result<Prepared> {
        let prepared = self.roles.prepare_second(in_use, candidate).await?;
        let login = self.roles.log_in(candidate, Some(in_use.user()?)).await?;
        match login {
            Login::Accepted(accepted) => ensure!(accepted.missing.is_empty(), "{accepted:?}"),
            Login::Refused(message) => anyhow::bail!("refused: {message}"),
        }
        Ok(prepared)
    }

    /// The role of `retired` can no longer log in by itself.
    pub(crate) async fn lock_out(
        &self,
        retired: &DatabaseUrl,
        in_use: &DatabaseUrl,
    ) -> Result<bool> {
        let idle = in_use.for_idle(retired.user()?)?;
        let changed = self.roles.set_password(retired, &idle.password()?).await?;
        self.roles.end_sessions(&idle).await?;
        Ok(changed)
    }

    pub(crate) async fn is_accepted(&self, url: &DatabaseUrl) -> Result<bool> {
        Ok(matches!(
            self.roles.log_in(url, None).await?,
            Login::Accepted(_)
        ))
    }

    /// All that the server keeps about the two roles and their tables.
    pub(crate) async fn catalogue(&self) -> Result<Vec<String>> {
        let client = self.database.connect().await;
        let query = format!(
            "select 'role', rolname::text, row(rolcanlogin, rolcreaterole, rolsuper, rolcreatedb)::text
                from pg_roles where rolname in ('{first}', '{second}')
            union all select 'setting', r.rolname, s.setconfig::text from pg_db_role_setting s
                join pg_roles r on r.oid = s.setrole where rolname in ('{first}', '{second}')
            union all select 'member', m.roleid::regrole::text, m.member::regrole::text
                from pg_auth_members m join pg_roles r on r.oid in (m.roleid, m.member)
                where r.rolname = '{second}' and not (m.roleid::regrole::text = '{second}'
                    and m.member = '{first}'::regrole)
            union all select 'class', c.oid::regclass::text, row(c.relowner::regrole, coalesce(c.relacl,
                acldefault(case relkind when 'r' then 'r'::\"char\" else 's' end, relowner)))::text
                from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')
            union all select 'schema', nspname, row(nspowner::regrole, nspacl)::text
                from pg_namespace where nspname = 'public'
            union all select 'later', defaclrole::regrole::text, row(defaclobjtype, defaclacl)::text
                from pg_default_acl
            union all select 'database', datname, row(datdba::regrole, coalesce(datacl, acldefault('d', datdba)))::text
                from pg_database where datname = current_database()
            order by 1, 2, 3",
            first = self.first.name(),
            second = self.second.name(),
        );
        let rows = client.query(&query, &[]).await?;
        let line = |row: &tokio_postgres::Row| {
            let [kind, name, what] = [0, 1, 2].map(|column| row.get::<_, String>(column));
            format!("{kind} {name}: {what}")
        };
        Ok(rows.iter().map(line).collect())
    }
}

/// A session as the service's.
pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Client> {
    let DatabaseTarget::Postgres(target) = url.target() else {
        anyhow::bail!("not Postgres");
    };
    let connector = Connector::new(target, Tls::AsUrlSays, "a service")?;
    let client = connector.connect(async |client, connection| {
        tokio::spawn(connection);
        Ok::<_, std::convert::Infallible>(client)
    });
    client.await.context("a login")
}

/// Everything that the service does with a table.
pub(crate) async fn use_tables(url: &DatabaseUrl) -> Result<()> {
    let client = connect(url).await?;
    let statements = "
        insert into usage_records (order_id, input_tokens, output_tokens, request_count,
            tool_calls, period_start, period_end, reported)
            values ('o', 1, 1, 1, 1, now(), now(), true);
        update usage_records set input_tokens = input_tokens + 1;
        select * from dcr_clients; select * from marketplace_entitlements;
        delete from usage_records";
    client
        .batch_execute(statements)
        .await
        .context("the service's statements")
}

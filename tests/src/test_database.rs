//! A database of a test's own.
use std::path::Path;

use tokio_postgres::Client;

use crate::postgres_server::PostgresServer;
use crate::{database_url, runtime};

/// A database nothing else uses, dropped with this value.
pub struct TestDatabase {
    server: &'static PostgresServer,
    name: String,
}

impl TestDatabase {
    /// A database with the service's tables, without rows, on the shared server.
    ///
    /// # Panics
    ///
    /// If there is no server, or it refuses.
    pub async fn create() -> Self {
        Self::create_on(PostgresServer::shared()).await
    }

    /// A database without tables, on the shared server.
    ///
    /// # Panics
    ///
    /// If there is no server, or it refuses.
    pub async fn create_empty() -> Self {
        Self::create_empty_on(PostgresServer::shared()).await
    }

    /// A database with the service's tables on a given server.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn create_on(server: &'static PostgresServer) -> Self {
        let template = server.template().await;
        Self::copy(server, template).await
    }

    /// A database without tables on a given server.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn create_empty_on(server: &'static PostgresServer) -> Self {
        Self::copy(server, "template0").await
    }

    async fn copy(server: &'static PostgresServer, template: &str) -> Self {
        let name = server.unique_name();
        let create = format!("create database {name} template {template}");
        server.execute(&create).await.expect("a database");
        Self { server, name }
    }

    /// Its name in the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is in.
    pub fn server(&self) -> &'static PostgresServer {
        self.server
    }

    /// Its URL, with the server's own role, as the service's secret would hold it.
    pub fn url(&self) -> String {
        self.url_as(self.server.role(), self.server.password())
    }

    /// Its URL with another role.
    pub fn url_as(&self, role: &str, password: &str) -> String {
        let (host, port) = (self.server.host(), self.server.port());
        database_url::tcp(role, password, host, port, &self.name)
    }

    /// Its URL with the server's own role, by way of another port of this machine.
    pub fn url_through(&self, port: u16) -> String {
        self.url_at("127.0.0.1", port)
    }

    /// Its URL with the server's own role, by way of another host and port.
    pub fn url_at(&self, host: &str, port: u16) -> String {
        let (role, password) = (self.server.role(), self.server.password());
        database_url::tcp(role, password, host, port, &self.name)
    }

    /// Its URL with the server's own role, by way of the socket in a folder.
    pub fn url_through_socket(&self, directory: &Path) -> String {
        let (role, password) = (self.server.role(), self.server.password());
        database_url::socket(role, password, directory, &self.name)
    }

    /// A connection of the server's own role, past any proxy, for arranging and asserting.
    ///
    /// # Panics
    ///
    /// If the login fails.
    pub async fn connect(&self) -> Client {
        self.server.connect(&self.name).await
    }

    /// Gives the database and its tables to another role, as the service's own role
    /// owns them: it is no superuser.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn give_to(&self, role: &str) {
        let client = self.connect().await;
        let give = format!(
            "do $$ declare name text; begin
                 if current_setting('is_superuser') = 'off' then
                     -- Kept, for dropping the database later.
                     grant {role} to current_user;
                 end if;
                 alter database {} owner to {role};
                 for name in select tablename from pg_tables where schemaname = 'public' loop
                     execute format('alter table public.%I owner to {role}', name);
                 end loop;
             end $$",
            self.name
        );
        client.batch_execute(&give).await.expect("another owner");
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server;
        let drop = format!("drop database if exists {} with (force)", self.name);
        let dropped = runtime::spawn(async move { server.execute_apart(&drop).await });
        if server.is_external() {
            runtime::at_exit(|| drop_in_time(dropped));
        }
    }
}

/// Lets the last drops happen before the process is gone.
fn drop_in_time(dropped: tokio::task::JoinHandle<bool>) {
    let timeout = tokio::time::Duration::from_secs(10);
    runtime::block_on(async move {
        let _ = tokio::time::timeout(timeout, dropped).await;
    });
}

//! A role of a test's own.
use std::time::Duration;

use crate::postgres_server::PostgresServer;
use crate::runtime;

/// A login role nothing else uses, dropped with this value once it owns nothing.
pub struct TestRole {
    server: &'static PostgresServer,
    name: String,
    password: String,
}

impl TestRole {
    pub(crate) async fn create(server: &'static PostgresServer, options: &str) -> Self {
        let name = server.unique_name();
        // Characters that a URL has to encode.
        let password = format!("{name}@:/?#%25");
        let create = format!("create role {name} login password '{password}' {options}");
        server.execute(&create).await.expect("a role");
        Self {
            server,
            name,
            password,
        }
    }

    /// A role that the program under test is to make: it is dropped like any other.
    pub fn expected(server: &'static PostgresServer, name: String) -> Self {
        Self {
            server,
            name,
            password: String::new(),
        }
    }

    /// Its name, which needs no quotes in SQL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its password, which needs percent-encoding in a URL.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl Drop for TestRole {
    fn drop(&mut self) {
        let server = self.server;
        let drop = format!("drop role if exists {}", self.name);
        let dropped = runtime::spawn(async move {
            // Its database may go after it does.
            for _ in 0..20 {
                if server.execute_apart(&drop).await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        if server.is_external() {
            runtime::at_exit(|| {
                runtime::block_on(async {
                    let _ = dropped.await;
                });
            });
        }
    }
}

//! A server in a container, which is removed whatever ends the tests.
use std::collections::HashMap;
use std::env;
use std::time::Duration;

use testcontainers::bollard::models::PortBinding;
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{Mount, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{
    ContainerAsync, ContainerRequest, CopyTargetOptions, GenericImage, ImageExt as _,
};
use tokio::time::timeout;

use super::launch::{Launched, PASSWORD, ROLE, SETTINGS, ServerOptions};
use super::{image, leftovers};
use crate::certificates::ServerCertificate;
use crate::runtime::{at_exit, block_on, say};

const PORT: u16 = 5432;

/// Where the server's data is, in memory. Not the image's own place, which differs
/// from version to version.
const DATA_MOUNT: &str = "/memory";

/// Run by the image when the data folder is made and the server has not started.
/// The files come from outside, so they belong to a user the server would refuse.
const SET_UP_TLS: &str = r#"
install -m 600 /tls/server.crt /tls/server.key "$PGDATA"
echo "ssl = on" >> "$PGDATA/postgresql.conf"
cp /tls/pg_hba.conf "$PGDATA/pg_hba.conf"
"#;

/// Runs the image's own entry point with these arguments, again and again. It ends when
/// the server does; this shell goes on, and with it the container and its memory.
const RESTART: &str = r#"while :; do docker-entrypoint.sh "$@"; sleep 0.1; done"#;

/// Starts a container.
pub(super) async fn start(options: &ServerOptions) -> Result<Launched, String> {
    let docker = docker_client_instance()
        .await
        .map_err(|error| error.to_string())?;
    docker
        .ping()
        .await
        .map_err(|error| format!("Docker does not answer: {error}"))?;
    leftovers::remove(&docker).await;
    let image = image::find(&docker).await?;
    let container = request(&image, options)
        .start()
        .await
        .map_err(|error| format!("no container of {image}: {error}"))?;
    let port = container.get_host_port_ipv4(PORT).await;
    let port = port.map_err(|error| format!("no port of the container: {error}"));
    remove_at_exit(container);
    let (host, port) = (docker_host(), port?);
    say(&format!(
        "postgres: a container of {image} at {host}:{port}"
    ));
    Ok(Launched::at(host, port))
}

fn request(image: &image::ImageName, options: &ServerOptions) -> ContainerRequest<GenericImage> {
    let ready = b"database system is ready to accept connections";
    let mut generic = GenericImage::new(image.name.clone(), image.tag.clone());
    let mut words = vec!["postgres"];
    words.extend(SETTINGS.into_iter().flat_map(|setting| ["-c", setting]));
    if options.is_restarted {
        generic = generic.with_entrypoint("sh");
        words.splice(..0, ["-c", RESTART, "restart"]);
    }
    let mut request = generic
        .with_wait_for(WaitFor::message_on_stdout(ready))
        .with_wait_for(WaitFor::message_on_stderr(ready))
        .with_startup_timeout(Duration::from_secs(120))
        .with_label(leftovers::OWNER_LABEL, leftovers::owner())
        .with_mount(Mount::tmpfs_mount(DATA_MOUNT))
        .with_env_var("PGDATA", format!("{DATA_MOUNT}/data"))
        .with_env_var("POSTGRES_USER", ROLE)
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .with_env_var("POSTGRES_DB", "postgres")
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256")
        // Or initdb looks for the machine's time zone in hundreds of files.
        .with_env_var("TZ", "UTC")
        // Version 13 would keep passwords as MD5.
        .with_env_var("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256")
        .with_cmd(words)
        .with_host_config_modifier(|config| {
            // The password is no secret: no other machine may connect.
            let host_ip = docker_is_here().then(|| "127.0.0.1".to_owned());
            let binding = PortBinding {
                host_ip,
                host_port: None,
            };
            config.publish_all_ports = Some(false);
            config.port_bindings = Some(HashMap::from([(
                format!("{PORT}/tcp"),
                Some(vec![binding]),
            )]));
        });
    if let Some(certificate) = &options.certificate {
        for (path, content) in [
            ("/tls/server.crt", certificate.chain_pem.as_str()),
            ("/tls/server.key", certificate.key_pem.as_str()),
            ("/tls/pg_hba.conf", ServerCertificate::PG_HBA),
            ("/docker-entrypoint-initdb.d/tls.sh", SET_UP_TLS),
        ] {
            let target = CopyTargetOptions::new(path).with_mode(0o644);
            request = request.with_copy_to(target, content.as_bytes().to_vec());
        }
    }
    request
}

/// Nothing else removes it: a static is never dropped. After SIGTERM or Ctrl-C the
/// `watchdog` of testcontainers does, and after SIGKILL the next run's `leftovers`.
fn remove_at_exit(container: ContainerAsync<GenericImage>) {
    at_exit(move || {
        block_on(async move {
            let _ = timeout(Duration::from_secs(20), container.rm()).await;
        });
    });
}

/// testcontainers' own answer may be the bridge's address, which other machines lack.
fn docker_host() -> String {
    if docker_is_here() {
        return "127.0.0.1".to_owned();
    }
    let url = env::var("DOCKER_HOST").unwrap_or_default();
    let authority = url.split("://").last().unwrap_or_default();
    let host = authority.split(['/', ':']).next();
    host.unwrap_or_default().to_owned()
}

fn docker_is_here() -> bool {
    env::var("DOCKER_HOST").map_or(true, |url| url.starts_with("unix:"))
}

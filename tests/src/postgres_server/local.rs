//! A server of the machine's own binaries, in a folder of its own.
use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::launch::{Launched, PASSWORD, ROLE, SETTINGS, ServerOptions};
use crate::certificates::ServerCertificate;
use crate::command::{command, run};
use crate::runtime::at_exit;

/// Where Debian keeps them, a folder for each major version.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// Waits until this process is gone, in whatever way, then tidies up: its end of the
/// pipe closes even when it is killed.
const GUARD: &str = r#"
read -r _
rm -f "$2/restarts"
"$1/pg_ctl" stop --silent --mode immediate --pgdata "$2/data"
rm -rf "$2"
"#;

/// Starts the server again, whatever has ended it, until the guard tidies up.
const RESTART: &str = r#"
while sleep 0.1 && [ -e "$2/restarts" ]; do
    "$1/pg_ctl" status --pgdata "$2/data" || "$1/pg_ctl" start --options "-p $3" \
        --pgdata "$2/data" --log "$2/log"
done
"#;

/// A server is a folder here, and how to run programs on it.
struct Installation {
    binaries: PathBuf,
    folder: PathBuf,
    /// The server refuses to run as root.
    other_user: Option<(u32, u32)>,
}

/// Starts a server; also returns the line to say about it.
pub(super) fn start(options: &ServerOptions) -> Result<(Launched, String), String> {
    let binaries = find_binaries()?;
    let folder = tempfile::Builder::new()
        .prefix("postgres-test-")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?
        // The guard removes it.
        .keep();
    let installation = Installation {
        other_user: unprivileged_user()?,
        binaries,
        folder,
    };
    installation.guard()?;
    installation.initialise(options)?;
    let port = installation.start()?;
    if options.is_restarted {
        installation.restart(port)?;
    }
    let said = format!(
        "postgres: local binaries of {} on port {port}",
        installation.binaries.display()
    );
    Ok((Launched::at("127.0.0.1".to_owned(), port), said))
}

impl Installation {
    fn guard(&self) -> Result<(), String> {
        if let Some((user, group)) = self.other_user {
            chown(&self.folder, Some(user), Some(group)).map_err(describe("chown"))?;
        }
        let mut guard = self.command("sh");
        guard.args(["-c", GUARD, "guard"]);
        guard.args([&self.binaries, &self.folder]);
        // Ctrl-C goes to a whole process group, and would end the guard too.
        guard.process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::null());
        let guard = guard.stderr(Stdio::null()).spawn();
        let guard = guard.map_err(describe("the server's guard"))?;
        at_exit(move || release(guard));
        Ok(())
    }

    fn initialise(&self, options: &ServerOptions) -> Result<(), String> {
        let data = self.folder.join("data");
        let password_file = self.folder.join("password");
        self.write(&password_file, PASSWORD)?;
        let mut initdb = self.command(self.binaries.join("initdb"));
        initdb.arg("--pgdata").arg(&data);
        initdb.arg("--pwfile").arg(&password_file);
        initdb.args(["--username", ROLE, "--encoding", "UTF8", "--locale", "C"]);
        initdb.args(["--auth-host", "scram-sha-256", "--auth-local", "reject"]);
        // Or initdb looks for the machine's time zone in hundreds of files.
        run(initdb.arg("--no-sync").env("TZ", "UTC"))?;
        if let Some(certificate) = &options.certificate {
            self.write(&data.join("server.crt"), &certificate.chain_pem)?;
            self.write(&data.join("server.key"), &certificate.key_pem)?;
            self.write(&data.join("pg_hba.conf"), ServerCertificate::PG_HBA)?;
        }
        let ssl = options.certificate.as_ref().map(|_| "ssl=on");
        let local = ["listen_addresses='127.0.0.1'", "unix_socket_directories=''"];
        let settings = SETTINGS.into_iter().chain(local).chain(ssl);
        let settings = settings.collect::<Vec<_>>().join("\n");
        self.write(&data.join("postgresql.auto.conf"), &settings)
    }

    /// Returns the port, which another program may take before the server does.
    fn start(&self) -> Result<u16, String> {
        let mut failure = String::new();
        for _ in 0..3 {
            let port = free_port().map_err(describe("a free port"))?;
            let mut pg_ctl = self.command(self.binaries.join("pg_ctl"));
            pg_ctl.args(["start", "--wait", "--options", &format!("-p {port}")]);
            pg_ctl.arg("--pgdata").arg(self.folder.join("data"));
            pg_ctl.arg("--log").arg(self.folder.join("log"));
            // The server inherits these, and whoever reads them would wait for its end.
            pg_ctl.stdout(Stdio::null()).stderr(Stdio::null());
            match pg_ctl.status() {
                Ok(status) if status.success() => return Ok(port),
                _ => {
                    failure = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                }
            }
        }
        Err(format!("the server did not start: {failure}"))
    }

    /// Has the server come back whenever it is gone.
    fn restart(&self, port: u16) -> Result<(), String> {
        self.write(&self.folder.join("restarts"), "")?;
        let mut restart = self.command("sh");
        restart.args(["-c", RESTART, "restart"]);
        restart.args([&self.binaries, &self.folder]);
        restart.arg(port.to_string()).process_group(0);
        restart.stdin(Stdio::null()).stdout(Stdio::null());
        let restart = restart.stderr(Stdio::null()).spawn();
        restart.map_err(describe("what restarts the server"))?;
        Ok(())
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command(program);
        if let Some((user, group)) = self.other_user {
            command.uid(user).gid(group);
        }
        // The test's own folder may be closed to the other user.
        command.current_dir(&self.folder);
        command
    }

    /// Writes a file that the server accepts for a private key.
    fn write(&self, path: &Path, content: &str) -> Result<(), String> {
        let written = fs::write(path, content)
            .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o600)))
            .and_then(|()| match self.other_user {
                Some((user, group)) => chown(path, Some(user), Some(group)),
                None => Ok(()),
            });
        written.map_err(describe(&path.display().to_string()))
    }
}

/// Closes the guard's pipe and waits until it has tidied up.
fn release(mut guard: Child) {
    drop(guard.stdin.take());
    let _ = guard.wait();
}

fn find_binaries() -> Result<PathBuf, String> {
    let binaries = match env::var_os("PG_BIN") {
        Some(folder) => PathBuf::from(folder),
        None => newest_of_debian()
            .ok_or_else(|| format!("PG_BIN is not set, and {DEBIAN_FOLDER} has none"))?,
    };
    if binaries.join("initdb").exists() && binaries.join("postgres").exists() {
        return Ok(binaries);
    }
    let folder = binaries.display();
    Err(format!("no `initdb` and `postgres` in {folder}"))
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN_FOLDER).ok()?.flatten();
    let numbers = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let candidates = numbers.map(|number| (number, format!("{DEBIAN_FOLDER}/{number}/bin")));
    let servers = candidates.filter(|(_, folder)| Path::new(folder).join("initdb").exists());
    servers.max().map(|(_, folder)| PathBuf::from(folder))
}

/// Whom to be in place of root: `postgres`, which has a line in `/etc/passwd` where
/// the server is installed.
fn unprivileged_user() -> Result<Option<(u32, u32)>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = ["postgres", "nobody"].into_iter().find_map(|name| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    let missing = "the server refuses to run as root, and there is no user `postgres`";
    user.map(Some).ok_or_else(|| missing.to_owned())
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn describe(what: &str) -> impl FnOnce(std::io::Error) -> String + use<> {
    let what = what.to_owned();
    move |error| format!("{what}: {error}")
}

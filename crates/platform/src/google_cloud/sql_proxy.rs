//! The way to a Cloud SQL database from a machine that has no socket to it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use secret::{DatabaseTarget, DatabaseUrl, Host};
use tempfile::TempDir;

use super::error::CloudError;
use super::failure::one_line;
use crate::{Error, SECRET_VARIABLES};

/// The longest that the proxy may take until its socket is there.
const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// How long it may take to end when it is told to.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A Cloud SQL Auth Proxy of this process's own: it ends with it.
///
/// It opens a socket in a folder that nobody else can enter, and logs in with the
/// account of `gcloud`. The URL in the store stays as it is.
pub struct SqlProxy {
    child: Child,
    instance: String,
    folder: TempDir,
}

impl SqlProxy {
    /// The connection name of the Cloud SQL instance that a URL leads to by a socket
    /// which isn't there; none where the URL can be used as it is.
    pub fn needed_for(url: &DatabaseUrl) -> Option<String> {
        let DatabaseTarget::Postgres(target) = url.target() else {
            return None;
        };
        let Host::UnixSocket(folder) = &target.host else {
            return None;
        };
        let instance = folder.file_name()?.to_str()?;
        let is_there = folder.join(socket_name(target.port)).exists();
        (instance.split(':').count() == 3 && !is_there).then(|| instance.to_owned())
    }

    /// Starts a proxy, and waits until its socket is there.
    ///
    /// # Errors
    ///
    /// [`CloudError::NoProxy`], with what to type; [`CloudError::Proxy`].
    pub async fn start(program: &Path, instance: String) -> Result<SqlProxy, Error> {
        let failed = |source| CloudError::NoProxy {
            instance: instance.clone(),
            program: program.to_owned(),
            source,
        };
        // A socket's path has room for about a hundred characters.
        let folder = tempfile::Builder::new()
            .prefix("sql")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in("/tmp");
        let folder = folder.map_err(failed)?;
        let log = File::create(folder.path().join("log")).map_err(failed)?;
        #[expect(clippy::disallowed_methods, reason = "the one process beside `gcloud`")]
        let mut command = Command::new(program);
        command
            .args(["--gcloud-auth", "--unix-socket"])
            .arg(folder.path())
            .arg(&instance)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            // Ctrl-C is this program's business, which may have to end a transaction first.
            .process_group(0);
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        let child = command.spawn().map_err(failed)?;
        running().push(Pid::from_child(&child));
        let mut proxy = SqlProxy {
            child,
            instance,
            folder,
        };
        proxy.wait_for_socket().await?;
        Ok(proxy)
    }

    /// Tells all proxies of this process to end, where it leaves without dropping them.
    pub fn end_all() {
        for child in running().drain(..) {
            // What is gone needs no telling.
            let _ = kill_process(child, Signal::TERM);
        }
    }

    /// The folder with the socket.
    pub fn socket_folder(&self) -> PathBuf {
        self.folder.path().join(&self.instance)
    }

    async fn wait_for_socket(&mut self) -> Result<(), Error> {
        let socket = self.socket_folder().join(socket_name(5432));
        let started = Instant::now();
        loop {
            if UnixStream::connect(&socket).is_ok() {
                return Ok(());
            }
            let has_ended = !matches!(self.child.try_wait(), Ok(None));
            if has_ended || started.elapsed() >= LIMIT {
                return Err(CloudError::Proxy {
                    instance: self.instance.clone(),
                    said: self.last_words(),
                }
                .into());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The last line of its log, which tells of connections and holds no value.
    fn last_words(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        one_line(last.unwrap_or("it said nothing"), 300)
    }
}

impl Drop for SqlProxy {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            // It is gone, or can't be reached any more: nothing is left to be done.
            drop(error);
        }
    }
}

impl SqlProxy {
    /// Tells it to end, which closes its connections, and kills it if it doesn't.
    fn end(&mut self) -> io::Result<()> {
        let pid = Pid::from_child(&self.child);
        running().retain(|child| *child != pid);
        kill_process(pid, Signal::TERM)?;
        let told = Instant::now();
        while self.child.try_wait()?.is_none() {
            if told.elapsed() >= END_WITHIN {
                self.child.kill()?;
                self.child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// The processes that were started and not waited for yet.
fn running() -> MutexGuard<'static, Vec<Pid>> {
    static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn socket_name(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

//! A stand-in for the Cloud SQL Auth Proxy: it opens a socket where that one would, and
//! leads to the Postgres server at `STAND_IN_PROXY_TO`, by host and port.
//!
//! `STAND_IN_PROXY_FAILS` makes it say that and end, as the real one does where the
//! instance can't be reached.
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

fn main() -> io::Result<()> {
    if let Ok(failure) = std::env::var("STAND_IN_PROXY_FAILS") {
        return Err(io::Error::other(failure));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [auth, flag, folder, instance] = arguments.as_slice() else {
        return Err(io::Error::other("other arguments than were expected"));
    };
    let is_known = auth == "--gcloud-auth" && flag == "--unix-socket";
    if !is_known || instance.split(':').count() != 3 {
        return Err(io::Error::other("other arguments than were expected"));
    }
    let to = std::env::var("STAND_IN_PROXY_TO").map_err(io::Error::other)?;
    let folder = Path::new(folder).join(instance);
    std::fs::create_dir(&folder)?;
    let listener = UnixListener::bind(folder.join(".s.PGSQL.5432"))?;
    for client in listener.incoming() {
        let (client, server) = (client?, TcpStream::connect(&to)?);
        server.set_nodelay(true)?;
        let (client_too, server_too) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            copy(&client, &server);
            server.shutdown(Shutdown::Write)
        });
        thread::spawn(move || {
            copy(&server_too, &client_too);
            UnixStream::shutdown(&client_too, Shutdown::Write)
        });
    }
    Ok(())
}

/// Until one of them ends.
fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to
            .write_all(buffer.get(..read).unwrap_or_default())
            .is_err()
        {
            return;
        }
    }
}

//! A TCP proxy in front of a Postgres server, which stalls and cuts when told to.
mod connection;
mod conversation;
mod shared;

use std::net;
use std::os::unix;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::postgres_server::PostgresServer;
use crate::runtime;
use connection::Connection;

/// What happens to the bytes that go through.
#[derive(Clone, Default)]
enum Fault {
    #[default]
    None,
    Stall,
    /// Before the client's message goes to the server.
    CutBefore(Vec<u8>),
    /// When the server has answered the message, and the client hasn't heard it.
    CutAfter(Vec<u8>),
    /// At the statement of this number.
    At(usize, Side, Loss),
    /// Bytes go through so many at a time, each time after a pause.
    InPieces(usize, Duration),
    /// When so many more bytes have gone from the client to the server.
    CutAfterSent(usize),
    /// When so many more bytes have gone from the server to the client.
    CutAfterReceived(usize),
}

/// On which side of a statement something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server doesn't see it.
    Before,
    /// The server has run it, and the client doesn't hear so.
    After,
}

/// How a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Both sides see it reset.
    Reset,
    /// Both sides see it closed.
    Closed,
    /// Nothing goes through any more, and nobody is told.
    Silent,
}

/// What the proxy has been told, which its connections watch.
#[derive(Default)]
struct Orders {
    fault: Fault,
    refuses: bool,
    refuses_after_cut: bool,
    /// A connection that started under a lower number is to be cut.
    generation: u64,
    cuts: usize,
    /// What clients ran, in order.
    statements: Vec<String>,
}

/// A proxy on a port of this machine. Every fault strikes once: afterwards bytes pass.
/// It ends, with its connections, when it is dropped.
pub struct Proxy {
    port: u16,
    orders: Arc<watch::Sender<Orders>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of a server.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn start(server: &PostgresServer) -> Self {
        let (orders, connection) = Connection::to(server.host(), server.port());
        let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        listener.set_nonblocking(true).expect("no blocking");
        let listening = runtime::spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((client, _)) = listener.accept().await {
                runtime::spawn(connection.clone().serve_tcp(client));
            }
        });
        Self {
            port,
            orders,
            listening,
        }
    }

    /// Starts one that listens on a Unix socket in a folder, under the name that
    /// Postgres clients look for there.
    ///
    /// # Panics
    ///
    /// If the socket can't be made.
    pub fn start_on_socket(server: &PostgresServer, directory: &Path) -> Self {
        let (orders, connection) = Connection::to(server.host(), server.port());
        let port = 5432;
        let path = directory.join(format!(".s.PGSQL.{port}"));
        let listener = unix::net::UnixListener::bind(path).expect("a socket");
        listener.set_nonblocking(true).expect("no blocking");
        let listening = runtime::spawn(async move {
            let listener = UnixListener::from_std(listener).expect("a listener");
            while let Ok((client, _)) = listener.accept().await {
                runtime::spawn(connection.clone().serve_socket(client));
            }
        });
        Self {
            port,
            orders,
            listening,
        }
    }

    /// The port to connect to, or the one in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets everything through again, and forgets a fault that hasn't struck.
    pub fn pass(&self) {
        self.order(Fault::None);
    }

    /// Keeps connections open and forwards nothing until [`pass`](Self::pass).
    pub fn stall(&self) {
        self.order(Fault::Stall);
    }

    /// Resets every connection now. New ones are served.
    pub fn cut_all(&self) {
        self.orders.send_modify(|orders| orders.generation += 1);
    }

    /// Resets the next connection whose client runs a statement with the given text
    /// in it, before the server has seen that statement.
    pub fn cut_before(&self, statement: &str) {
        self.order(Fault::CutBefore(statement.into()));
    }

    /// The same, when the server has run the statement, and before the client hears it.
    pub fn cut_after(&self, statement: &str) {
        self.order(Fault::CutAfter(statement.into()));
    }

    /// Loses the connection by which a client runs the statement of this number, counted
    /// from 0: those that were run by now count.
    pub fn lose_at(&self, number: usize, side: Side, loss: Loss) {
        self.order(Fault::At(number, side, loss));
    }

    /// Every statement that a client has run.
    pub fn statements(&self) -> Vec<String> {
        self.orders.borrow().statements.clone()
    }

    /// Lets bytes through in pieces of this length, each after a pause.
    pub fn in_pieces(&self, length: usize, pause: Duration) {
        self.order(Fault::InPieces(length, pause));
    }

    /// Resets the connection over which the last of so many bytes goes to the server.
    pub fn cut_after_sent(&self, bytes: usize) {
        self.order(Fault::CutAfterSent(bytes));
    }

    /// Resets the connection over which the last of so many bytes comes from the server.
    pub fn cut_after_received(&self, bytes: usize) {
        self.order(Fault::CutAfterReceived(bytes));
    }

    /// Resets new connections as soon as they are made, or serves them again.
    pub fn refuse_new_connections(&self, refuses: bool) {
        self.orders.send_modify(|orders| orders.refuses = refuses);
    }

    /// Whether new connections are refused once a fault has cut one.
    pub fn refuse_after_cut(&self, refuses: bool) {
        self.orders
            .send_modify(|orders| orders.refuses_after_cut = refuses);
    }

    /// How many connections were lost.
    pub fn cuts(&self) -> usize {
        self.orders.borrow().cuts
    }

    fn order(&self, fault: Fault) {
        self.orders.send_modify(|orders| orders.fault = fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut_all();
    }
}

//! One connection through the proxy.
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream, tcp};
use tokio::sync::watch;

use super::conversation::{Conversation, Message};
use super::shared::Shared;
use super::{Fault, Loss, Orders, Side};
use crate::network::Resettable;

/// No answer to a statement takes longer in these tests.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a new connection needs.
#[derive(Clone)]
pub(super) struct Connection {
    upstream: (String, u16),
    orders: Arc<watch::Sender<Orders>>,
}

/// How a connection ended.
enum End {
    /// One side closed it.
    Closed,
    Cut,
    Lost(Loss),
}

/// The direction of some bytes.
#[derive(Clone, Copy)]
enum Towards {
    Server,
    Client,
}

impl Connection {
    /// What connections to a server need, and where to order faults.
    pub(super) fn to(host: &str, port: u16) -> (Arc<watch::Sender<Orders>>, Self) {
        let orders = Arc::new(watch::Sender::default());
        let connection = Self {
            upstream: (host.to_owned(), port),
            orders: Arc::clone(&orders),
        };
        (orders, connection)
    }

    pub(super) async fn serve_tcp(self, client: TcpStream) {
        let _ = client.set_nodelay(true);
        let (reader, writer) = client.into_split();
        self.serve(reader, writer).await;
    }

    pub(super) async fn serve_socket(self, client: UnixStream) {
        let (reader, writer) = client.into_split();
        self.serve(reader, writer).await;
    }

    async fn serve(self, client: impl AsyncRead + Unpin, mut to_client: impl Resettable) {
        let generation = self.orders.borrow().generation;
        if self.orders.borrow().refuses {
            return to_client.reset();
        }
        let (host, port) = &self.upstream;
        let Ok(server) = TcpStream::connect((host.as_str(), *port)).await else {
            return to_client.reset();
        };
        let _ = server.set_nodelay(true);
        let (server, mut to_server) = server.into_split();
        let shared = Shared::default();
        let mut orders = self.orders.subscribe();
        let end = tokio::select! {
            end = self.pump_to_server(client, &mut to_server, &shared) => end,
            end = self.pump_to_client(server, &mut to_client, &shared) => end,
            _ = orders.wait_for(|orders| orders.generation > generation) => Ok(End::Cut),
        };
        let loss = match end {
            Ok(End::Cut) => Loss::Reset,
            Ok(End::Lost(loss)) => loss,
            Ok(End::Closed) | Err(_) => return,
        };
        // Before the loss: the client may be back before its error is read.
        self.orders.send_modify(|orders| {
            orders.cuts += 1;
            orders.refuses |= orders.refuses_after_cut;
        });
        if loss == Loss::Silent {
            let cut = orders.wait_for(|orders| orders.generation > generation);
            drop(cut.await);
        }
        if loss != Loss::Closed {
            to_client.reset();
            to_server.reset();
        }
    }

    async fn pump_to_server(
        &self,
        mut client: impl AsyncRead + Unpin,
        server: &mut tcp::OwnedWriteHalf,
        shared: &Shared,
    ) -> io::Result<End> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = client.read(&mut buffer).await?;
            if length == 0 {
                return Ok(End::Closed);
            }
            self.wait_while_stalled().await;
            let messages = shared.with(|talk| talk.client_said(&buffer[..length]));
            let mut messages = messages.into_iter();
            while let Some(message) = messages.next() {
                let strike = self.strike(&message);
                if let Some((Side::Before, loss)) = strike {
                    return Ok(End::Lost(loss));
                }
                if strike.is_some() {
                    shared.with(Conversation::withhold_answers);
                }
                if let End::Cut = self
                    .forward(&message.bytes, Towards::Server, server)
                    .await?
                {
                    return Ok(End::Cut);
                }
                if let Some((_, loss)) = strike {
                    let behind = messages.flat_map(|message| message.bytes).collect();
                    tokio::select! {
                        () = shared.wait_for_answers() => {}
                        () = tokio::time::sleep(ANSWER_TIMEOUT) => {}
                        end = send_behind(behind, client, server, shared) => return end,
                    }
                    return Ok(End::Lost(loss));
                }
            }
        }
    }

    async fn pump_to_client(
        &self,
        mut server: tcp::OwnedReadHalf,
        client: &mut (impl AsyncWrite + Unpin),
        shared: &Shared,
    ) -> io::Result<End> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = server.read(&mut buffer).await?;
            if length == 0 {
                // While answers are withheld, the other direction ends the connection.
                if shared.with(|talk| talk.withholds_answers()) {
                    std::future::pending::<()>().await;
                }
                return Ok(End::Closed);
            }
            self.wait_while_stalled().await;
            let withheld = shared.with(|talk| {
                talk.server_said(&buffer[..length]);
                talk.withholds_answers()
            });
            if withheld {
                shared.notify();
            } else if let End::Cut = self
                .forward(&buffer[..length], Towards::Client, client)
                .await?
            {
                return Ok(End::Cut);
            }
        }
    }

    async fn wait_while_stalled(&self) {
        let mut orders = self.orders.subscribe();
        let _ = orders
            .wait_for(|orders| !matches!(orders.fault, Fault::Stall))
            .await;
    }

    /// Takes the fault if it waits for this message, so that it strikes once.
    fn strike(&self, message: &Message) -> Option<(Side, Loss)> {
        let statement = message.runs.as_ref()?;
        let mut strike = None;
        self.orders.send_if_modified(|orders| {
            let number = orders.statements.len();
            let text = String::from_utf8_lossy(statement).into_owned();
            orders.statements.push(text);
            strike = match &orders.fault {
                Fault::CutBefore(text) if contains(statement, text) => {
                    Some((Side::Before, Loss::Reset))
                }
                Fault::CutAfter(text) if contains(statement, text) => {
                    Some((Side::After, Loss::Reset))
                }
                Fault::At(at, side, loss) if *at == number => Some((*side, *loss)),
                _ => return false,
            };
            orders.fault = Fault::None;
            true
        });
        strike
    }

    /// Writes what may go before a cut.
    async fn forward(
        &self,
        bytes: &[u8],
        towards: Towards,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<End> {
        let mut cut_at = None;
        self.orders.send_if_modified(|orders| {
            let left = match (&mut orders.fault, towards) {
                (Fault::CutAfterSent(left), Towards::Server)
                | (Fault::CutAfterReceived(left), Towards::Client) => left,
                _ => return false,
            };
            if *left > bytes.len() {
                *left -= bytes.len();
                return false;
            }
            cut_at = Some(*left);
            orders.fault = Fault::None;
            true
        });
        let (length, pause) = match self.orders.borrow().fault {
            Fault::InPieces(length, pause) => (length, pause),
            _ => (usize::MAX, Duration::ZERO),
        };
        for piece in bytes[..cut_at.unwrap_or(bytes.len())].chunks(length) {
            // Even a sleep of no length takes a millisecond.
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            writer.write_all(piece).await?;
        }
        Ok(cut_at.map_or(End::Closed, |_| End::Cut))
    }
}

/// Sends what follows a statement: an extended query takes effect with its `Sync`.
async fn send_behind(
    mut bytes: Vec<u8>,
    mut client: impl AsyncRead + Unpin,
    server: &mut tcp::OwnedWriteHalf,
    shared: &Shared,
) -> io::Result<End> {
    loop {
        server.write_all(&bytes).await?;
        bytes.clear();
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(End::Closed);
        }
        shared.with(|talk| talk.client_said(&bytes));
    }
}

fn contains(statement: &[u8], text: &[u8]) -> bool {
    text.is_empty() || statement.windows(text.len()).any(|window| window == text)
}

//! What the network does to a request and its answer, whatever server is behind it.
use std::future::pending;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, tcp, unix};
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;

/// What becomes of a request, its answer and the connection that both go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection is closed.
    Closed(Reached),
    /// The connection is reset.
    Reset(Reached),
    /// Nothing more comes, and nothing is closed.
    Silent(Reached),
    /// The answer ends in the middle of its body, and nothing tells that it does: no
    /// length, and a connection that is closed in good order.
    Shortened,
    /// Every byte of the answer comes alone, after a pause.
    InBytes(Duration),
}

/// How far things come before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The request doesn't come to the server, which does nothing.
    Nothing,
    /// The server has done what it was asked to; no byte of its answer comes back.
    Server,
    /// The middle of the answer's headers.
    Headers,
    /// The middle of the answer's body.
    Body,
}

/// An answer as it goes over the wire.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Takes a connection away from the server that answers by it.
#[derive(Clone)]
pub(crate) struct Befalls(mpsc::Sender<(Trouble, Answered)>);

impl Befalls {
    /// Lets it happen: nothing is answered in the usual way any more.
    pub(crate) async fn befall<T>(&self, trouble: Trouble, answered: Answered) -> T {
        let _ = self.0.send((trouble, answered)).await;
        pending().await
    }
}

/// Answers the requests that come by a connection, until it ends or something befalls it.
pub(crate) async fn serve<S, F, E>(stream: S, respond: impl Fn(Request<Incoming>, Befalls) -> F)
where
    S: Stream + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, mut befallen) = mpsc::channel(1);
    let befalls = Befalls(sender);
    let service = service_fn(|request| respond(request, befalls.clone()));
    let connection = hyper::server::conn::http1::Builder::new();
    let mut connection = connection.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that goes away is its own business.
        _ = &mut connection => {}
        Some((trouble, answered)) = befallen.recv() => {
            let stream = connection.into_parts().io.into_inner();
            trouble.befall(stream, &answered).await;
        }
    }
}

impl Trouble {
    /// Whether the server gets the request.
    pub(crate) fn reaches_server(self) -> bool {
        let (Trouble::Closed(reached) | Trouble::Reset(reached) | Trouble::Silent(reached)) = self
        else {
            return true;
        };
        reached != Reached::Nothing
    }

    /// Lets it happen to a connection by which a request has come, to its end.
    pub(crate) async fn befall(self, mut stream: impl Stream, answered: &Answered) {
        let text = answered.text(self != Trouble::Shortened);
        let bytes = text.get(..self.length(&text)).unwrap_or_default();
        // The client may have gone away: that is its own business.
        let _ = match self {
            Trouble::InBytes(pause) => send_each(&mut stream, bytes.as_bytes(), pause).await,
            _ => send(&mut stream, bytes.as_bytes()).await,
        };
        match self {
            Trouble::Reset(_) => stream.reset(),
            Trouble::Silent(_) => wait_until_gone(&mut stream).await,
            // Over TLS without its own farewell, where the connection is lost.
            Trouble::Closed(_) => drop(stream),
            Trouble::Shortened | Trouble::InBytes(_) => drop(stream.shutdown().await),
        }
    }

    /// How much of the answer goes out.
    fn length(self, text: &str) -> usize {
        let head = text.find("\r\n\r\n").map_or(text.len(), |end| end + 4);
        let middle = head + (text.len() - head) / 2;
        match self {
            Trouble::Closed(reached) | Trouble::Reset(reached) | Trouble::Silent(reached) => {
                match reached {
                    Reached::Nothing | Reached::Server => 0,
                    Reached::Headers => head / 2,
                    Reached::Body => middle,
                }
            }
            Trouble::Shortened => middle,
            Trouble::InBytes(_) => text.len(),
        }
    }
}

impl Answered {
    /// Status line, headers and body.
    fn text(&self, has_length: bool) -> String {
        let length = match has_length {
            true => format!("content-length: {}\r\n", self.body.len()),
            false => String::new(),
        };
        format!(
            "HTTP/1.1 {} As told\r\ncontent-type: {}\r\n{length}connection: close\r\n\r\n{}",
            self.status, self.content_type, self.body
        )
    }
}

async fn send(stream: &mut impl Stream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn send_each(stream: &mut impl Stream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        send(stream, std::slice::from_ref(byte)).await?;
    }
    Ok(())
}

/// Until the client gives it up.
async fn wait_until_gone(stream: &mut impl Stream) {
    let mut ignored = [0; 1024];
    while stream
        .read(&mut ignored)
        .await
        .is_ok_and(|length| length > 0)
    {}
}

/// A whole stream that can be reset.
pub(crate) trait Stream: AsyncRead + Resettable {}

impl<T: AsyncRead + Resettable> Stream for T {}

/// The writing side of a stream that can be reset in place of closed.
pub(crate) trait Resettable: AsyncWrite + Unpin {
    fn reset(self);
}

impl Resettable for TcpStream {
    fn reset(self) {
        let _ = self.set_zero_linger();
    }
}

impl Resettable for TlsStream<TcpStream> {
    fn reset(self) {
        let (stream, _) = self.into_inner();
        stream.reset();
    }
}

impl Resettable for tcp::OwnedWriteHalf {
    fn reset(self) {
        let _ = self.as_ref().set_zero_linger();
        // Dropping it would say good-bye first.
        self.forget();
    }
}

impl Resettable for unix::OwnedWriteHalf {
    fn reset(self) {}
}

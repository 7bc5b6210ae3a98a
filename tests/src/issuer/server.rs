//! The server: TLS, HTTP, and what goes wrong with either.
use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, answer};
use super::faults::{self, Effect};
use super::{Request, World, locked};
use crate::certificates::ServerCertificate;
use crate::network::{self, Answered, Befalls};
use crate::runtime;

type Shared = Arc<Mutex<World>>;

pub(super) async fn listen(certificate: &ServerCertificate, world: Shared) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(tls(certificate)));
    runtime::run(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port for the issuer");
        let port = listener.local_addr().expect("its address").port();
        runtime::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                runtime::spawn(serve(stream, acceptor.clone(), Arc::clone(&world)));
            }
        });
        port
    })
    .await
}

fn tls(certificate: &ServerCertificate) -> ServerConfig {
    let chain = CertificateDer::from_pem_slice(certificate.chain_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain.expect("a certificate")], key.expect("a key"))
        .expect("a certificate with its key")
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, world: Shared) {
    let effect = {
        let mut world = locked(&world);
        world.connections += 1;
        faults::take_for_connection(&mut world.faults)
    };
    match effect {
        Some(Effect::Reset) => return drop(stream.set_zero_linger()),
        Some(Effect::Silent) => pending().await,
        _ => {}
    }
    // A client that doesn't trust it, or goes away, is its own business.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let respond = |request, befalls| respond(request, Arc::clone(&world), befalls);
    network::serve(stream, respond).await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    world: Shared,
    befalls: Befalls,
) -> io::Result<Response<Full<Bytes>>> {
    let request = recorded(request).await;
    let (effect, usual) = {
        let mut world = locked(&world);
        world.requests.push(request.clone());
        let effect = faults::take_for_request(&mut world.faults);
        let usual = answer(&world, &request, effect == Some(Effect::Refuse));
        (effect, usual)
    };
    let answer = match effect {
        Some(Effect::CutOff) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Effect::Hang) => pending().await,
        Some(Effect::Late(delay)) => {
            tokio::time::sleep(delay).await;
            usual
        }
        Some(Effect::Unavailable) => Answer::page(503, "<html>Service Unavailable</html>"),
        Some(Effect::Page) => Answer::page(200, "<html>Welcome. Please log in.</html>"),
        Some(Effect::Redirect(to)) => Answer::redirect(&to),
        Some(Effect::Answer(status, body)) => Answer::page(status, &body),
        Some(Effect::Echo(status)) => Answer::echo(status, &request),
        Some(Effect::Network(trouble)) => {
            let answered = Answered {
                status: usual.status,
                content_type: usual.content_type,
                body: usual.body,
            };
            befalls.befall(trouble, answered).await
        }
        Some(Effect::Refuse | Effect::Reset | Effect::Silent) | None => usual,
    };
    let mut response = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    if let Some(location) = answer.location {
        response = response.header("location", location);
    }
    Ok(response.body(Full::from(answer.body)).expect("a response"))
}

async fn recorded(request: hyper::Request<Incoming>) -> Request {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = parts.headers.iter();
    Request {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body: text(&body.unwrap_or_default()),
    }
}

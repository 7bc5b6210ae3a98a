//! The server: a proxy that answers every request itself.
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::answer::Answer;
use super::faults::{self, Effect};
use super::run::policy;
use super::{Hold, World, gcloud, policies, run, secrets, sql};
use crate::network::{self, Answered, Befalls, Reached, Trouble};
use crate::runtime;

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// The host that was meant.
    pub host: String,
    /// Its path and query.
    pub target: String,
    /// Its body.
    pub body: Value,
    /// Whether it came with the token of the test's configuration.
    pub is_authorised: bool,
    /// Which run of `gcloud` it belongs to, by its own id for that.
    pub call: Option<String>,
    /// The command of that run: `gcloud.run.services.describe`.
    pub command: Option<String>,
}

impl Recorded {
    /// The path without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

type Shared = Arc<Mutex<World>>;

/// Answers from now on, and gives the port.
pub(super) fn listen(world: Shared) -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.expect("a port for the stand-in");
    let port = listener.local_addr().expect("its address").port();
    listener.set_nonblocking(true).expect("a socket");
    runtime::spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        while let Ok((stream, _)) = listener.accept().await {
            runtime::spawn(serve(stream, Arc::clone(&world)));
        }
    });
    port
}

/// Where tokens are asked for.
const TOKENS: &str = "oauth2.test";
const CONTENT_TYPE: &str = "application/json; charset=UTF-8";

async fn serve(stream: TcpStream, world: Shared) {
    let _ = stream.set_nodelay(true);
    let respond = |request, befalls| respond(request, Arc::clone(&world), befalls);
    network::serve(stream, respond).await;
}

async fn respond(
    request: Request<Incoming>,
    world: Shared,
    befalls: Befalls,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let recorded = recorded(request).await;
    if let Some(hold) = hold(&world, &recorded) {
        hold.released().await;
    }
    let outcome = {
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&mut world, &recorded)
    };
    let (answer, trouble) = match outcome {
        Outcome::Answered(answer) => (answer, None),
        Outcome::Late(answer, delay) => {
            tokio::time::sleep(delay).await;
            (answer, None)
        }
        Outcome::Befallen(answer, trouble) => (answer, Some(trouble)),
    };
    if let Some(trouble) = trouble {
        let answered = Answered {
            status: answer.status,
            content_type: CONTENT_TYPE,
            body: answer.body.to_string(),
        };
        return befalls.befall(trouble, answered).await;
    }
    let response = Response::builder()
        .status(answer.status)
        .header("content-type", CONTENT_TYPE)
        .body(Full::from(answer.body.to_string()));
    Ok(response.expect("a response"))
}

fn hold(world: &Shared, request: &Recorded) -> Option<Hold> {
    let world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.holds.iter().find(|hold| hold.takes(request)).cloned()
}

async fn recorded(request: Request<Incoming>) -> Recorded {
    let (parts, body) = request.into_parts();
    let user_agent = parts.headers.get("user-agent");
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    let of_run = |name| user_agent.and_then(|value| word(value, name));
    let (call, command) = (of_run("invocation-id/"), of_run("command/"));
    let bytes = body.collect().await.map(|body| body.to_bytes());
    let target = parts.uri.path_and_query();
    Recorded {
        method: parts.method.to_string(),
        host: parts.uri.host().unwrap_or_default().to_owned(),
        target: target.map_or_else(String::new, ToString::to_string),
        is_authorised: parts
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            == Some(gcloud::TOKEN),
        body: serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or(Value::Null),
        call,
        command,
    }
}

/// `… command/gcloud.run.services.describe invocation-id/1a2b …`
fn word(user_agent: &str, name: &str) -> Option<String> {
    let mut words = user_agent.split(' ');
    words.find_map(|word| Some(word.strip_prefix(name)?.to_owned()))
}

/// What comes of a request.
enum Outcome {
    Answered(Answer),
    Late(Answer, Duration),
    /// It is answered, and this happens on the way.
    Befallen(Answer, Trouble),
}

/// Answers, with what goes wrong meanwhile.
fn answer(world: &mut World, request: &Recorded) -> Outcome {
    let effect = faults::take(&mut world.faults, &request.method, &request.target);
    world.requests.push(request.clone());
    world.strikes += usize::from(effect.is_some());
    match effect {
        Some(Effect::Unavailable) => return Outcome::Answered(Answer::unavailable()),
        Some(Effect::LoggedOut) => return Outcome::Answered(Answer::logged_out()),
        Some(Effect::Conflict) => {
            return Outcome::Answered(Answer::conflict("It is changed at the same time."));
        }
        Some(Effect::Strays) => {
            world.strays.push(request.clone());
            let trouble = Trouble::Closed(Reached::Nothing);
            return Outcome::Befallen(Answer::unavailable(), trouble);
        }
        Some(Effect::Network(trouble)) if !trouble.reaches_server() => {
            return Outcome::Befallen(Answer::unavailable(), trouble);
        }
        Some(Effect::ChangedMeanwhile) => world.run.change_all(),
        _ => {}
    }
    let mut answer = route(world, request);
    match effect {
        Some(Effect::AnswerLost) => answer = Answer::unavailable(),
        Some(Effect::Late(delay)) => return Outcome::Late(answer, delay),
        Some(Effect::Away) => {
            world.faults = faults::of_everything();
            return Outcome::Befallen(answer, Trouble::Closed(Reached::Server));
        }
        Some(Effect::Network(trouble)) => return Outcome::Befallen(answer, trouble),
        Some(Effect::Unconfirmed) => {
            answer.body["clientSpecifiedPayloadChecksum"] = json!(false);
        }
        _ => {}
    }
    Outcome::Answered(answer)
}

/// Carries out a request.
pub(super) fn route(world: &mut World, request: &Recorded) -> Answer {
    if request.host == TOKENS {
        let token = gcloud::TOKEN;
        // So short that each run of `gcloud` asks for another.
        let answer = json!({"access_token": token, "expires_in": 60, "token_type": "Bearer"});
        return Answer::ok(answer);
    }
    if !request.is_authorised {
        return Answer::unauthenticated();
    }
    if request.path().ends_with(policies::METHOD) {
        return policies::handle(world, request);
    }
    let (permission, handle): (_, fn(&mut World, &Recorded) -> Answer) = match request.host.as_str()
    {
        "secretmanager.test" => (secrets::permission(request), secrets::handle),
        "run.test" if policy::is_meant(request) => (policy::permission(request), policy::handle),
        "us-central1-run.test" => (run::permission(request), run::handle),
        "sql.test" => (sql::permission(request), sql::handle),
        _ => return Answer::not_found("no such host"),
    };
    if world.is_denied(permission, request.path()) {
        return Answer::denied(permission);
    }
    handle(world, request)
}

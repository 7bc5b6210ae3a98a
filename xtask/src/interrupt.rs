//! Ctrl-C and SIGTERM: the first asks to stop, the second leaves at once.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit_code;
use crate::printer::Printer;

/// A signal so soon after the first belongs to it: `timeout`, for one, signals the
/// process and then its whole group.
const SAME_REQUEST: Duration = Duration::from_millis(300);

/// Begins to listen. The token is cancelled by the first signal.
///
/// SIGHUP keeps its default: `nohup` has to work, and a database rolls back what
/// a process that is gone didn't commit.
pub(crate) fn listen() -> io::Result<CancellationToken> {
    let interrupt = CancellationToken::new();
    let ctrl_c = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    tokio::spawn(pass_on(ctrl_c, terminate, interrupt.clone()));
    Ok(interrupt)
}

async fn pass_on(mut ctrl_c: Signal, mut terminate: Signal, interrupt: CancellationToken) {
    let printer = Printer::default();
    either(&mut ctrl_c, &mut terminate).await;
    printer.line_over_bar("stopping; a second Ctrl-C leaves at once");
    interrupt.cancel();
    let repeated = Instant::now() + SAME_REQUEST;
    loop {
        either(&mut ctrl_c, &mut terminate).await;
        if Instant::now() >= repeated {
            break;
        }
    }
    printer.line_over_bar("leaving: the database rolls back by itself what was not committed");
    std::process::exit(i32::from(exit_code::STOPPED));
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

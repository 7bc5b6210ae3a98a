//! Ctrl-C and SIGTERM: the first asks to stop, the second leaves at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use platform::google_cloud::SqlProxy;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit_code;
use crate::output::Printer;

/// Whether a commit was sent: from then on nobody knows by leaving what became of it.
static COMMITTING: AtomicBool = AtomicBool::new(false);

/// Whether a run with a journal is under way: that knows more than this process.
static RUN_IS_UNDER_WAY: AtomicBool = AtomicBool::new(false);

/// A signal so soon after the first belongs to it: `timeout`, for one, signals the
/// process and then its whole group.
const SAME_REQUEST: Duration = Duration::from_millis(300);

/// To be called when a run with a journal is carried on.
pub(crate) fn run_begins() {
    RUN_IS_UNDER_WAY.store(true, Ordering::Relaxed);
}

/// To be called when a commit is about to be sent.
pub(crate) fn commit_begins() {
    COMMITTING.store(true, Ordering::Relaxed);
}

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
    let until = if RUN_IS_UNDER_WAY.load(Ordering::Relaxed) {
        "; this step is let end, and then `resume` goes on or `rollback` undoes the run"
    } else {
        ""
    };
    printer.line_over_bar(&format!("stopping; a second Ctrl-C leaves at once{until}"));
    interrupt.cancel();
    let repeated = Instant::now() + SAME_REQUEST;
    loop {
        either(&mut ctrl_c, &mut terminate).await;
        if Instant::now() >= repeated {
            break;
        }
    }
    let (words, exit_code) = if RUN_IS_UNDER_WAY.load(Ordering::Relaxed) {
        let words = "leaving: `cargo xtask status` shows where the run stands and how to go on";
        (words, exit_code::STOPPED)
    } else if COMMITTING.load(Ordering::Relaxed) {
        let words = "leaving in the middle of the commit: `cargo xtask survey-dcr` shows under which key the \
                     table is, all of it; running `rotate-dcr` again is safe either way";
        (words, exit_code::CHANGE_FAILED)
    } else {
        let words = "leaving: the database rolls back by itself what was not committed";
        (words, exit_code::STOPPED)
    };
    printer.line_over_bar(words);
    SqlProxy::end_all();
    std::process::exit(i32::from(exit_code));
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

//! The runtime on which servers, proxies and connections live: it outlasts every test's own.
use std::io::Write as _;
use std::panic::resume_unwind;
use std::sync::{Mutex, Once, OnceLock, PoisonError, mpsc};
use std::thread;

use tokio::runtime::{Builder, Runtime};

type ExitTask = Box<dyn FnOnce() + Send>;

static EXIT_TASKS: Mutex<Vec<ExitTask>> = Mutex::new(Vec::new());

/// The harness's runtime, started at first use and never stopped.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("test-harness")
            .enable_all()
            .build()
            .expect("no runtime for the test harness")
    })
}

/// Starts a task that goes on when the test that started it has ended.
pub(crate) fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    runtime().spawn(future)
}

/// Runs a future on the harness's runtime, so that the sockets it opens belong there.
pub(crate) async fn run<F>(future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    match spawn(future).await {
        Ok(output) => output,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// Waits for a future from any thread, whether or not it belongs to some runtime.
pub(crate) fn block_on<F>(future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    // Not `Runtime::block_on`, which panics on a thread of another runtime.
    let (sender, receiver) = mpsc::channel();
    spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv().expect("the harness's task panicked")
}

/// Has a task run when the process exits, the last registered first.
pub(crate) fn at_exit(task: impl FnOnce() + Send + 'static) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register_exit_hook);
    EXIT_TASKS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Box::new(task));
}

#[expect(
    unsafe_code,
    reason = "statics are never dropped, and Rust has no exit hook of its own"
)]
fn register_exit_hook() {
    // SAFETY: the hook is a function of the signature `atexit` asks for, it never
    // unwinds, and this binary, which holds it, is not unloaded before the exit.
    unsafe { libc::atexit(run_exit_tasks) };
}

extern "C" fn run_exit_tasks() {
    let tasks = std::mem::take(&mut *EXIT_TASKS.lock().unwrap_or_else(PoisonError::into_inner));
    // A thread of its own: this one's thread-locals are gone, and a panic there
    // doesn't reach C.
    let _ = thread::Builder::new()
        .spawn(|| {
            for task in tasks.into_iter().rev() {
                task();
            }
        })
        .map(thread::JoinHandle::join);
}

/// Says a line that the test runner doesn't hold back.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

//! What a program has in its memory when it is over: a core that is taken on purpose.
//!
//! A process stops for its tracer when it is about to end, with all its memory, after it
//! has dropped what it drops. [`write_at_exit`] is that tracer, a program of its own
//! (`src/bin/memory-at-exit.rs`), since what a test itself waits for would get in the way.
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::ExitCode;

use crate::command::command;

const NOT_WRITTEN: u8 = 125;

/// What has happened to the program.
enum Event {
    Ended(u8),
    /// It is about to.
    Ends,
    /// It stopped for a signal, which it is to get; for its start there is none.
    Stopped(Option<i32>),
}

/// Runs the program of the second argument with those that follow, and writes to the file
/// of the first one what the program has in its memory when it ends.
///
/// Gives the program's exit code, or 125 where its memory couldn't be written.
pub fn write_at_exit() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(NOT_WRITTEN);
    };
    let ended = run(Path::new(&file), program, arguments);
    ExitCode::from(ended.unwrap_or(NOT_WRITTEN))
}

fn run(
    file: &Path,
    program: OsString,
    arguments: impl Iterator<Item = OsString>,
) -> io::Result<u8> {
    let mut command = command(program);
    command.args(arguments);
    trace(&mut command);
    let pid = i32::try_from(command.spawn()?.id()).map_err(io::Error::other)?;
    let mut has_started = false;
    loop {
        let signal = match wait(pid)? {
            Event::Ended(code) => return Ok(code),
            Event::Ends => {
                write_memory(pid, file)?;
                None
            }
            Event::Stopped(_) if !has_started => {
                has_started = true;
                stop_at_exit(pid)?;
                None
            }
            Event::Stopped(signal) => signal,
        };
        go_on(pid, signal)?;
    }
}

#[expect(unsafe_code, reason = "the standard library traces no process")]
fn trace(command: &mut std::process::Command) {
    // SAFETY: between fork and exec the child makes one system call, which neither
    // allocates nor takes a lock, and reads `errno`.
    unsafe {
        command.pre_exec(
            || match libc::ptrace(libc::PTRACE_TRACEME, 0, NOTHING, NOTHING) {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            },
        );
    }
}

const NOTHING: *mut libc::c_void = std::ptr::null_mut();

#[expect(unsafe_code, reason = "the standard library traces no process")]
fn stop_at_exit(pid: i32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACEEXIT as usize as *mut libc::c_void;
    // SAFETY: the child of this pid is traced by this thread and stopped, and no memory of
    // this process is handed over.
    match unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, NOTHING, options) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[expect(unsafe_code, reason = "the standard library traces no process")]
fn go_on(pid: i32, signal: Option<i32>) -> io::Result<()> {
    let signal = signal.unwrap_or(0) as usize as *mut libc::c_void;
    // SAFETY: as in `stop_at_exit`.
    match unsafe { libc::ptrace(libc::PTRACE_CONT, pid, NOTHING, signal) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library doesn't tell why a child stopped"
)]
fn wait(pid: i32) -> io::Result<Event> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    if unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    if libc::WIFEXITED(status) {
        return Ok(Event::Ended(byte(libc::WEXITSTATUS(status))));
    }
    if libc::WIFSIGNALED(status) {
        return Ok(Event::Ended(byte(128 + libc::WTERMSIG(status))));
    }
    match status >> 16 {
        libc::PTRACE_EVENT_EXIT => Ok(Event::Ends),
        _ => Ok(Event::Stopped(Some(libc::WSTOPSIG(status)))),
    }
}

/// Writes what can be written to by the process: its heap, its stacks, its statics, and
/// where the environment and the arguments are.
fn write_memory(pid: i32, file: &Path) -> io::Result<()> {
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut out = File::create(file)?;
    for line in fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let hexadecimal = |text| u64::from_str_radix(text, 16).map_err(io::Error::other);
        let (start, end) = range.split_once('-').unwrap_or(("0", "0"));
        let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
        if !rights.starts_with("rw") {
            continue;
        }
        memory.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        // A part that nobody can read, such as one of the kernel's own, is none of the
        // program's.
        if (&memory).take(end - start).read_to_end(&mut part).is_ok() {
            out.write_all(&part)?;
        }
    }
    Ok(())
}

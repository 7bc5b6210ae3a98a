//! Asking a person, with or without what is typed being shown.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// The longest text that is read: far more than a key.
const LONGEST_TEXT_BYTES: usize = 4096;

/// A terminal with, presumably, somebody before it.
///
/// Written here, not taken from a library: those read through buffers that are
/// not wiped, and leave the echo off when Ctrl-C ends them.
pub(crate) struct Terminal {
    device: File,
}

/// What somebody typed in answer.
pub(crate) enum Answer {
    /// A line, without its end.
    Line(Zeroizing<Vec<u8>>),
    /// The end of the input, or a signal.
    None,
}

impl Terminal {
    /// Nobody is there unless both standard input and standard error are
    /// terminals. Where standard input brings a key, the terminal behind it is
    /// looked for.
    pub(crate) fn find(standard_input_is_used: bool) -> Option<Terminal> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let device = if io::stdin().is_terminal() {
            File::from(io::stdin().as_fd().try_clone_to_owned().ok()?)
        } else if standard_input_is_used {
            File::open("/dev/tty").ok()?
        } else {
            return None;
        };
        Some(Terminal { device })
    }

    /// Asks; the answer shows as it is typed.
    pub(crate) fn ask(&self, question: &str, interrupt: &CancellationToken) -> io::Result<Answer> {
        show(&format!("{question} "));
        let answer = self.read_line(interrupt)?;
        if matches!(answer, Answer::None) && !interrupt.is_cancelled() {
            // Nobody ended the line.
            show("\n");
        }
        Ok(answer)
    }

    /// Asks; the answer doesn't show.
    pub(crate) fn ask_hidden(
        &self,
        question: &str,
        interrupt: &CancellationToken,
    ) -> io::Result<Answer> {
        let _echo_off = EchoOff::new(self.device.as_fd())?;
        self.ask(question, interrupt)
    }

    fn read_line(&self, interrupt: &CancellationToken) -> io::Result<Answer> {
        let mut line = Zeroizing::new(vec![0; LONGEST_TEXT_BYTES]);
        if !wait_until_readable(self.device.as_fd(), interrupt)? {
            return Ok(Answer::None);
        }
        // The terminal gives whole lines.
        match (&self.device).read(&mut line)? {
            0 => Ok(Answer::None),
            length => {
                line.truncate(length);
                while line
                    .last()
                    .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
                {
                    line.pop();
                }
                Ok(Answer::Line(line))
            }
        }
    }
}

/// All of `from`, up to a length that no key has, in a buffer that is wiped.
/// `None` when a signal came first.
#[expect(
    clippy::indexing_slicing,
    reason = "no more is read than there is room"
)]
pub(crate) fn read_secret(
    from: &File,
    interrupt: &CancellationToken,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Of full length from the start: a buffer that grew would leave copies behind.
    let mut text = Zeroizing::new(vec![0; LONGEST_TEXT_BYTES]);
    let mut length = 0;
    loop {
        if !wait_until_readable(from.as_fd(), interrupt)? {
            return Ok(None);
        }
        let mut from = from;
        match from.read(&mut text[length..]) {
            Ok(0) if length == LONGEST_TEXT_BYTES => {
                let message =
                    format!("it is longer than any key, {LONGEST_TEXT_BYTES} bytes or more");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(length);
    Ok(Some(text))
}

fn show(text: &str) {
    // Where it can't be shown, the answer will be missing and say enough.
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// Waits without being deaf to a signal, which a plain read would be: its
/// handler only cancels `interrupt`. False when that happened.
fn wait_until_readable(device: BorrowedFd<'_>, interrupt: &CancellationToken) -> io::Result<bool> {
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };
    while !interrupt.is_cancelled() {
        let mut waited_for = [PollFd::new(&device, PollFlags::IN)];
        match poll(&mut waited_for, Some(&pause)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// While this lives, the terminal shows of what is typed only the line's end.
struct EchoOff<'a> {
    device: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> EchoOff<'a> {
    fn new(device: BorrowedFd<'a>) -> io::Result<EchoOff<'a>> {
        let before = tcgetattr(device)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden
            .local_modes
            .insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(device, OptionalActions::Flush, &hidden)?;
        Ok(EchoOff { device, before })
    }
}

impl Drop for EchoOff<'_> {
    fn drop(&mut self) {
        // Nothing else could be done about a terminal that went away.
        let _ = tcsetattr(self.device, OptionalActions::Flush, &self.before);
    }
}

//! The exit codes, which scripts rely on.

/// Makes a constant of each code, and the list of them all, so that none is left out of
/// the help and of docs/exit-codes.md.
macro_rules! exit_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal: $meaning:literal;)+) => {
        $($(#[doc = $doc])+ pub(crate) const $name: u8 = $code;)+

        /// Every code with what it means for whatever command.
        pub(crate) const ALL: &[(u8, &str)] = &[$(($code, $meaning)),+];
    };
}

exit_codes! {
    /// It is done. A survey: every token could be read.
    DONE = 0: "done, or nothing to do";
    /// A check failed before anything was changed, or on a dry run. A survey: a
    /// token could not be read, or there was no counting at all.
    CHECK_FAILED = 1: "a check failed before anything was changed, or on a dry run";
    /// It failed while changing something; the message says what state things are in.
    CHANGE_FAILED = 2: "failed while changing; the message says what state things are in";
    /// Stopped on purpose: by a signal, by an answer other than yes, or to wait. A run
    /// on a platform goes on with `resume`; without one nothing was changed.
    STOPPED = 3: "stopped on purpose, interrupted or waiting; `cargo xtask resume` goes on";
    /// It failed and was undone.
    UNDONE = 4: "failed and undone";
    /// An undo failed: a person must look.
    STUCK = 5: "stuck: an undo failed, a person must look";
    /// Wrong usage. Not clap's own 2, which scripts would take for [`CHANGE_FAILED`].
    USAGE = 64: "wrong usage";
}

//! The exit codes, which scripts rely on.

/// It is done. A survey: every token could be read.
pub(crate) const DONE: u8 = 0;

/// A check failed before anything was changed, or on a dry run. A survey: a
/// token could not be read, or there was no counting at all.
pub(crate) const CHECK_FAILED: u8 = 1;

/// It failed while changing something; the message says what state things are in.
pub(crate) const CHANGE_FAILED: u8 = 2;

/// Stopped on purpose: by a signal, by an answer other than yes, or to wait. A run
/// on a platform goes on with `resume`; without one nothing was changed.
pub(crate) const STOPPED: u8 = 3;

/// It failed and was undone.
pub(crate) const UNDONE: u8 = 4;

/// An undo failed: a person must look.
pub(crate) const STUCK: u8 = 5;

/// Wrong usage. Not clap's own 2, which scripts would take for [`CHANGE_FAILED`].
pub(crate) const USAGE: u8 = 64;

//! What whoever works on this repository can type.

use clap::Args;

/// Check that the repository keeps its own rules
///
/// Which crate may depend on which, under which licences dependencies are, and whether the documents that
/// are rendered from the code (docs/cli.md, docs/exit-codes.md, docs/runbook.md, docs/troubleshooting.md)
/// are what it says now.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask tidy
    cargo xtask tidy --fix")]
pub(crate) struct Tidy {
    /// Write those documents anew
    #[arg(long)]
    pub(crate) fix: bool,
}

/// Strike many rotations, and see that each comes to its end
///
/// For whoever works on this repository: it runs the part of its tests that kills the tool, its
/// children, the database server and its sessions, and fills the disk, at any moment of every
/// rotation on both platforms. After each it types what `status` says, until the run is at its end,
/// and looks that no key is lost and every token can be read. The tests run 100 cases; this command
/// as many as there is time for. It needs what the tests need, and nothing of an installation.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # as many as there is time for
    cargo xtask soak --runs 10000

    # one of them again
    cargo xtask soak --seed 7 --case 12

    # as root on Linux
    cargo xtask soak --power-cuts --runs 100")]
pub(crate) struct Soak {
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) runs: u32,
    /// What the cases follow from [default: another one each time, which is printed]
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// The only one of the cases to go through
    #[arg(long, value_name = "NUMBER", requires = "seed")]
    pub(crate) case: Option<u32>,
    /// Cut the power instead of all that: what was not synced to the disk is gone. For Linux, and
    /// for root, who can mount a disk that is a file
    #[arg(long)]
    pub(crate) power_cuts: bool,
}

//! The commands of the documents that no test runs as they stand there.

const IT_IS_THE_SUITE: &str = "it is the suite that this test belongs to";
const HOURS: &str = "takes hours; `soak` goes through a hundred cases of the same";
const A_TOOL_AND_HOURS: &str =
    "needs a tool that the tests don't, and goes through the suite again";
const A_SERVER_THAT_STAYS: &str = "starts a server that outlives the test";
const OF_THAT_SHELL: &str = "is for the shell that the next command is typed in";
const NIGHTLY: &str = "needs a nightly compiler, and cargo-fuzz";

/// The document, the command, and why it is not run.
pub(super) const NOT_RUN: [(&str, &str, &str); 24] = [
    ("README.md", "cargo test --workspace", IT_IS_THE_SUITE),
    (
        "docs/release-engineer.md",
        "gcloud auth login",
        "opens a browser, and needs an account",
    ),
    (
        "docs/benchmark.md",
        "docker run --detach --name bench-postgres --publish 127.0.0.1:5434:5432 --env POSTGRES_PASSWORD=bench postgres:17-alpine",
        A_SERVER_THAT_STAYS,
    ),
    (
        "docs/benchmark.md",
        "export BENCH_DATABASE_URL=postgresql://postgres:bench@127.0.0.1:5434/postgres",
        OF_THAT_SHELL,
    ),
    (
        "docs/benchmark.md",
        "cargo bench --package integration-tests -- --rows 100000",
        "takes minutes, and a machine with nothing else to do",
    ),
    (
        "tests/README.md",
        "cargo test --package integration-tests",
        IT_IS_THE_SUITE,
    ),
    ("tests/README.md", "tests/every-postgres", IT_IS_THE_SUITE),
    (
        "tests/README.md",
        "tests/every-postgres --skip soak:: --skip rotation::",
        IT_IS_THE_SUITE,
    ),
    (
        "tests/README.md",
        "POSTGRES_BINARIES=~/postgres MAJORS='14 18' tests/every-postgres roles::",
        IT_IS_THE_SUITE,
    ),
    (
        "tests/README.md",
        "cargo mutants --package secret --package runbook",
        A_TOOL_AND_HOURS,
    ),
    (
        "tests/README.md",
        "cargo mutants --package reencrypt --test-package reencrypt --test-package integration-tests \\\n    -- -- tests:: behaviour:: faults::",
        A_TOOL_AND_HOURS,
    ),
    (
        "tests/README.md",
        "cargo mutants --package rotation --test-package rotation --test-package integration-tests \\\n    -- -- tests:: procedure:: secrets:: rotation::",
        A_TOOL_AND_HOURS,
    ),
    (
        "tests/README.md",
        "export LLVM_COV=llvm-cov-22 LLVM_PROFDATA=llvm-profdata-22",
        OF_THAT_SHELL,
    ),
    (
        "tests/README.md",
        "export LLVM_PROFILE_FILE_NAME=%8m.profraw",
        OF_THAT_SHELL,
    ),
    (
        "tests/README.md",
        "cargo llvm-cov --workspace --summary-only",
        A_TOOL_AND_HOURS,
    ),
    ("tests/README.md", "cargo xtask soak --runs 1000", HOURS),
    (
        "tests/README.md",
        "cargo xtask soak --seed 7 --case 12",
        HOURS,
    ),
    (
        "tests/README.md",
        "cargo xtask soak --power-cuts --runs 100",
        HOURS,
    ),
    (
        "tests/README.md",
        "docker run --detach --name test-postgres --publish 127.0.0.1:5433:5432 --tmpfs /memory \\\n    --env PGDATA=/memory/data --env POSTGRES_PASSWORD=test --env TZ=UTC \\\n    postgres:17-alpine -c fsync=off",
        A_SERVER_THAT_STAYS,
    ),
    (
        "tests/README.md",
        "export TEST_DATABASE_URL=postgresql://postgres:test@127.0.0.1:5433/postgres",
        OF_THAT_SHELL,
    ),
    (
        "tests/fuzz/README.md",
        "rustup toolchain install nightly && cargo install cargo-fuzz",
        "installs programs on this machine",
    ),
    ("tests/fuzz/README.md", "tests/fuzz/run token", NIGHTLY),
    ("tests/fuzz/README.md", "cd tests/fuzz", OF_THAT_SHELL),
    (
        "tests/fuzz/README.md",
        "cargo +nightly fuzz run --fuzz-dir . --sanitizer none token corpus/token found/token -- -merge=1 -use_counters=0",
        NIGHTLY,
    ),
];

/// Commands that ask a person for a value, who isn't there: they end with 3, and wait for it.
pub(super) const ASKS_A_PERSON: [(&str, &str); 2] = [
    (
        "docs/developer.md",
        "cargo xtask rotate-secret red-hat-sso-client-secret",
    ),
    (
        "xtask/README.md",
        "cargo xtask rotate-secret gma-client-secret",
    ),
];

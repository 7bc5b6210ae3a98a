//! `gcloud` for the tests: see `src/google/loaded.rs`.
fn main() -> std::process::ExitCode {
    integration_tests::google::run_loaded_gcloud()
}

#![no_main]

libfuzzer_sys::fuzz_target!(
    |input: &[u8]| platform::google_cloud::properties::gcloud_answers(input)
);

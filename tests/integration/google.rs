//! The platform `google-cloud`: the contract, and faults, by the real `gcloud`.
mod backups;
mod callers;
mod client_secrets;
mod database_urls;
pub(crate) mod doctor;
mod faults;
mod foretold;
mod given_back;
mod hand_procedure;
pub(crate) mod installation;
mod lab;
mod loaded;
mod memory;
mod network;
mod network_operations;
mod rotation;
mod services;
mod sql_proxy;
mod sql_proxy_lost;
mod stand_in;
mod status;
mod store;
mod under_load;
mod wall_time;
mod watch;

use std::path::Path;

use integration_tests::{contract, google};

use self::lab::{INSTALLED, Lab, SECRET};

/// Whether there is a `gcloud`.
pub(crate) fn has_gcloud() -> bool {
    google::require_gcloud(Path::new(env!("CARGO_BIN_EXE_gcloud-loaded")))
}

/// Makes a test of each function of a contract.
macro_rules! contract_tests {
    ($contract:ident in $source:literal on $subject:ident { $($function:ident)* }) => {
        mod $contract {
            use super::*;
            $(
                #[tokio::test]
                async fn $function() -> anyhow::Result<()> {
                    let Some(lab) = Lab::new().await? else {
                        return Ok(());
                    };
                    contract::$contract::$function(&$subject!(lab)).await
                }
            )*

            #[test]
            fn no_function_of_the_contract_is_left_out() {
                let source = include_str!($source);
                let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
                let functions: Vec<_> = functions.filter_map(|line| line.split('(').next()).collect();
                assert_eq!(functions, [$(stringify!($function)),*]);
            }
        }
    };
}

macro_rules! empty_store {
    ($lab:ident) => {
        contract::store::Subject {
            store: &*$lab.platform.store,
            secret: lab::EMPTY,
        }
    };
}

macro_rules! service_of_latest {
    ($lab:ident) => {
        contract::services::Subject {
            platform: &$lab.platform,
            service: INSTALLED,
            binding: lab::binding(),
        }
    };
}

macro_rules! backups {
    ($lab:ident) => {
        contract::backups::Subject {
            backups: $lab.platform.backups.as_deref().expect("backups"),
        }
    };
}

mod contracts {
    use super::*;

    contract_tests! {
        store in "../src/contract/store.rs" on empty_store {
            an_unknown_secret_has_no_versions
            every_byte_is_read_back
            a_value_of_64_kib_is_kept
            numbers_begin_at_one_and_grow
            versions_are_told_newest_first
            a_time_of_creation_stays
            latest_is_the_newest_whatever_its_state
            disabling_is_undone_by_enabling
            a_destroyed_version_is_gone_for_ever
            a_number_is_never_used_twice
            an_empty_value_is_refused
            an_unknown_version_is_an_error
            secrets_do_not_mix
            no_error_tells_a_value
        }
    }

    contract_tests! {
        services in "../src/contract/services.rs" on service_of_latest {
            a_service_is_described
            an_unknown_service_is_an_error
            preparing_disturbs_nobody
            preparing_again_gives_the_same_revision
            a_cutover_sends_the_traffic_and_can_be_repeated
            a_pin_survives_a_newer_version
            traffic_can_be_sent_back
            a_revision_of_latest_reads_the_newest
            a_version_that_cannot_be_read_gets_no_revision
            a_discarded_revision_is_gone
            the_serving_revision_is_not_discarded
            the_others_are_discarded_together
            each_binding_is_described_as_it_is_alone
            readers_are_told_until_they_are_discarded
            the_value_of_the_configuration_is_that_of_the_version
        }
    }

    contract_tests! {
        backups in "../src/contract/backups.rs" on backups {
            the_newest_is_the_one_taken_last
            each_has_a_name_and_a_time_of_its_own
            its_time_is_that_of_its_state
        }
    }
}

#[test]
fn the_secret_has_the_name_of_the_installation() {
    assert_eq!(SECRET, lab::binding().secret);
}

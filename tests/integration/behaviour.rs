//! What a re-encryption and a survey do, on both databases, seen through other code.
mod catalogue;
mod cells;
mod fixtures;
mod keys;
mod like_python;
mod locks;
mod only_postgres;
mod only_postgres_access;
mod only_sqlite;
mod regressions;
mod run;
mod runs;
mod tables;
mod triggers;

/// Makes a test of each behaviour on each backend. A behaviour that isn't listed is
/// dead code, which the compiler reports.
macro_rules! on_both_backends {
    ($($file:ident { $($behaviour:ident)* })*) => {
        mod sqlite {
            use crate::subject::Backend;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $behaviour() -> anyhow::Result<()> {
                    super::$file::$behaviour(Backend::Sqlite).await
                }
            )*)*
        }
        mod postgres {
            use crate::subject::Backend;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $behaviour() -> anyhow::Result<()> {
                    super::$file::$behaviour(Backend::Postgres).await
                }
            )*)*
        }
    };
}

on_both_backends! {
    fixtures {
        healthy_tokens_come_back_exactly
        mixed_keys_end_under_the_new_key
        noncanonical_tokens_are_read_and_written_canonical
        unreadable_cells_are_all_named_and_nothing_is_changed
        a_survey_counts_each_fixture_by_key
    }
    runs {
        a_rotation_keeps_plaintexts_times_and_all_other_columns
        a_second_run_writes_nothing_and_says_so
        a_mixed_state_is_repaired_and_current_cells_are_left_alone
        a_rotation_can_be_turned_back
        a_dry_run_verifies_and_changes_nothing
        a_dry_run_with_nothing_to_do_is_still_a_dry_run
        rows_of_several_pages_are_all_rewritten
        an_unreadable_cell_on_the_last_page_undoes_the_pages_before
        an_empty_table_is_a_success_that_says_so
        a_survey_changes_nothing
        a_survey_of_several_pages_counts_every_row
    }
    keys {
        several_old_keys_are_replaced_at_once
        a_key_that_is_missing_stops_the_run
        keys_of_another_database_are_told_apart_from_damaged_cells
    }
    cells {
        odd_order_ids_are_kept
        odd_issue_times_are_kept
        odd_plaintexts_are_kept
        each_kind_of_unreadable_cell_has_its_reason
        unreadable_cells_beside_current_ones_are_not_all
        a_noncanonical_token_under_the_new_key_is_current
    }
    catalogue {
        a_column_named_encrypted_in_another_table_stops_the_run
        a_token_in_a_text_column_of_another_table_stops_the_run
        a_token_in_the_first_column_of_a_table_stops_the_run
        a_token_in_a_column_of_dcr_clients_itself_stops_the_run
        a_known_name_in_another_table_stops_the_run
        a_token_behind_a_thousand_other_texts_is_found
        odd_names_of_tables_and_columns_are_searched
        text_that_only_resembles_a_token_stops_nothing
        an_excluded_column_lets_the_run_go_on_and_stays_as_it_is
        excluding_one_of_two_columns_is_not_enough
        an_exclusion_that_does_not_exist_is_refused
        a_survey_names_unknown_columns_and_goes_on
    }
    tables {
        a_database_without_the_table_is_refused
        a_table_without_one_of_its_columns_is_refused
        a_view_of_that_name_is_refused
        a_column_more_is_kept_as_it_is
    }
    triggers {
        a_trigger_that_swallows_an_update_undoes_the_run
        a_trigger_that_alters_a_written_token_undoes_the_run
        a_trigger_that_puts_the_old_token_back_undoes_the_run
        a_trigger_that_writes_a_good_token_of_another_text_undoes_the_run
        a_trigger_that_changes_an_issue_time_undoes_the_run
        a_trigger_that_alters_another_column_undoes_the_run
        a_trigger_that_exchanges_the_tokens_of_two_rows_undoes_the_run
        a_trigger_that_empties_a_cell_undoes_the_run
        a_trigger_that_deletes_a_row_undoes_the_run
        a_trigger_that_adds_a_row_undoes_the_run
        a_trigger_that_fails_undoes_the_run
        a_trigger_that_only_takes_notes_disturbs_nothing
    }
    locks {
        a_second_run_at_the_same_time_is_refused
        a_writer_who_keeps_the_lock_stops_the_run
        a_writer_who_lets_go_in_time_does_not_stop_the_run
        readers_read_while_a_run_goes_on
        a_run_that_is_interrupted_changes_nothing
        a_run_that_was_interrupted_before_it_began_changes_nothing
    }
}

/// Makes a module with a test for each law and each of its statements, run on the store that the
/// harness opens.
///
/// ```
/// use tenure_core::store::MemoryStore;
/// use tenure_testkit::{StoreHarness, store_suite};
///
/// struct Memory;
///
/// impl StoreHarness for Memory {
///     type Store = MemoryStore;
///
///     async fn open(&self) -> MemoryStore {
///         MemoryStore::new()
///     }
/// }
///
/// store_suite! { memory, Memory }
/// ```
///
/// The tests reach the store as applications do, through [`AnyStore`](tenure_core::store::AnyStore).
/// The harness is an expression, evaluated once in each test, inside of a runtime with several
/// threads. It may be an `Option`: where it is `None`, the test does not run. Attributes before the
/// name go to every test. With [`server::url`](crate::server::url) a test whose server is missing is
/// counted as skipped, and fails in CI:
///
/// ```
/// # use tenure_core::store::MemoryStore as RemoteStore;
/// # use tenure_testkit::{StoreHarness, store_suite};
/// use tenure_testkit::server;
///
/// # struct Remote(String);
/// # impl StoreHarness for Remote {
/// #     type Store = RemoteStore;
/// #     async fn open(&self) -> RemoteStore { RemoteStore::new() }
/// # }
/// store_suite! { remote, server::url("remote").map(Remote) }
/// ```
#[macro_export]
macro_rules! store_suite {
    ($(#[$attribute:meta])* $module:ident, $harness:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "the harness may be written with a full path")]
            use super::*;

            $crate::__each_law! { [$crate::__law_tests] [[$(#[$attribute])*] [$harness]] }
        }
    };
}

/// The names of all tests, given to the macro whose path comes first, after what else it takes.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_law {
    ([$($with:tt)+] $rest:tt) => {
        $($with)+! {
            $rest
            law_01_create_never_overwrites
            law_01_create_replaces_what_has_expired
            law_01_repeated_create_is_created
            law_01_of_parallel_creates_one_wins
            law_01_creation_is_a_commit
            law_02_missing_session_is_gone
            law_02_deleted_session_is_gone
            law_02_expired_session_is_gone
            law_02_wrong_proof_is_gone
            law_02_key_without_proof_only_deletes
            law_02_foreign_id_is_its_own_proof
            law_02_seen_record_creates_nothing
            law_03_apply_is_all_or_nothing
            law_03_apply_changes_what_it_says
            law_03_different_keys_commute
            law_03_commit_takes_effect_once
            law_03_settling_forgets_nothing_else
            law_03_repeated_rotation_is_done
            law_03_repeat_is_done_whatever_came_after
            law_03_repeat_after_delete_is_gone
            law_03_update_runs_on_the_newest_value
            law_03_seen_record_does_not_decide
            law_03_swap_needs_the_revision
            law_03_merging_after_set
            law_03_merging_after_increment
            law_03_merging_after_push
            law_03_merging_after_update
            law_03_merging_after_remove
            law_03_merging_after_clear
            law_03_merging_after_touch
            law_03_merging_after_renewal
            law_03_merging_after_login
            law_03_merging_after_destroy
            law_03_of_parallel_consumptions_one_wins
            law_03_of_processes_one_consumes
            law_03_processes_lose_nothing
            law_03_writers_lose_nothing
            law_04_created_again_is_another
            law_04_deleted_stays_deleted
            law_04_inspection_shows_nothing_that_has_ended
            law_04_logout_is_final
            law_04_logout_is_final_between_tasks
            law_04_logout_is_final_between_processes
            law_05_load_expires_to_the_millisecond
            law_05_apply_expires_to_the_millisecond
            law_05_apply_on_a_seen_record_expires_too
            law_05_swap_expires_to_the_millisecond
            law_05_touch_expires_to_the_millisecond
            law_05_delete_expires_to_the_millisecond
            law_05_create_expires_to_the_millisecond
            law_05_listing_expires_to_the_millisecond
            law_05_inspection_expires_to_the_millisecond
            law_05_touched_deadline_is_exact
            law_05_clock_ahead_ends_nothing
            law_05_skewed_clocks_lose_nothing
            law_06_touch_changes_times_alone
            law_06_touch_moves_only_forward
            law_06_the_end_is_moved_by_commits_alone
            law_06_touch_never_passes_the_absolute_deadline
            law_06_touch_never_passes_the_idle_timeout
            law_06_apply_extends_as_touch_does
            law_06_touch_and_apply_both_take_effect
            law_07_replaced_proof_is_dead_at_once
            law_07_former_proof_only_deletes
            law_07_older_proofs_are_worth_nothing
            law_07_of_two_rotations_one_wins
            law_07_one_secret_works_at_every_instant
            law_07_pending_proof_works_beside_the_present
            law_07_confirmed_proof_retires_the_present
            law_07_replacing_ends_what_is_pending
            law_07_pending_proof_keeps_its_minute
            law_07_of_parallel_renewals_one_is_prepared
            law_07_of_processes_one_rotates
            law_07_inspection_shows_any_secret
            law_08_every_key_is_its_own
            law_08_every_step_takes_every_key
            law_08_values_come_back_byte_for_byte
            law_08_updates_compare_byte_for_byte
            law_08_values_of_a_mebibyte
            law_08_sums_are_exact
            law_08_lists_keep_their_text
            law_08_many_keys
            law_08_every_field_comes_back
            law_09_sweep_deletes_only_what_has_expired
            law_09_sweep_spares_what_was_prolonged
            law_09_sweep_keeps_to_its_limit
            law_09_sweep_tells_how_many
            law_09_swept_sessions_leave_nothing
            law_09_sweep_against_extend
            law_10_sessions_of_a_user_are_listed
            law_10_what_is_listed_is_checked
            law_10_users_are_told_apart
            law_10_revoking_a_user_ends_all
            law_10_revoking_others_keeps_one
            law_10_revoked_under_requests_in_flight
            law_10_index_agrees_with_the_records
            law_10_everybody_is_revoked
            law_11_dropped_create_settles
            law_11_dropped_apply_settles
            law_11_dropped_rotation_settles
            law_11_dropped_swap_settles
            law_11_dropped_touch_settles
            law_11_dropped_load_settles
            law_11_dropped_delete_settles
            law_11_dropped_sweep_settles
            law_11_dropped_revocation_settles
            law_12_namespaces_do_not_share_sessions
            law_12_names_and_ids_do_not_run_together
            law_12_namespaces_do_not_share_users
            law_12_namespaces_do_not_share_epochs
            law_12_inspection_keeps_to_its_namespace
            law_12_sweeping_spares_the_living_elsewhere
            model_matches
        }
    };
}

/// A test function for each name.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    ([$attributes:tt $harness:tt] $($law:ident)*) => {
        $($crate::__law_test! { $attributes $harness $law })*
    };
}

/// One test function.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_test {
    ([$($attribute:tt)*] [$harness:expr] $law:ident) => {
        $($attribute)*
        #[test]
        fn $law() {
            $crate::store::run(
                ::std::concat!(::std::module_path!(), "::", ::std::stringify!($law)),
                || $harness,
                $crate::store::any::laws::$law,
            );
        }
    };
}

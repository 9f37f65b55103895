//! Tests of the suite: each law is broken on purpose, and the test of that law must see it.

mod store;

use tenure_testkit::laws;
use tenure_testkit::store::{Finding, Outcome, StoreHarness, Trial};

use self::store::{Flaw, Flawed};

struct With(Flaw);

impl StoreHarness for With {
    type Store = Flawed;

    async fn open(&self) -> Flawed {
        Flawed::new(self.0)
    }
}

/// The law must hold without the flaw, so that nothing else in the store breaks it.
async fn is_seen_by(flaw: Flaw, law: impl AsyncFn(&Trial<With>) -> Outcome) {
    assert_eq!(law(&Trial::new(With(Flaw::None))).await.unwrap(), Finding::Kept);
    let outcome = law(&Trial::new(With(flaw))).await;
    assert!(outcome.is_err(), "a store with {flaw:?} passed");
}

macro_rules! flaws {
    ($($flaw:ident: $($law:ident)+;)+) => {
        #[allow(non_snake_case, reason = "the tests have the names of the flaws")]
        mod flaw {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $flaw() {
                    $(is_seen_by(Flaw::$flaw, laws::$law).await;)+
                }
            )+
        }
    };
}

flaws! {
    CreateOverwrites: law_01_create_never_overwrites law_01_of_parallel_creates_one_wins;
    CreateForgetsRepeats: law_01_repeated_create_is_created law_11_dropped_create_settles;
    ExpiredDataStays: law_01_create_replaces_what_has_expired;
    ApplyRevives: law_02_seen_record_creates_nothing law_04_deleted_stays_deleted law_04_logout_is_final law_04_logout_is_final_between_tasks;
    TouchRevives: law_04_logout_is_final;
    RevisionsComeBack: law_04_created_again_is_another;
    ProofIsNotAsked: law_02_wrong_proof_is_gone law_02_key_without_proof_only_deletes law_07_replaced_proof_is_dead_at_once;
    CommitIdsAreForgotten: law_03_commit_takes_effect_once law_03_settling_forgets_nothing_else law_11_dropped_apply_settles model_matches;
    EightCommitIdsAreKept: law_03_commit_takes_effect_once;
    SettlingForgetsAll: law_03_settling_forgets_nothing_else;
    StepsComeFirst: law_03_repeat_is_done_whatever_came_after;
    SeenRecordDecides: law_03_seen_record_does_not_decide;
    SwapIgnoresRevision: law_03_swap_needs_the_revision;
    UserIsForgotten: law_03_apply_changes_what_it_says law_10_sessions_of_a_user_are_listed model_matches;
    ClientIsForgotten: law_08_every_field_comes_back;
    LastWriterWins: law_03_different_keys_commute law_03_writers_lose_nothing law_03_merging_after_set model_matches;
    RefusalIsPartial: law_03_apply_is_all_or_nothing model_matches;
    UpdateIsBlind: law_03_update_runs_on_the_newest_value law_03_writers_lose_nothing law_03_merging_after_update;
    DeadlineIsAlive: law_05_load_expires_to_the_millisecond law_05_apply_expires_to_the_millisecond law_05_swap_expires_to_the_millisecond law_05_touch_expires_to_the_millisecond law_05_delete_expires_to_the_millisecond law_05_create_expires_to_the_millisecond law_05_listing_expires_to_the_millisecond law_05_inspection_expires_to_the_millisecond law_02_expired_session_is_gone;
    ReadDeletesExpired: law_05_clock_ahead_ends_nothing;
    TouchMovesBack: law_06_touch_moves_only_forward law_06_apply_extends_as_touch_does model_matches;
    TouchPassesAbsolute: law_06_touch_never_passes_the_absolute_deadline law_06_touch_never_passes_the_idle_timeout;
    TouchOverwrites: law_06_touch_and_apply_both_take_effect;
    FormerProofWorks: law_07_replaced_proof_is_dead_at_once law_07_of_two_rotations_one_wins law_07_one_secret_works_at_every_instant law_03_merging_after_login law_11_dropped_rotation_settles;
    FormerProofDeletesForever: law_07_former_proof_only_deletes;
    PendingIsReplaced: law_07_pending_proof_keeps_its_minute law_07_of_parallel_renewals_one_is_prepared;
    KeysAreFolded: law_08_every_key_is_its_own;
    NumbersAreRounded: law_08_values_come_back_byte_for_byte law_08_sums_are_exact model_matches;
    EmptyListsAreObjects: law_08_values_come_back_byte_for_byte law_08_lists_keep_their_text model_matches;
    SweepTakesTheLiving: law_09_sweep_deletes_only_what_has_expired;
    SweepIgnoresLimit: law_09_sweep_keeps_to_its_limit law_09_sweep_tells_how_many;
    SweepMiscounts: law_09_sweep_tells_how_many;
    IndexIsNotChecked: law_10_what_is_listed_is_checked law_05_listing_expires_to_the_millisecond;
    InspectionAsksTheProof: law_07_inspection_shows_any_secret law_05_inspection_expires_to_the_millisecond;
    InspectionIsOld: law_04_inspection_shows_nothing_that_has_ended law_07_inspection_shows_any_secret;
    RevokeForgetsOne: law_10_revoking_a_user_ends_all law_10_users_are_told_apart;
    DropTears: law_11_dropped_apply_settles;
    NamespacesAreOne: law_12_namespaces_do_not_share_sessions law_12_inspection_keeps_to_its_namespace;
    NamesRunTogether: law_12_names_and_ids_do_not_run_together;
}

/// Makes a module with a test for each fault, run on the store and the server of the
/// [harness](crate::faults::FaultHarness).
///
/// The harness is an expression, evaluated once in each test. Each test adds its result as a line
/// to the file that the environment variable `TENURE_TEST_FAULTS` names, if it is set: the store, the
/// fault and what was seen, separated by tabs. A fault that the harness declares impossible passes,
/// and says so there and on standard error.
///
/// See [`FaultHarness`](crate::faults::FaultHarness) for an example.
#[macro_export]
macro_rules! fault_suite {
    ($(#[$attribute:meta])* $module:ident, $harness:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "the harness may be written with a full path")]
            use super::*;

            $crate::__fault_tests! {
                [$(#[$attribute])*] [$harness]
                fault_refused Refused
                fault_black_hole BlackHole
                fault_slow Slow
                fault_reset_mid_reply ResetMidReply
                fault_ack_lost AckLost
                fault_stall Stall
                fault_restart Restart
                fault_restart_without_data RestartWithoutData
                fault_killed_during_commits KilledDuringCommits
                fault_failover Failover
            }
        }
    };
}

/// A test function for each fault.
#[doc(hidden)]
#[macro_export]
macro_rules! __fault_tests {
    ($attributes:tt $harness:tt $($test:ident $fault:ident)*) => {
        $($crate::__fault_test! { $attributes $harness $test $fault })*
    };
}

/// One test function.
#[doc(hidden)]
#[macro_export]
macro_rules! __fault_test {
    ([$($attribute:tt)*] [$harness:expr] $test:ident $fault:ident) => {
        $($attribute)*
        #[test]
        fn $test() {
            $crate::faults::run(
                ::std::stringify!($test),
                $crate::faults::ServerFault::$fault,
                $harness,
            );
        }
    };
}

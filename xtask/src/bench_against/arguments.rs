use std::time::Duration;

use crate::{Result, number};

#[derive(Debug, PartialEq)]
pub(super) struct Arguments {
    pub(super) commit: String,
    pub(super) runs: u32,
    /// How long each route is asked in a run.
    pub(super) time: Duration,
    /// In percent.
    pub(super) within: f64,
}

impl Arguments {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self> {
        let (mut commit, mut runs, mut seconds, mut within) = (None, 10, 5, 3.0);
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            match argument {
                "--runs" => runs = number(argument, rest.next())?,
                "--seconds" => seconds = number(argument, rest.next())?,
                "--within" => within = number(argument, rest.next())?,
                _ if argument.starts_with('-') || commit.is_some() => {
                    return Err(format!(
                        "`{argument}` is not understood: a commit is expected, and --runs, \
                         --seconds or --within with a number"
                    ));
                }
                _ => commit = Some(argument.to_owned()),
            }
        }
        let commit = commit.ok_or("a commit is expected, such as `main`")?;
        if runs == 0 || seconds == 0 {
            return Err("at least one run of one second is needed".into());
        }
        Ok(Self { commit, runs, time: Duration::from_secs(seconds), within })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_runs_of_five_seconds_unless_said_otherwise() {
        let all = Arguments::parse(&["main"]).expect("understood");
        assert_eq!((all.runs, all.time, all.within), (10, Duration::from_secs(5), 3.0));
        let short = ["--runs", "2", "main", "--seconds", "1", "--within", "7.5"];
        let short = Arguments::parse(&short).expect("understood");
        let expected = Duration::from_secs(1);
        let commit = "main".to_owned();
        assert_eq!(short, Arguments { commit, runs: 2, time: expected, within: 7.5 });
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (arguments, named) in [
            (&[][..], "a commit"),
            (&["main", "other"], "`other`"),
            (&["--fast", "main"], "`--fast`"),
            (&["main", "--runs"], "--runs needs"),
            (&["main", "--seconds", "soon"], "--seconds needs"),
            (&["main", "--runs", "0"], "at least one"),
        ] {
            let error = Arguments::parse(arguments).unwrap_err();
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}

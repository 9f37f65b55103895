use std::path::PathBuf;
use std::time::Duration;

use crate::{Result, number};

#[derive(Debug, PartialEq)]
pub(super) struct Arguments {
    /// All of them if none is named.
    pub(super) targets: Vec<String>,
    /// How long each is fuzzed.
    pub(super) time: Duration,
    /// From where chance begins; zero is somewhere else each time.
    pub(super) seed: u32,
    /// The one input that is tried instead.
    pub(super) input: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self> {
        let (mut targets, mut seconds, mut seed, mut input) = (Vec::new(), 60, 0, None);
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            match argument {
                "--seconds" => seconds = number(argument, rest.next())?,
                "--seed" => seed = number(argument, rest.next())?,
                "--input" => {
                    let file = rest.next().ok_or("--input needs a file")?;
                    let file = std::path::absolute(file);
                    input = Some(file.map_err(|error| format!("--input: {error}"))?);
                }
                _ if argument.starts_with('-') => {
                    return Err(format!(
                        "`{argument}` is not understood: names of targets are expected, --seconds \
                         or --seed with a number, or --input with a file"
                    ));
                }
                _ => targets.push(argument.to_owned()),
            }
        }
        if seconds == 0 {
            return Err("--seconds needs one at least".into());
        }
        Ok(Self { targets, time: Duration::from_secs(seconds), seed, input })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_everything_unless_said_otherwise() {
        let all = Arguments::parse(&[]).expect("understood");
        let minute = Duration::from_secs(60);
        assert_eq!(all, Arguments { targets: vec![], time: minute, seed: 0, input: None });
        let some = Arguments::parse(&["a", "--seconds", "5", "b", "--seed", "7"]);
        let some = some.expect("understood");
        assert_eq!(some.targets, ["a", "b"]);
        assert_eq!((some.time, some.seed), (Duration::from_secs(5), 7));
        let input = Arguments::parse(&["a", "--input", "/x/crash-1"]).expect("understood").input;
        assert_eq!(input, Some(PathBuf::from("/x/crash-1")));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (arguments, named) in [
            (&["--fast"][..], "`--fast`"),
            (&["--seconds"], "--seconds needs"),
            (&["--seconds", "0"], "--seconds needs"),
            (&["--seed", "x"], "--seed needs"),
            (&["a", "--input"], "--input needs"),
        ] {
            let error = Arguments::parse(arguments).unwrap_err();
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}

use crate::Result;
use crate::place::Kind;

const MOST: u64 = 1_000_000;
const LEAST: u64 = 10_000;

/// `[--sessions N] [stores…]`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    sessions: u64,
    pub(crate) kinds: Vec<Kind>,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut arguments = arguments.into_iter();
        let (mut sessions, mut kinds) = (MOST, Vec::new());
        while let Some(argument) = arguments.next() {
            if argument == "--sessions" {
                let number = arguments.next().unwrap_or_default();
                sessions = number.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                    format!("--sessions: {number:?} is no number of sessions, such as {MOST}")
                })?;
            } else {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == argument);
                kinds.push(kind.ok_or_else(|| {
                    let names = Kind::ALL.map(Kind::name).join(", ");
                    format!("`{argument}` is none of the stores {names}")
                })?);
            }
        }
        if kinds.is_empty() {
            kinds = Kind::ALL.to_vec();
        }
        Ok(Self { sessions, kinds })
    }

    /// The powers of ten on the way to the number of sessions, and that number.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = u64> + use<> {
        let most = self.sessions;
        let below = std::iter::successors(Some(LEAST), |size| size.checked_mul(10));
        below.take_while(move |size| *size < most).chain([most])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments> {
        Arguments::parse(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn all_stores_grow_to_a_million() {
        let arguments = parse(&[]).unwrap();
        assert_eq!(arguments.kinds, Kind::ALL);
        assert_eq!(arguments.sizes().collect::<Vec<_>>(), [10_000, 100_000, 1_000_000]);
    }

    #[test]
    fn stores_and_their_number_are_chosen() {
        let arguments = parse(&["redis", "--sessions", "25000", "sqlite"]).unwrap();
        assert_eq!(arguments.kinds, [Kind::Redis, Kind::Sqlite]);
        assert_eq!(arguments.sizes().collect::<Vec<_>>(), [10_000, 25_000]);
        assert_eq!(parse(&["--sessions", "7"]).unwrap().sizes().collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, named) in [
            (&["oracle"][..], "`oracle`"),
            (&["--sessions"], "--sessions"),
            (&["--sessions", "0"], "\"0\""),
            (&["--sessions", "many"], "\"many\""),
        ] {
            let error = parse(arguments).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}

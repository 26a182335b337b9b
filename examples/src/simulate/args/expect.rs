//! How Rollouts are to come to rest.

use std::str::FromStr;

/// How one is to come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Healthy,
    Paused,
    Aborted,
}

/// How one named Rollout, or every one that is not named, is to come to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expectation {
    rollout: Option<String>,
    state: Expect,
}

/// How all are to come to rest: what the command line says, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default, clap::Args)]
pub(crate) struct Expectations {
    /// The state in which a Rollout should come to rest: healthy, paused or aborted. Without a name, this holds for
    /// every updated Rollout that no other --expect names (repeatable) [default: healthy]
    #[arg(id = "expect", long, value_name = "[ROLLOUT:]STATE")]
    all: Vec<Expectation>,
}

impl FromStr for Expectation {
    type Err = String;

    /// Reads `[ROLLOUT:]STATE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rollout, state) = match text.rsplit_once(':') {
            Some(("", state)) => {
                return Err(format!("there is no name before {text:?}; write {state:?} for all"));
            }
            Some((rollout, state)) => (Some(rollout.to_owned()), state),
            None => (None, text),
        };
        Ok(Self { rollout, state: state.parse()? })
    }
}

impl Expectations {
    /// Two of them that cannot both hold, in words.
    pub(super) fn conflict(&self) -> Option<String> {
        let at_odds =
            |a: &Expectation, b: &Expectation| a.rollout == b.rollout && a.state.word() != b.state.word();
        let mut pairs = self
            .all
            .iter()
            .enumerate()
            .flat_map(|(after, second)| self.all.iter().take(after).map(move |first| (first, second)));
        let (first, second) = pairs.find(|(first, second)| at_odds(first, second))?;
        let of = second.rollout.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
        let (first, second) = (first.state.word(), second.state.word());
        Some(format!("--expect: both {first} and {second} are expected{of}; keep one of them"))
    }

    /// How this one is to come to rest; nobody asks it of one that gets no update and is not named.
    pub(crate) fn of(&self, rollout: &str, updated: bool) -> Option<Expect> {
        let said = |name: Option<&str>| {
            self.all.iter().find(|about| about.rollout.as_deref() == name).map(|about| about.state)
        };
        said(Some(rollout)).or_else(|| if updated { said(None).or(Some(Expect::Healthy)) } else { None })
    }

    /// The names in them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(|about| about.rollout.as_deref())
    }
}

impl FromStr for Expect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "healthy" => Ok(Self::Healthy),
            "paused" => Ok(Self::Paused),
            "aborted" => Ok(Self::Aborted),
            _ => Err(format!("{text:?} is not a state; write healthy, paused or aborted")),
        }
    }
}

impl Expect {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Paused => "paused",
            Self::Aborted => "aborted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Result<Expectations, String> {
        let all: Result<Vec<Expectation>, String> = texts.iter().map(|text| text.parse()).collect();
        all.map(|all| Expectations { all })
    }

    #[test]
    fn named_before_unnamed_before_what_is_usual() {
        let none = Expectations::default();
        assert_eq!((none.of("a", true), none.of("a", false)), (Some(Expect::Healthy), None));
        let some = all(&["paused", "shop/a:aborted"]).unwrap();
        assert_eq!((some.of("b", true), some.of("b", false)), (Some(Expect::Paused), None));
        assert_eq!(some.of("shop/a", false), Some(Expect::Aborted));
        assert_eq!(some.names().collect::<Vec<_>>(), ["shop/a"]);
    }

    #[test]
    fn what_cannot_hold_is_said() {
        assert!(all(&[":paused"]).is_err() && all(&["a:good"]).is_err());
        let conflict = |texts| all(texts).unwrap().conflict();
        assert_eq!(conflict(&["paused", "a:healthy", "paused"]), None);
        assert_eq!(
            conflict(&["paused", "healthy"]).unwrap(),
            "--expect: both paused and healthy are expected; keep one of them"
        );
        assert_eq!(
            conflict(&["a:paused", "b:paused", "a:aborted"]).unwrap(),
            "--expect: both paused and aborted are expected of a; keep one of them"
        );
    }
}

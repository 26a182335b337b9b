//! How Rollouts are to come to rest.

/// How one is to come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Healthy,
    Paused,
    Aborted,
}

/// How all are to come to rest: what the command line says, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expectations(Vec<(Option<String>, Expect)>);

impl Expectations {
    /// Reads `[ROLLOUT:]STATE`.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let (rollout, state) = match text.rsplit_once(':') {
            Some(("", state)) => {
                return Err(format!("there is no name before {text:?}; write {state:?} for all"));
            }
            Some((rollout, state)) => (Some(rollout.to_owned()), state),
            None => (None, text),
        };
        let state = Expect::parse(state)?;
        if let Some((_, before)) = self.0.iter().find(|(other, before)| *other == rollout && *before != state)
        {
            let of = rollout.map_or_else(String::new, |name| format!(" of {name}"));
            return Err(format!(
                "both {} and {} are expected{of}; keep one of them",
                before.word(),
                state.word()
            ));
        }
        self.0.push((rollout, state));
        Ok(())
    }

    /// How this one is to come to rest; nobody asks it of one that gets no update and is not named.
    pub(crate) fn of(&self, rollout: &str, updated: bool) -> Option<Expect> {
        let said = |name: Option<&str>| {
            self.0.iter().find(|(about, _)| about.as_deref() == name).map(|(_, expect)| *expect)
        };
        said(Some(rollout)).or_else(|| if updated { said(None).or(Some(Expect::Healthy)) } else { None })
    }

    /// The names in them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(about, _)| about.as_deref())
    }
}

impl Expect {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "healthy" => Ok(Self::Healthy),
            "paused" => Ok(Self::Paused),
            "aborted" => Ok(Self::Aborted),
            _ => Err(format!("{text:?} is no way to come to rest; write healthy, paused or aborted")),
        }
    }

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

    #[test]
    fn named_before_unnamed_before_what_is_usual() {
        let mut all = Expectations::default();
        assert_eq!((all.of("a", true), all.of("a", false)), (Some(Expect::Healthy), None));
        all.add("paused").unwrap();
        all.add("shop/a:aborted").unwrap();
        assert_eq!((all.of("b", true), all.of("b", false)), (Some(Expect::Paused), None));
        assert_eq!(all.of("shop/a", false), Some(Expect::Aborted));
        assert_eq!(all.names().collect::<Vec<_>>(), ["shop/a"]);
        assert_eq!(
            all.add("healthy"),
            Err("both paused and healthy are expected; keep one of them".to_owned())
        );
        assert!(all.add(":paused").is_err() && all.add("a:good").is_err());
    }
}

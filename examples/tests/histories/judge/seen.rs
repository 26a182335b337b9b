use super::RULES;
use std::{collections::BTreeMap, fmt};

/// How often each rule had something to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    pub(super) fn count(&mut self, rule: &'static str) {
        *self.0.entry(rule).or_default() += 1;
    }

    pub(crate) fn add(&mut self, premises: BTreeMap<&'static str, u64>) {
        for (law, count) in premises {
            *self.0.entry(law).or_default() += count;
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (rule, count) in &other.0 {
            *self.0.entry(rule).or_default() += count;
        }
    }

    /// A rule that never had anything to say was not tested.
    pub(crate) fn assert_all(&self) {
        for rule in RULES {
            assert!(self.0.get(rule).is_some_and(|count| *count > 0), "{rule} never had anything to say");
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "how often each rule had something to say:")?;
        self.0.iter().try_for_each(|(rule, count)| writeln!(f, "  {rule:<28} {count:>9}"))
    }
}

use super::RULES;
use rollout_core::testing::Premises;
use std::{collections::BTreeMap, fmt};

/// How often each rule had something to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    rules: BTreeMap<&'static str, u64>,
    /// The rules of the judge, by what any Rollout of a history tries.
    rules_by_feature: Premises,
    /// The laws of the core, by what their Rollout tries.
    laws_by_feature: Premises,
}

impl Seen {
    pub(super) fn count(&mut self, rule: &'static str) {
        *self.rules.entry(rule).or_default() += 1;
    }

    /// The history is over, and these are the features that its Rollouts try.
    pub(crate) fn tell_by_feature(&mut self, features: &[&'static str]) {
        let rules = RULES.map(|rule| (rule, self.rules.get(rule).copied().unwrap_or(0)));
        self.rules_by_feature.add(features, &rules);
    }

    /// What the laws of the core said to a Rollout that tries these features.
    pub(crate) fn add(&mut self, features: &[&'static str], premises: &[(&'static str, u64)]) {
        for (law, count) in premises {
            *self.rules.entry(law).or_default() += count;
        }
        self.laws_by_feature.add(features, premises);
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (rule, count) in &other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        self.rules_by_feature.join(&other.rules_by_feature);
        self.laws_by_feature.join(&other.laws_by_feature);
    }

    /// The same for each feature.
    pub(crate) fn by_feature(&self) -> String {
        format!("the judge's rules:\n{}\n\nthe core's laws:\n{}", self.rules_by_feature, self.laws_by_feature)
    }

    /// A rule that never had anything to say was not tested.
    pub(crate) fn assert_all(&self) {
        for rule in RULES {
            assert!(self.rules.get(rule).is_some_and(|count| *count > 0), "{rule} never had anything to say");
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "how often each rule had something to say:")?;
        self.rules.iter().try_for_each(|(rule, count)| writeln!(f, "  {rule:<28} {count:>9}"))
    }
}

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// How often the premise of each law held, by feature: a law says nothing about a feature in whose histories it never
/// had anything to check.
///
/// ```
/// use rollout_core::testing::Premises;
/// let mut premises = Premises::default();
/// premises.add(&["windows"], &[("up_gate", 3), ("capacity", 0)]);
/// premises.add(&["windows", "pingPong"], &[("up_gate", 2), ("capacity", 0)]);
/// assert_eq!(premises.of("windows", "up_gate"), (2, 5), "in 2 histories, at 5 moments");
/// assert_eq!(premises.idle().collect::<Vec<_>>(), [("pingPong", "capacity"), ("windows", "capacity")]);
/// assert!(premises.to_string().contains("2 histories, 5 moments  windows"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Premises {
    features: BTreeMap<&'static str, Feature>,
}

#[derive(Debug, Clone, Default)]
struct Feature {
    histories: u64,
    laws: BTreeMap<&'static str, (u64, u64)>,
}

impl Premises {
    /// Adds one history: its features, and how often the premise of each law held in it.
    ///
    /// See [`Premises`] for an example.
    pub fn add(&mut self, features: &[&'static str], laws: &[(&'static str, u64)]) {
        for feature in features {
            let feature = self.features.entry(feature).or_default();
            feature.histories += 1;
            for (law, moments) in laws {
                let sum = feature.laws.entry(law).or_default();
                *sum = (sum.0 + u64::from(*moments > 0), sum.1 + moments);
            }
        }
    }

    /// Adds what was counted elsewhere, such as by another thread.
    ///
    /// ```
    /// use rollout_core::testing::Premises;
    /// let (mut one, mut other) = (Premises::default(), Premises::default());
    /// one.add(&["windows"], &[("up_gate", 3)]);
    /// other.add(&["windows"], &[("up_gate", 1)]);
    /// one.join(&other);
    /// assert_eq!(one.of("windows", "up_gate"), (2, 4));
    /// ```
    pub fn join(&mut self, other: &Self) {
        for (name, more) in &other.features {
            let feature = self.features.entry(name).or_default();
            feature.histories += more.histories;
            for (law, (histories, moments)) in &more.laws {
                let sum = feature.laws.entry(law).or_default();
                *sum = (sum.0 + histories, sum.1 + moments);
            }
        }
    }

    /// Returns in how many histories with a feature, and at how many moments, the premise of a law held.
    ///
    /// See [`Premises`] for an example.
    #[must_use]
    pub fn of(&self, feature: &str, law: &str) -> (u64, u64) {
        self.features.get(feature).and_then(|feature| feature.laws.get(law).copied()).unwrap_or_default()
    }

    /// Iterates over the features and the laws whose premise never held in a history with that feature.
    ///
    /// See [`Premises`] for an example.
    pub fn idle(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.features.iter().flat_map(|(name, feature)| {
            let idle = feature.laws.iter().filter(|(_, (histories, _))| *histories == 0);
            idle.map(|(law, _)| (*name, *law))
        })
    }
}

impl fmt::Display for Premises {
    /// Lists the features, and for each law in how many histories with each feature its premise held.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').take(self.features.len()).collect();
        for (letter, (name, feature)) in letters.iter().zip(&self.features) {
            let moments: u64 = feature.laws.values().map(|(_, moments)| moments).sum();
            writeln!(f, "  {letter} {:>7} histories, {moments} moments  {name}", feature.histories)?;
        }
        write!(f, "  {:<30}", "histories in which it held:")?;
        letters.iter().try_for_each(|letter| write!(f, " {letter:>6}"))?;
        let mut laws: Vec<_> = self.features.values().flat_map(|feature| feature.laws.keys()).collect();
        laws.sort_unstable();
        laws.dedup();
        for law in laws {
            write!(f, "\n  {law:<30}")?;
            for feature in self.features.values() {
                let (histories, _) = feature.laws.get(law).copied().unwrap_or_default();
                write!(f, " {histories:>6}")?;
            }
        }
        Ok(())
    }
}

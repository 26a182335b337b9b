//! Several clusters that release together.

use super::super::duration;
use rollout_core::fleet::{ClusterName, Policy};
use std::{str::FromStr, sync::Arc, time::Duration};

/// Several clusters that release together.
#[derive(Debug, Clone, PartialEq, Default, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct Clusters {
    /// Play the manifests in these clusters at once, in step: a,b,c. A Rollout with the annotation rollout-core/fleet is
    /// played in its own clusters without this option
    #[arg(long = "clusters", value_name = "NAME,…", value_delimiter = ',', value_parser = name)]
    pub(crate) names: Vec<ClusterName>,
    /// Between these two times, neither of two clusters can read the other, like a-b@5m..9m (repeatable)
    #[arg(long, value_name = "ONE-OTHER@FROM..TO")]
    pub(crate) cut: Vec<Cut>,
    /// Between these two times, the API server of a cluster answers nobody: neither its own controller nor the others,
    /// like b@5m..9m (repeatable)
    #[arg(long, value_name = "NAME@FROM..TO")]
    pub(crate) cluster_down: Vec<Down>,
    /// How long news takes from one cluster to another
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = duration::parse)]
    pub(crate) news_lag: Duration,
}

/// Two clusters that cannot read each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) between: [ClusterName; 2],
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// A cluster whose API server does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Down {
    pub(crate) cluster: ClusterName,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Clusters {
    /// How the clusters of the command line go; `None` without any.
    pub(crate) fn policy(&self) -> Option<Arc<Policy>> {
        (!self.names.is_empty()).then(|| Arc::new(Policy::new([self.names.clone()])))
    }

    /// The clusters that options name.
    pub(crate) fn named(&self) -> impl Iterator<Item = &ClusterName> {
        self.cut.iter().flat_map(|cut| &cut.between).chain(self.cluster_down.iter().map(|down| &down.cluster))
    }
}

fn name(text: &str) -> Result<ClusterName, String> {
    ClusterName::new(text).map_err(|error| format!("{text:?} {error}"))
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write two clusters and two times, like a-b@5m..9m";
        let (pair, span) = text.split_once('@').ok_or(form)?;
        let (from, to) = super::world::span(span)?;
        // A name may contain a hyphen: every hyphen is tried.
        let pairs = pair.match_indices('-').filter_map(|(at, _)| {
            let (one, other) = (pair.get(..at)?, pair.get(at + 1..)?);
            Some([name(one).ok()?, name(other).ok()?])
        });
        let mut pairs: Vec<_> = pairs.collect();
        match (pairs.pop(), pairs.is_empty()) {
            (Some(between), true) if between[0] != between[1] => Ok(Self { between, from, to }),
            (Some(_), true) => Err("it names the same cluster twice".to_owned()),
            (Some(_), false) => Err(format!("{pair:?} can be read in two ways; {form}")),
            (None, _) => Err(form.to_owned()),
        }
    }
}

impl FromStr for Down {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (cluster, span) = text.split_once('@').ok_or("write a cluster and two times, like b@5m..9m")?;
        let (from, to) = super::world::span(span)?;
        Ok(Self { cluster: name(cluster)?, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_names_two_clusters_and_two_times() {
        let cut: Cut = "a-b@5m..9m".parse().unwrap();
        assert_eq!((cut.between[0].as_str(), cut.between[1].as_str()), ("a", "b"));
        assert_eq!((cut.from.as_secs(), cut.to.as_secs()), (300, 540));
        for (wrong, told) in [
            ("a-b", "write two clusters"),
            ("a-a@5m..9m", "the same cluster twice"),
            ("eu-west-us@5m..9m", "in two ways"),
            ("a-b@9m..5m", "it ends before it begins"),
            ("ab@5m..9m", "write two clusters"),
        ] {
            let error = wrong.parse::<Cut>().unwrap_err();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}

//! The sentences that describe a wait to people.

use super::{Ending, EndsBy, Settling, WaitReason, Waiting};
use crate::analysis::MetricSeen;
use alloc::string::String;
use core::fmt;

/// The number of proxies named after the first; the rest are counted.
const NAMED: usize = 4;

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if let Some(since) = self.since {
            write!(f, " (since {since})")?;
        }
        write!(f, "; ends {}", self.ends)
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => f.write_str("paused by a step"),
            Self::PausedByUser => f.write_str("paused by the user (spec.paused)"),
            Self::Pods { revision, need, seen } => {
                write!(f, "waiting for pods of {revision}: {need} needed, {seen} there")
            }
            Self::StableCannotCarry { need, seen } => {
                write!(
                    f,
                    "traffic should go back to stable, which cannot carry it: {need} ready pods needed, {seen} there"
                )
            }
            Self::Settling { what, behind, long } => {
                write!(f, "waiting until every proxy has the {what}")?;
                names(f, behind)?;
                if *long {
                    f.write_str("; this is taking long: check the proxies, or override with `proceed`")
                } else {
                    Ok(())
                }
            }
            Self::GracePeriod { what } => {
                write!(f, "the proxies cannot report whether they have the {what}: waiting for a grace period")
            }
            Self::ProxiesUnknown => f.write_str(
                "pods stay while a proxy that lost its connection before this process started may still return",
            ),
            Self::ScaleDownDelay { revision } => {
                write!(f, "{revision} keeps its pods for the scale-down delay")
            }
            Self::ScalingDown { revision } => {
                write!(f, "{revision} has a scale-down deadline, which must be cancelled first")
            }
            Self::NoRoutes => f.write_str(
                "the strategy routes by weight, but there is no route whose weight can be set: add one, or remove \
                 traffic routing",
            ),
            Self::LeadsElsewhere { destination, revision: Some(revision) } => {
                write!(f, "the {destination} destination still leads to {revision}")
            }
            Self::LeadsElsewhere { destination, revision: None } => {
                write!(f, "the {destination} destination still leads to the user's own selector")
            }
            Self::RoutesOfAnother { revision } => write!(f, "the routes were written for {revision}"),
            Self::StableUnavailable => f.write_str("stable has no ready pod"),
            Self::StableGone { revision } => {
                write!(
                    f,
                    "the stable revision {revision} no longer exists, so there is nothing to go back to; apply its \
                     manifest again, or continue with `promote-full`"
                )
            }
            Self::Fenceposts { at_most, at_least } => {
                write!(f, "moving pods: at most {at_most} pods, at least {at_least} available")
            }
            Self::CarryingOut => f.write_str("the last decision is being carried out"),
            Self::Aborted => f.write_str("the update was aborted"),
            Self::ScaledToZero => f.write_str("scaled to zero"),
            Self::ScalingFromZero => f.write_str("scaling up from zero: stable first"),
            Self::RevisionsUnknown => f.write_str("the revisions could not be read"),
            Self::TrafficUnknown => f.write_str("the traffic could not be read"),
            Self::PodsGoing { revision } => write!(f, "pods of {revision} are being removed"),
            Self::OutsideWindows => f.write_str("outside the times of the week at which steps may begin"),
            Self::Analysis { role, run: None, .. } => {
                write!(f, "waiting for the analysis of {role} to start")
            }
            Self::Analysis { role, run: Some(run), metric } => {
                write!(f, "waiting for the analysis of {role}, run {run}")?;
                measured(f, metric.as_deref())?;
                f.write_str("; use `skip` to go on without it")
            }
            Self::AnalysisInconclusive { run, metric } => {
                write!(f, "analysis run {run} is inconclusive")?;
                measured(f, metric.as_deref())?;
                f.write_str("; `resume` measures again, `promote` goes on past its step")
            }
            Self::AnalysisUnanswered { run, metric } => {
                write!(f, "analysis run {run} gets no answer, and no weight rises meanwhile")?;
                measured(f, metric.as_deref())
            }
            Self::AnalysisBad { run, message } => {
                write!(f, "analysis run {run} failed: {message}; there is no stable revision to go back to")
            }
            Self::RunsUnknown => f.write_str("the AnalysisRuns could not be read"),
            Self::OtherCluster(wait) => wait.fmt(f),
            Self::KeptForCluster(wait) => write!(f, "pods stay for requests of other clusters: {wait}"),
            Self::ClustersUnknown => {
                f.write_str("it is not known how far the other clusters are, so this one holds")
            }
            Self::Soak => f.write_str("the earlier clusters are done; this one begins after the soak time"),
            Self::HandOver { workload, what, behind } => {
                write!(f, "{workload} keeps its pods until every proxy has the {what} of the Rollout")?;
                names(f, behind)
            }
            Self::AbortingGradually { keeps } => {
                write!(f, "the abort is gradual: the canary keeps a weight of {keeps} for now")
            }
        }
    }
}

impl fmt::Display for Settling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes => f.write_str("routes"),
            Self::Selectors => f.write_str("selectors"),
            Self::Endpoints(revision) => write!(f, "endpoints of {revision}"),
        }
    }
}

impl fmt::Display for EndsBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(at) => write!(f, "at {at}"),
            Self::Event(ending) => write!(f, "when {ending}"),
            Self::Command(commands) => {
                f.write_str("by command: ")?;
                for (index, command) in commands.iter().enumerate() {
                    write!(f, "{}{command}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PodsReady => "pods become ready",
            Self::StableCarries => "stable has enough pods, or on `proceed`",
            Self::Settled => "every proxy has it, or on `proceed`",
            Self::Observed => "the write is observed",
            Self::Readable => "the objects can be read",
            Self::ReplicasAboveZero => "replicas are set above zero",
            Self::ManifestChanged => "the manifest changes",
            Self::AnalysisOver => "the run has finished",
            Self::AnalysisAnswered => "the provider answers again, or the run finishes",
            Self::RouteThere => "a route exists",
            Self::NotNeededElsewhere => "no other cluster needs them any more",
            Self::ClusterFollows => "that cluster gets there, or on `promote-full` here",
            Self::EveryProxyFollows => "every proxy has it",
        })
    }
}

/// Names the proxies that are behind.
fn names(f: &mut fmt::Formatter<'_>, behind: &[String]) -> fmt::Result {
    let Some((first, others)) = behind.split_first() else { return Ok(()) };
    write!(f, "; behind: {first}")?;
    others.iter().take(NAMED).try_for_each(|name| write!(f, ", {name}"))?;
    match others.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => write!(f, " and {more} more"),
        None => Ok(()),
    }
}

fn measured(f: &mut fmt::Formatter<'_>, metric: Option<&MetricSeen>) -> fmt::Result {
    metric.map_or(Ok(()), |metric| write!(f, ": {metric}"))
}

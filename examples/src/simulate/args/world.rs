//! How the world is to be.

use super::super::duration;
use rollout_core::{Time, sim::Delay};
use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// How the world is.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Simulated world")]
pub(crate) struct World {
    /// The number of pods in the whole run, instead of spec.replicas
    #[arg(long, value_name = "PODS", value_parser = |text: &str| number(text, 0..=MOST_PODS))]
    pub(crate) replicas: Option<u32>,
    /// How long a new pod takes to become ready [default: the initial delay of its readiness probe, or 5s]
    #[arg(long, value_name = "TIME[..TIME]", value_parser = delay)]
    pub(crate) ready_after: Option<Delay>,
    /// New pods of this side (stable or canary) never become ready after the update (repeatable)
    #[arg(long, value_name = "[ROLLOUT:]SIDE")]
    pub(crate) never_ready: Vec<NeverReady>,
    /// At this time, so many pods of this side (stable or canary) die and are replaced (repeatable)
    #[arg(long = "lose-pods", value_name = "[ROLLOUT:]SIDE=PODS@TIME")]
    pub(crate) lose: Vec<Lose>,
    /// The number of proxies, each with its own copy of routes, selectors and endpoints
    #[arg(long, value_name = "COUNT", default_value = "3", value_parser = |text: &str| number(text, 1..=1_000))]
    pub(crate) proxies: u32,
    /// How long a proxy takes to receive what was written
    #[arg(long, value_name = "TIME[..TIME]", default_value = "2s", value_parser = delay)]
    pub(crate) proxy_lag: Delay,
    /// Between these two times, no proxy receives anything; of one cluster, if it is named (repeatable)
    #[arg(long = "freeze-mesh", value_name = "[CLUSTER:]FROM..TO")]
    pub(crate) freeze: Vec<Freeze>,
    /// When the simulation begins, in UTC like 2026-02-02T09:00:00Z; it matters to step windows and to `restartAt`
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z", value_parser = time)]
    pub(crate) start: Time,
    /// When the simulation stops at the latest
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse)]
    pub(crate) until: Duration,
    /// The seed of the random numbers that choose a time from each range
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = seed)]
    pub(crate) seed: u64,
}

/// Which pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Stable,
    Canary,
}

/// Pods that never become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeverReady {
    /// Which Rollout's; `None` is all of them.
    pub(crate) rollout: Option<String>,
    pub(crate) side: Side,
}

/// Pods that die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lose {
    /// Which Rollout's; `None` is all of them.
    pub(crate) rollout: Option<String>,
    pub(crate) side: Side,
    pub(crate) pods: u32,
    pub(crate) at: Duration,
}

/// A time in which no proxy receives anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Freeze {
    /// In which cluster; `None` is all of them.
    pub(crate) about: Option<String>,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// More pods than any one rollout has; the world holds each of them.
pub(crate) const MOST_PODS: u32 = 10_000;

fn number(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("write a whole number from {} to {}", range.start(), range.end()))
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse_rfc3339(text).ok_or_else(|| "write a time like 2026-02-02T09:00:00Z".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("write a whole number from 0 to {}", u64::MAX))
}

/// `[ROLLOUT:]` in front of something.
fn about(text: &str) -> (Option<String>, &str) {
    match text.split_once(':') {
        Some((rollout, rest)) => (Some(rollout.to_owned()), rest),
        None => (None, text),
    }
}

/// A time, or a span from which each is drawn.
fn delay(text: &str) -> Result<Delay, String> {
    match text.split_once("..") {
        Some((from, to)) => {
            let (least, most) = (duration::parse(from)?, duration::parse(to)?);
            if least > most {
                return Err(format!("it ends before it begins; write {to}..{from}"));
            }
            Ok(Delay::between(least, most))
        }
        None => duration::parse(text).map(Delay::from),
    }
}

pub(super) fn span(text: &str) -> Result<(Duration, Duration), String> {
    let (from, to) = text.split_once("..").ok_or("write two times, like 5m..6m")?;
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    if from < to { Ok((from, to)) } else { Err("it ends before it begins; write it like 5m..6m".to_owned()) }
}

impl FromStr for Freeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (about, rest) = about(text);
        let (from, to) = span(rest)?;
        Ok(Self { about, from, to })
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stable" => Ok(Self::Stable),
            "canary" => Ok(Self::Canary),
            _ => Err(format!("{text:?} is not a side; write stable or canary")),
        }
    }
}

impl FromStr for NeverReady {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rollout, side) = about(text);
        Ok(Self { rollout, side: side.parse()? })
    }
}

impl FromStr for Lose {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(side, rest)| Some((side, rest.split_once('@')?)));
        let (side, (pods, at)) = parts.ok_or("say which pods die, and when, like stable=2@5m")?;
        let (rollout, side) = about(side);
        let many = number(pods, 1..=MOST_PODS).map_err(|why| format!("{pods:?} pods: {why}"))?;
        Ok(Self { rollout, side: side.parse()?, pods: many, at: duration::parse(at)? })
    }
}

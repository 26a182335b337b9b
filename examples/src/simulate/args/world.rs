//! How the world is to be.

use super::super::duration;
use rollout_core::sim::Delay;
use std::{ops::RangeInclusive, time::Duration};

/// How the world is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    pub(crate) replicas: Option<u32>,
    pub(crate) ready_after: Option<Delay>,
    pub(crate) never_ready: Vec<(Option<String>, Side)>,
    pub(crate) lose: Vec<Lose>,
    pub(crate) proxies: u32,
    pub(crate) proxy_lag: Delay,
    pub(crate) freeze: Vec<(Duration, Duration)>,
    pub(crate) until: Duration,
    pub(crate) seed: u64,
}

/// Which pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Stable,
    Canary,
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

impl Default for World {
    fn default() -> Self {
        Self {
            replicas: None,
            ready_after: None,
            never_ready: Vec::new(),
            lose: Vec::new(),
            proxies: 3,
            proxy_lag: Delay::from(Duration::from_secs(2)),
            freeze: Vec::new(),
            until: Duration::from_secs(24 * 3600),
            seed: 1,
        }
    }
}

impl World {
    pub(super) fn valued(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "replicas" => self.replicas = Some(number(value, 0..=MOST_PODS)?),
            "ready-after" => self.ready_after = Some(delay(value)?),
            "never-ready" => {
                let (rollout, side) = about(value);
                self.never_ready.push((rollout, Side::parse(side)?));
            }
            "lose-pods" => self.lose.push(Lose::parse(value)?),
            "proxies" => self.proxies = number(value, 1..=1_000)?,
            "proxy-lag" => self.proxy_lag = delay(value)?,
            "freeze-mesh" => self.freeze.push(span(value)?),
            "until" => self.until = duration::parse(value)?,
            _ => {
                let seed = value.parse().map_err(|_| format!("{value:?} is no whole number from 0"));
                self.seed = seed?;
            }
        }
        Ok(())
    }
}

/// More pods than any one rollout has; the world holds each of them.
pub(crate) const MOST_PODS: u32 = 10_000;

fn number(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{text:?} is no whole number from {} to {}", range.start(), range.end()))
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
                return Err(format!("{text:?} ends before it begins; write it like {to}..{from}"));
            }
            Ok(Delay::between(least, most))
        }
        None => duration::parse(text).map(Delay::from),
    }
}

fn span(text: &str) -> Result<(Duration, Duration), String> {
    let (from, to) =
        text.split_once("..").ok_or_else(|| format!("{text:?} is no span; write it like 5m..6m"))?;
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    if from < to {
        Ok((from, to))
    } else {
        Err(format!("{text:?} ends before it begins; write it like 5m..6m"))
    }
}

impl Side {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "stable" => Ok(Self::Stable),
            "canary" => Ok(Self::Canary),
            _ => Err(format!("{text:?} is no side; write stable or canary")),
        }
    }
}

impl Lose {
    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(side, rest)| Some((side, rest.split_once('@')?)));
        let parts = parts.map(|(side, rest)| (about(side), rest));
        let ((rollout, side), (pods, at)) =
            parts.ok_or_else(|| format!("{text:?} says not what dies; write it like stable=2@5m"))?;
        Ok(Self {
            rollout,
            side: Side::parse(side)?,
            pods: number(pods, 1..=MOST_PODS)?,
            at: duration::parse(at)?,
        })
    }
}

//! `--traffic`: which requests arrive, and how they end.

use super::super::duration;
use std::{collections::BTreeSet, str::FromStr, time::Duration};

/// Requests, and how they end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrafficArgs {
    /// All requests a second.
    pub(crate) rps: f64,
    pub(crate) stable: Quality,
    pub(crate) canary: Quality,
    /// How many bad answers come together.
    pub(crate) bursts: f64,
}

/// How the requests to one side end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    /// The share of bad answers, from 0 to 1.
    pub(crate) bad: f64,
    pub(crate) latency: Latency,
}

/// How long answers take: the logarithm is distributed normally.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Latency {
    /// Half of the answers take longer.
    pub(crate) median: Duration,
    /// The standard deviation of the logarithm.
    pub(crate) spread: f64,
}

const EXAMPLE: &str = "write it like rps=100,bad=0.5%,canary-bad=1.5%,bursts=3,latency=80ms/0.6";

impl FromStr for TrafficArgs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let latency = Latency { median: Duration::from_millis(80), spread: 0.6 };
        let stable = Quality { bad: 0.0, latency };
        let (mut rps, mut bursts, mut stable) = (None, 1.0, stable);
        let (mut canary_bad, mut canary_latency) = (None, None);
        let mut names = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?}: {EXAMPLE}"))?;
            if !names.insert(name) {
                return Err(format!("{name} is there twice; keep one of them"));
            }
            match name {
                "rps" => rps = Some(number(name, value, 0.001, 1e6)?),
                "bad" => stable.bad = share(name, value)?,
                "canary-bad" => canary_bad = Some(share(name, value)?),
                "bursts" => bursts = number(name, value, 1.0, 1e3)?,
                "latency" => stable.latency = value.parse()?,
                "canary-latency" => canary_latency = Some(value.parse()?),
                _ => return Err(format!("{name:?} is not known; {EXAMPLE}")),
            }
        }
        let canary = Quality {
            bad: canary_bad.unwrap_or(stable.bad),
            latency: canary_latency.unwrap_or(stable.latency),
        };
        let rps = rps.ok_or_else(|| format!("rps, the requests a second, is missing; {EXAMPLE}"))?;
        Ok(Self { rps, stable, canary, bursts })
    }
}

impl FromStr for Latency {
    type Err = String;

    /// Reads `80ms/0.6`; without a spread, it is 0.6.
    fn from_str(text: &str) -> Result<Self, String> {
        let (median, spread) = text.split_once('/').unwrap_or((text, "0.6"));
        let median = duration::parse(median)?;
        if median.is_zero() {
            return Err("latency: an answer takes time; write it like 80ms/0.6".to_owned());
        }
        Ok(Self { median, spread: number("latency", spread, 0.01, 10.0)? })
    }
}

impl Latency {
    /// The mean, in milliseconds.
    pub(super) fn mean(self) -> f64 {
        self.median.as_secs_f64() * 1e3 * (self.spread * self.spread / 2.0).exp()
    }

    /// The share of answers that take at most so many milliseconds.
    pub(super) fn within(self, millis: f64) -> f64 {
        let median = self.median.as_secs_f64() * 1e3;
        let distance = (millis / median).ln() / (self.spread * std::f64::consts::SQRT_2);
        0.5 * libm::erfc(-distance)
    }
}

/// A share, as `0.5%` or `0.005`.
fn share(name: &str, value: &str) -> Result<f64, String> {
    match value.strip_suffix('%') {
        Some(per_cent) => Ok(number(name, per_cent, 0.0, 100.0)? / 100.0),
        None => number(name, value, 0.0, 1.0)
            .map_err(|_| format!("{name}: {value:?} is no share; write it like 0.5% or 0.005")),
    }
}

fn number(name: &str, value: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = value.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{name}: {value:?} is not a number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_for_stable() {
        let traffic: TrafficArgs = "rps=100,bad=0.5%,latency=20ms".parse().unwrap();
        assert_eq!((traffic.rps, traffic.bursts), (100.0, 1.0));
        assert_eq!((traffic.stable.bad, traffic.canary), (0.005, traffic.stable));
        let traffic: TrafficArgs = "rps=1,canary-bad=0.3,canary-latency=1s/1,bursts=3".parse().unwrap();
        assert_eq!((traffic.stable.bad, traffic.canary.bad, traffic.bursts), (0.0, 0.3, 3.0));
        assert_eq!(traffic.canary.latency, Latency { median: Duration::from_secs(1), spread: 1.0 });
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("bad=1%", "rps, the requests a second, is missing"),
            ("rps=0", "rps: \"0\" is not a number from 0.001"),
            ("rps=1,bad=2", "\"2\" is no share"),
            ("rps=1,bad=101%", "\"101\" is not a number"),
            ("rps=1,good=1", "\"good\" is not known"),
            ("rps", "write it like rps=100"),
            ("rps=1,rps=2", "rps is there twice"),
            ("rps=1,latency=0s", "an answer takes time"),
        ] {
            let error = text.parse::<TrafficArgs>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn half_of_the_answers_take_longer_than_the_median() {
        let latency = Latency { median: Duration::from_millis(80), spread: 0.6 };
        assert!((latency.within(80.0) - 0.5).abs() < 1e-12);
        assert!((latency.within(80.0 * 0.6_f64.exp()) - 0.841_344_746).abs() < 1e-6, "one deviation");
        assert!(latency.within(1e12) > 1.0 - 1e-12);
    }
}

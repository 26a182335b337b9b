//! How much traffic a comparison needs.

use super::{
    answers::compared,
    around::{Around, Stay},
    words::{digits, fold, percent, seconds},
};
use crate::{
    Finding, Severity,
    analysis::{Comparison, Metric, Question, RunRole, RunSpec, seconds_needed},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::Value as Json;

/// The rise that a comparison should show.
const RISE: f64 = 3.0;
/// The share of bad requests that is assumed where it is not known.
const BAD: f64 = 0.005;

/// Requests to a service, as they are before a release.
///
/// See [`power`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "two numbers")]
pub struct Traffic {
    /// All requests a second.
    pub requests: f64,
    /// The share of them that is bad, from 0 to 1.
    pub bad: f64,
}

/// Returns which comparisons of a run (`plugin: rollout-core/compare`) have too little traffic to show a threefold error
/// rate in nine of ten rollouts, in the time and at the weights of the strategy. Without `traffic`, returns of each how
/// much it needs.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Step, Strategy, analysis::{Analysis, Around, Background, RunRole, RunSpec, Traffic, power}};
/// use serde_json::json;
/// let metric = json!({
///     "name": "errors", "interval": "30s",
///     "provider": {"plugin": {"rollout-core/compare": {"tolerance": 1}}},
/// });
/// let spec = RunSpec::read(&json!({"metrics": [metric]}));
/// let strategy = Strategy::builder()
///     .steps([Step::SetWeight(5), Step::Pause(Some(Duration::from_secs(600)))])
///     .background(Some(Background { analysis: Analysis::of("errors").into(), starting_step: 0 }))
///     .build()?;
/// let around = Around::of(&strategy, RunRole::Background);
/// let findings = power(&spec, &around, Some(&Traffic { requests: 10.0, bad: 0.005 }));
/// assert_eq!(
///     findings[0].what,
///     "10 minutes at 5 % of 10 requests a second cannot show a threefold error rate: 77 minutes are needed, or 16 \
///      minutes at 50 %"
/// );
/// assert!(power(&spec, &around, Some(&Traffic { requests: 100.0, bad: 0.005 })).is_empty(), "that is enough");
/// let without = power(&spec, &around, None);
/// assert_eq!(
///     without[0].what,
///     "in 10 minutes at 5 %, a threefold error rate shows at 77 requests a second or more, and a twofold one at 250 or \
///      more, if 0.5 % of the requests are bad"
/// );
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[must_use]
pub fn power(spec: &RunSpec, around: &Around, traffic: Option<&Traffic>) -> Vec<Finding> {
    let all = spec.metrics().iter().enumerate();
    let compared: Vec<_> =
        all.filter_map(|(index, metric)| Some((index, metric, compared(metric.provider())?))).collect();
    let many = u32::try_from(compared.len()).unwrap_or(u32::MAX);
    let each = compared.iter().filter_map(|(index, metric, settings)| {
        let comparison = comparison(settings, many);
        let stays = stays(metric, around)?;
        let (what, instead) = match traffic {
            Some(traffic) => too_little(&comparison, &stays, traffic)?,
            None => least(&comparison, &stays)?,
        };
        let path = format!("metrics[{index}].provider.plugin");
        Some(Finding::new(Severity::Warning, path, what, instead))
    });
    each.collect()
}

/// Weights and seconds.
type Stays = Vec<(f64, f64)>;

/// The weights at which a metric is measured, and for how many seconds; `None` if that is not known.
fn stays(metric: &Metric, around: &Around) -> Option<Stays> {
    let seconds = |stay: &Stay| match (around.role, metric.count()) {
        (RunRole::Background, _) => Some(stay.time?.as_secs_f64()),
        (RunRole::Step(_), Some(count)) => {
            let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            Some(metric.interval?.as_secs_f64() * count)
        }
        (RunRole::Step(_), None) => None,
    };
    let stays: Option<Stays> = around.stays.iter().map(|stay| Some((stay.weight, seconds(stay)?))).collect();
    stays.filter(|stays| stays.iter().any(|(weight, time)| *weight > 0.0 && *time > 0.0))
}

/// Which part of the evidence comes together: 1 is enough.
fn evidence(comparison: &Comparison, stays: &Stays, traffic: &Traffic, times: f64) -> f64 {
    let of = |(weight, time): &(f64, f64)| {
        needed(comparison, *weight, traffic, times).map_or(0.0, |all| time / all)
    };
    stays.iter().map(of).sum()
}

fn needed(comparison: &Comparison, weight: f64, traffic: &Traffic, times: f64) -> Option<f64> {
    let Traffic { requests, bad } = *traffic;
    let question = Question { requests, weight, bad, times };
    let known = comparison.dispersion.unwrap_or(1.0).max(1.0);
    seconds_needed(comparison, &question).filter(|seconds| *seconds > 0.0).map(|seconds| seconds * known)
}

fn too_little(comparison: &Comparison, stays: &Stays, traffic: &Traffic) -> Option<(String, String)> {
    if evidence(comparison, stays, traffic, RISE) >= 1.0 {
        return None;
    }
    let (weight, _) = stays.first()?;
    let needed = |weight: f64| needed(comparison, weight, traffic, RISE).map(seconds);
    let half = needed(0.5).filter(|_| *weight < 0.5).map(|half| format!(", or {half} at 50 %"));
    let enough = match needed(*weight) {
        Some(all) if stays.len() == 1 => format!("{all} are needed{}", half.unwrap_or_default()),
        Some(all) => format!("{all} at {} are needed{}", percent(*weight), half.unwrap_or_default()),
        None => "no time is enough".into(),
    };
    let what = format!(
        "{} of {} requests a second cannot show a {} error rate: {enough}",
        said(stays),
        digits(traffic.requests),
        fold(RISE)
    );
    Some((what, "write longer pauses or higher weights".into()))
}

fn least(comparison: &Comparison, stays: &Stays) -> Option<(String, String)> {
    let one = Traffic { requests: 1.0, bad: BAD };
    let needed = |times: f64| {
        let evidence = evidence(comparison, stays, &one, times);
        (evidence > 0.0).then(|| digits(1.0 / evidence))
    };
    let rise = needed(RISE)?;
    let pass = Some(comparison.pass_at).filter(|times| libm::fabs(times - RISE) > 1e-9 && *times > 1.0);
    let pass =
        pass.and_then(|times| Some(format!(", and a {} one at {} or more", fold(times), needed(times)?)));
    let what = format!(
        "in {}, a {} error rate shows at {rise} requests a second or more{}, if {} of the requests are bad",
        said(stays),
        fold(RISE),
        pass.unwrap_or_default(),
        percent(BAD)
    );
    Some((what, "with less traffic, write longer pauses or higher weights".into()))
}

/// `10 minutes at 5 % and 5 minutes at 50 %`.
fn said(stays: &Stays) -> String {
    let said: Vec<String> =
        stays.iter().map(|(weight, time)| format!("{} at {}", seconds(*time), percent(*weight))).collect();
    match said.as_slice() {
        [first, .., last] if said.len() > 3 => format!("{first} to {last}"),
        _ => said.join(" and "),
    }
}

/// Reads the settings. The chance of a false alarm is that of the whole run.
fn comparison(settings: &Json, many: u32) -> Comparison {
    let number = |field: &str| {
        let value = settings.get(field)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number > 0.0)
    };
    let default = Comparison::default();
    Comparison {
        alpha: number("alpha").unwrap_or(default.alpha) / f64::from(many.max(1)),
        tolerance: number("tolerance").unwrap_or(default.tolerance),
        floor: number("floor").unwrap_or(default.floor),
        dispersion: number("dispersion"),
        pass_at: number("passAt").unwrap_or(default.pass_at),
        beta: number("beta").unwrap_or(default.beta),
    }
}

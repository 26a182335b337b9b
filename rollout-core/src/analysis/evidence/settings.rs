//! The comparison as a metric writes it: the plug-in `rollout-core/compare`.

use super::{Comparison, Count, state::KEYS};
use crate::{
    Finding,
    analysis::{Metric, RunSpec, shortened, spec::text},
};
use alloc::{format, string::String, sync::Arc};
use serde_json::{Map, Value as Json};

/// The name of the plug-in.
const PLUGIN: &str = "rollout-core/compare";

/// A metric that compares the canary with stable.
///
/// ```
/// use rollout_core::analysis::{Answer, Compare, Count, Counters, Phase, RunSpec};
/// use serde_json::json;
/// let compare = json!({
///     "prometheus": {"address": "http://prometheus:9090"},
///     "canary": {"requests": "http_requests_total{hash=\"v2\"}", "bad": "http_requests_total{hash=\"v2\", code=~\"5..\"}"},
///     "stable": {"requests": "http_requests_total{hash=\"v1\"}", "bad": "http_requests_total{hash=\"v1\", code=~\"5..\"}"},
///     "alpha": "0.02",
/// });
/// let spec = RunSpec::read(&json!({"metrics": [{
///     "name": "errors", "interval": "30s", "provider": {"plugin": {"rollout-core/compare": compare}},
/// }]}));
/// let metric = &spec.metrics()[0];
/// let compare = Compare::read(&spec, metric).unwrap()?;
/// assert_eq!((compare.comparison().alpha, compare.query(Count::CanaryBad).len()), (0.02, 43));
///
/// let answer = compare.measure(metric, None, &Counters::new());
/// let Answer::Verdict { phase, value, .. } = answer else { unreachable!() };
/// assert_eq!(phase, Phase::Successful);
/// assert_eq!(value, "canary 0 of 0 bad, stable 0 of 0 bad, evidence 0.00 of 1");
/// # Ok::<(), rollout_core::Finding>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    comparison: Comparison,
    queries: [Arc<str>; 4],
    prometheus: Arc<Json>,
}

impl Compare {
    /// The keys of a measurement's metadata under which the evidence and the counters are kept. Shortened texts are of no
    /// use; they hold numbers and hashes only, and up to 130 kB.
    ///
    /// ```
    /// use rollout_core::analysis::Compare;
    /// assert_eq!(Compare::METADATA, ["rollout-core/evidence", "rollout-core/counters"]);
    /// ```
    pub const METADATA: [&str; 2] = KEYS;

    /// Reads a metric of a run; `None` if its provider is another. The chance of a false alarm is divided among the
    /// metrics of the run that compare, other than those whose measurements have no consequences.
    ///
    /// See [`Compare`] for an example.
    ///
    /// # Errors
    /// The first thing that is wrong: its path is that within the metric.
    #[must_use]
    pub fn read(spec: &RunSpec, metric: &Metric) -> Option<Result<Self, Finding>> {
        let block = block_of(metric)?;
        let compared =
            spec.metrics().iter().filter(|other| !other.dry_run && block_of(other).is_some()).count();
        Some(Self::of(block, metric, u32::try_from(compared).unwrap_or(u32::MAX).max(1)))
    }

    fn of(block: &Json, metric: &Metric, compared: u32) -> Result<Self, Finding> {
        let block = Block::of(block)?;
        let numbers = Comparison::default();
        let number = |field: &str, default: f64, from_to: (f64, f64)| block.number(field, default, from_to);
        let tolerance = number("tolerance", numbers.tolerance, (1.0, 100.0))?;
        let comparison = Comparison {
            alpha: number("alpha", numbers.alpha, (1e-9, 0.5))? / f64::from(compared),
            tolerance,
            floor: number("floor", numbers.floor, (0.0, 0.5))?,
            dispersion: block.dispersion()?,
            pass_at: number("passAt", numbers.pass_at, (1.0, 1_000.0))?,
            beta: number("beta", numbers.beta, (1e-9, 0.5))?,
        };
        if comparison.pass_at <= tolerance {
            let what = format!("is {}, and so much is tolerated", comparison.pass_at);
            return Err(wrong(".passAt", &what, format!("write more than the tolerance, {tolerance}")));
        }
        let [canary, canary_bad, stable, stable_bad] = Count::ALL.map(|count| block.query(count));
        let queries = [canary?, canary_bad?, stable?, stable_bad?];
        let prometheus = block.server()?;
        only_what_counts(metric, &comparison)?;
        Ok(Self { comparison, queries, prometheus: Arc::new(prometheus.clone()) })
    }

    /// Returns the numbers of the test.
    ///
    /// See [`Compare`] for an example.
    #[must_use]
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// Returns the query for one of the counters.
    ///
    /// See [`Compare`] for an example.
    #[must_use]
    pub fn query(&self, count: Count) -> &str {
        let [canary, canary_bad, stable, stable_bad] = &self.queries;
        match count {
            Count::Canary => canary,
            Count::CanaryBad => canary_bad,
            Count::Stable => stable,
            Count::StableBad => stable_bad,
        }
    }

    /// Returns where to ask, as it is written: the fields of the provider `prometheus`, without a query.
    ///
    /// See [`Compare`] for an example.
    #[must_use]
    pub fn prometheus(&self) -> &Json {
        &self.prometheus
    }
}

/// Returns the settings of a metric that compares.
pub(in crate::analysis) fn block_of(metric: &Metric) -> Option<&Json> {
    metric.provider().get("plugin")?.get(PLUGIN)
}

/// What else a metric says must mean something for a comparison.
fn only_what_counts(metric: &Metric, comparison: &Comparison) -> Result<(), Finding> {
    for (field, is_set) in [
        ("successCondition", metric.success.is_some()),
        ("failureCondition", metric.failure.is_some()),
        ("consecutiveSuccessLimit", metric.success_limit > 0),
    ] {
        if is_set {
            let what = format!("`{PLUGIN}` judges by itself");
            return Err(Finding::error(field, what, "leave it out"));
        }
    }
    // The first measurement only says where counting begins.
    let least = u64::from(comparison.windows_needed()).saturating_add(1);
    if let Some(count) = metric.count().filter(|count| *count < least) {
        let what = format!("after {count} measurements there can be no verdict");
        let instead = format!("write at least {least}, and an `interval`; or an `interval` alone");
        return Err(Finding::error("count", what, instead));
    }
    Ok(())
}

/// The settings as they are written.
struct Block<'b>(&'b Map<String, Json>);

impl<'b> Block<'b> {
    fn of(block: &'b Json) -> Result<Self, Finding> {
        const FIELDS: [&str; 9] =
            ["prometheus", "canary", "stable", "alpha", "tolerance", "floor", "dispersion", "passAt", "beta"];
        let Some(fields) = block.as_object() else {
            return Err(wrong("", "is no object", format!("write `{}`", FIELDS[..3].join("`, `"))));
        };
        match fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
            Some(unknown) => {
                let instead = format!("write one of `{}`", FIELDS.join("`, `"));
                Err(wrong(&format!(".{}", shortened(unknown)), "is no setting of it", instead))
            }
            None => Ok(Self(fields)),
        }
    }

    fn server(&self) -> Result<&'b Json, Finding> {
        let server = self.0.get("prometheus").filter(|server| !text(server, "address").trim().is_empty());
        let instead = "write the address of a server, such as `http://HOST:9090`";
        server.ok_or_else(|| wrong(".prometheus.address", "is missing", instead.into()))
    }

    fn query(&self, count: Count) -> Result<Arc<str>, Finding> {
        let field = format!("{count}");
        let query = field.split_once('.').and_then(|(side, what)| self.0.get(side)?.get(what)?.as_str());
        let written = query.filter(|query| !query.trim().is_empty());
        if written.is_some_and(|query| query.contains("rate(") || query.contains("increase(")) {
            let instead =
                "write the counter alone, such as `http_requests_total{…}`: differences are taken here";
            return Err(wrong(&format!(".{field}"), "is a rate, and not a counter", instead.into()));
        }
        let instead =
            "write a query for a counter, such as `http_requests_total{…}`, without `rate` or `increase`";
        written.map(Arc::from).ok_or_else(|| wrong(&format!(".{field}"), "is missing", instead.into()))
    }

    /// Reads a number, or a text with one: arguments are texts.
    fn number(&self, field: &str, default: f64, (least, most): (f64, f64)) -> Result<f64, Finding> {
        let Some(written) = self.0.get(field).filter(|written| !written.is_null()) else {
            return Ok(default);
        };
        let number = match written.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => written.as_f64(),
        };
        number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            let what = format!("is {}", shortened(&format!("{written}")));
            wrong(
                &format!(".{field}"),
                &what,
                format!("write a number from {least} to {most}, such as {default}"),
            )
        })
    }

    fn dispersion(&self) -> Result<Option<f64>, Finding> {
        match self.0.get("dispersion") {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) if text.trim() == "auto" => Ok(None),
            Some(_) => self.number("dispersion", 1.0, (1.0, 1_000.0)).map(Some).map_err(|mut wrong| {
                wrong.instead.push_str(", or `auto`");
                wrong
            }),
        }
    }
}

fn wrong(field: &str, what: &str, instead: String) -> Finding {
    Finding::error(format!("provider.plugin[{PLUGIN}]{field}"), what, instead)
}

//! Measures the metrics of analyses of simulated requests: as if a Prometheus had scraped their counters.

use super::{
    super::promql::{self, Labels},
    Traffic,
};
use rollout_core::{
    Time,
    analysis::{Answer, Compare, Count, Counters, Metric, MetricResult, RunSpec, Value},
};
use serde_json::Value as Json;

/// Measures a metric at this time.
pub(crate) fn measure(
    traffic: &Traffic,
    spec: &RunSpec,
    metric: &Metric,
    result: Option<&MetricResult>,
    now: Time,
) -> Answer {
    let answer = match Compare::read(spec, metric) {
        Some(Ok(compare)) => {
            counters(traffic, &compare, now).map(|counters| compare.measure(metric, result, &counters))
        }
        Some(Err(wrong)) => Err(wrong.to_string()),
        None => query(metric).and_then(|query| traffic.answer(query, now)).map(|answer| {
            Answer::Value(match answer {
                promql::Answer::Scalar(number) => Value::Number(number),
                promql::Answer::Vector(series) => {
                    Value::Numbers(series.into_iter().map(|(_, value)| value).collect())
                }
            })
        }),
    };
    answer.unwrap_or_else(|why| Answer::Unanswered { why, after: None })
}

/// Whether a metric can be measured.
///
/// # Errors
/// It asks another provider than Prometheus, or something that is not evaluated here.
pub(crate) fn can_measure(spec: &RunSpec, metric: &Metric) -> Result<(), String> {
    match Compare::read(spec, metric) {
        Some(Ok(compare)) => {
            Count::ALL.into_iter().try_for_each(|count| promql::parse(compare.query(count)).map(drop))
        }
        // Said elsewhere.
        Some(Err(_)) => Ok(()),
        None => promql::parse(query(metric)?).map(drop),
    }
}

fn query(metric: &Metric) -> Result<&str, String> {
    let Some(prometheus) = metric.provider().get("prometheus").filter(|provider| !provider.is_null()) else {
        return Err("its provider is not prometheus".to_owned());
    };
    if prometheus.get("rangeQuery").is_some_and(|range| !range.is_null()) {
        return Err("`rangeQuery` is not evaluated in a simulation".to_owned());
    }
    Ok(prometheus.get("query").and_then(Json::as_str).unwrap_or_default())
}

fn counters(traffic: &Traffic, compare: &Compare, now: Time) -> Result<Counters, String> {
    let mut counters = Counters::new();
    for count in Count::ALL {
        let series = match traffic.answer(compare.query(count), now)? {
            promql::Answer::Scalar(number) => vec![(Labels::new(), number)],
            promql::Answer::Vector(series) => series,
        };
        for (labels, value) in series {
            counters.insert(count, &format!("{labels:?}"), value).map_err(|error| error.to_string())?;
        }
    }
    Ok(counters)
}

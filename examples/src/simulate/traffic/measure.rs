//! Measures the metrics of analyses of simulated requests: as if a Prometheus had scraped their counters.

use super::{
    super::promql::{self, Labels, Matcher, Millis, Series, Source},
    Counted, Traffic, bounds,
    places::{Meaning, Places},
};
use rollout_core::{
    Time,
    analysis::{Answer, Compare, Count, Counters, Metric, MetricResult, RunSpec, Value},
};
use serde_json::Value as Json;
use std::cell::RefCell;

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
    queries(spec, metric)?.into_iter().try_for_each(|query| {
        // Types do not depend on what was counted.
        promql::evaluate(&promql::parse(&query)?, 0, &Nothing).map(drop)
    })
}

/// What in the queries of a metric says nothing about simulated requests, each with what it counts as.
pub(crate) fn doubts(spec: &RunSpec, metric: &Metric, places: &Places) -> Vec<String> {
    let parsed = queries(spec, metric).into_iter().flatten().filter_map(|query| promql::parse(&query).ok());
    let asked = Asked::default();
    for query in parsed {
        // It only notes what is asked for.
        let _ = promql::evaluate(&query, 0, &asked);
    }
    let mut doubts = Vec::new();
    for (name, matchers) in asked.0.into_inner() {
        if !is_a_count(&name) {
            doubts.push(format!("`{name}` is taken to count requests"));
        }
        for matcher in matchers {
            let shown = format!("`{}` with {:?}", matcher.label, matcher.value);
            if matcher.label == "le" {
                let Counted::Buckets { per_unit } = Counted::of(&name) else { continue };
                if !bounds(per_unit).any(|bound| matcher.names(&bound)) {
                    let all = bounds(per_unit).collect::<Vec<_>>().join(", ");
                    doubts.push(format!("no bucket has `le` {:?}: they end at {all}", matcher.value));
                }
                continue;
            }
            match places.meaning(&matcher) {
                Meaning::Some => {}
                Meaning::NoAnswer => {
                    doubts.push(format!("{shown} is the code of no simulated answer: they are 200 and 500"));
                }
                Meaning::None => {
                    doubts.push(format!("{shown} is no label of simulated requests: it is taken to hold"));
                }
            }
        }
    }
    doubts.sort();
    doubts.dedup();
    doubts
}

/// Whether a metric seems to count requests, or to be made of them.
fn is_a_count(name: &str) -> bool {
    ["_total", "_count", "_bucket", "_sum", "request", "rq", "error", "fail"]
        .iter()
        .any(|word| name.contains(word))
}

/// Counters that nobody has.
struct Nothing;

impl Source for Nothing {
    fn select(&self, _: &str, _: &[Matcher], _: Millis, _: Millis) -> Vec<Series> {
        Vec::new()
    }
}

/// What was asked for.
#[derive(Default)]
struct Asked(RefCell<Vec<(String, Vec<Matcher>)>>);

impl Source for Asked {
    fn select(&self, metric: &str, matchers: &[Matcher], _: Millis, _: Millis) -> Vec<Series> {
        self.0.borrow_mut().push((metric.to_owned(), matchers.to_vec()));
        Vec::new()
    }
}

/// Whether a metric asks Prometheus for one number, and not for a vector.
pub(crate) fn is_scalar(metric: &Metric) -> bool {
    let parsed = query(metric).and_then(promql::parse);
    let answer = parsed.and_then(|query| promql::evaluate(&query, 0, &Nothing));
    matches!(answer, Ok(promql::Answer::Scalar(_)))
}

/// The queries of a metric.
fn queries(spec: &RunSpec, metric: &Metric) -> Result<Vec<String>, String> {
    match Compare::read(spec, metric) {
        Some(Ok(compare)) => Ok(Count::ALL.map(|count| compare.query(count).to_owned()).into()),
        Some(Err(wrong)) => Err(wrong.to_string()),
        None => query(metric).map(|query| vec![query.to_owned()]),
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

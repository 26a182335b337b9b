//! What a query answers at one time.

use super::{
    Grouping, Labels, Matching, Millis, Query, Selector, Source,
    functions::{of_number, quantile},
    range::{self, Span},
};
use std::collections::BTreeMap;

/// How old the newest sample may be, as in Prometheus.
const LOOK_BACK: Millis = 300_000;

/// What a query answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

/// Evaluates a query at a time.
///
/// # Errors
/// A selector with a range stands where none can, or two series of one side match one of the other.
pub(crate) fn evaluate(query: &Query, at: Millis, source: &dyn Source) -> Result<Answer, String> {
    Evaluation { at, source }.value(query)
}

struct Evaluation<'s> {
    at: Millis,
    source: &'s dyn Source,
}

impl Evaluation<'_> {
    fn value(&self, query: &Query) -> Result<Answer, String> {
        match query {
            Query::Number(number) => Ok(Answer::Scalar(*number)),
            Query::Select(selector) => self.newest(selector),
            Query::Negative(of) => Ok(match self.value(of)? {
                Answer::Scalar(number) => Answer::Scalar(-number),
                Answer::Vector(series) => Answer::Vector(map(series, |number| -number)),
            }),
            Query::Call { function, arguments } => self.call(function, arguments),
            Query::Aggregate { operator, by, of } => self.aggregate(operator, by, of),
            Query::Binary { operator, bool, matching, left, right } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                binary(operator, *bool, matching, left, right)
            }
        }
    }

    fn newest(&self, selector: &Selector) -> Result<Answer, String> {
        if selector.range.is_some() {
            return Err("a range such as [5m] needs a function around it, such as rate".to_owned());
        }
        let at = self.at - selector.offset;
        let series = self.source.select(&selector.metric, &selector.matchers, at - LOOK_BACK, at);
        let newest = series.into_iter().filter_map(|series| {
            let (_, value) = series.samples.last()?;
            Some((series.labels, *value))
        });
        Ok(Answer::Vector(newest.collect()))
    }

    fn over_range(&self, function: &str, selector: &Selector) -> Answer {
        let span = Span { end: self.at - selector.offset, length: selector.range.unwrap_or(LOOK_BACK) };
        let (metric, from) = (&selector.metric, span.end - span.length);
        let series = self.source.select(metric, &selector.matchers, from, span.end);
        let each = series.into_iter().filter_map(|series| {
            let value = range::apply(function, &series.samples, span)?;
            Some((series.labels, value))
        });
        Answer::Vector(each.collect())
    }

    fn number(&self, query: &Query) -> Result<f64, String> {
        match self.value(query)? {
            Answer::Scalar(number) => Ok(number),
            Answer::Vector(_) => Err("a number is expected, and not a vector".to_owned()),
        }
    }

    fn vector(&self, query: &Query) -> Result<Vec<(Labels, f64)>, String> {
        match self.value(query)? {
            Answer::Vector(series) => Ok(series),
            Answer::Scalar(_) => Err("a vector is expected, and not a number".to_owned()),
        }
    }

    fn call(&self, function: &str, arguments: &[Query]) -> Result<Answer, String> {
        match (function, arguments) {
            (_, [Query::Select(selector)]) if selector.range.is_some() => {
                Ok(self.over_range(function, selector))
            }
            ("time", []) => Ok(Answer::Scalar(f64::from(u32::try_from(self.at / 1_000).unwrap_or(u32::MAX)))),
            ("vector", [of]) => Ok(Answer::Vector(vec![(Labels::new(), self.number(of)?)])),
            ("scalar", [of]) => {
                let one = |series: Vec<(Labels, f64)>| match series.as_slice() {
                    [(_, value)] => *value,
                    _ => f64::NAN,
                };
                Ok(Answer::Scalar(one(self.vector(of)?)))
            }
            ("absent", [of]) => {
                let none = self.vector(of)?.is_empty();
                Ok(Answer::Vector(if none { vec![(Labels::new(), 1.0)] } else { Vec::new() }))
            }
            ("histogram_quantile", [share, of]) => {
                Ok(Answer::Vector(quantiles(self.number(share)?, self.vector(of)?)))
            }
            ("clamp_min", [of, least]) => self.clamp(of, self.number(least)?, f64::INFINITY),
            ("clamp_max", [of, most]) => self.clamp(of, f64::NEG_INFINITY, self.number(most)?),
            ("clamp", [of, least, most]) => self.clamp(of, self.number(least)?, self.number(most)?),
            ("round", [of]) => self.round(of, 1.0),
            ("round", [of, to]) => self.round(of, self.number(to)?),
            (_, [of]) => {
                let series = self.vector(of)?;
                Ok(Answer::Vector(map(series, |number| of_number(function, number).unwrap_or(f64::NAN))))
            }
            _ => Err(format!("`{function}` is not evaluated in a simulation")),
        }
    }

    fn clamp(&self, of: &Query, least: f64, most: f64) -> Result<Answer, String> {
        let series = self.vector(of)?;
        if least > most {
            return Ok(Answer::Vector(Vec::new()));
        }
        Ok(Answer::Vector(map(
            series,
            |number| if number.is_nan() { number } else { number.max(least).min(most) },
        )))
    }

    fn round(&self, of: &Query, to: f64) -> Result<Answer, String> {
        // Halves go up, as in Prometheus.
        Ok(Answer::Vector(map(self.vector(of)?, |number| (number / to + 0.5).floor() * to)))
    }

    fn aggregate(&self, operator: &str, by: &Grouping, of: &Query) -> Result<Answer, String> {
        let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
        for (labels, value) in self.vector(of)? {
            let kept = labels.into_iter().filter(|(label, _)| by.labels.contains(label) != by.without);
            groups.entry(kept.collect()).or_default().push(value);
        }
        let each = groups.into_iter().map(|(labels, values)| {
            let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
            let sum = values.iter().sum::<f64>();
            let value = match operator {
                "sum" => sum,
                "avg" => sum / count,
                "min" => values.into_iter().reduce(f64::min).unwrap_or(f64::NAN),
                "max" => values.into_iter().reduce(f64::max).unwrap_or(f64::NAN),
                _ => count,
            };
            (labels, value)
        });
        Ok(Answer::Vector(each.collect()))
    }
}

fn map(series: Vec<(Labels, f64)>, of: impl Fn(f64) -> f64) -> Vec<(Labels, f64)> {
    series.into_iter().map(|(labels, value)| (labels, of(value))).collect()
}

fn quantiles(share: f64, series: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (mut labels, count) in series {
        let bound = labels.remove("le").and_then(|bound| match bound.as_str() {
            "+Inf" => Some(f64::INFINITY),
            bound => bound.parse().ok(),
        });
        if let Some(bound) = bound {
            groups.entry(labels).or_default().push((bound, count));
        }
    }
    groups.into_iter().map(|(labels, buckets)| (labels, quantile(share, buckets))).collect()
}

fn binary(
    operator: &str,
    bool: bool,
    matching: &Matching,
    left: Answer,
    right: Answer,
) -> Result<Answer, String> {
    let is_comparison = matches!(operator, "==" | "!=" | "<" | "<=" | ">" | ">=");
    let keeps = |one: f64, other: f64| compared(operator, one, other);
    let as_number = |holds: bool| if holds { 1.0 } else { 0.0 };
    match (left, right) {
        (Answer::Vector(left), Answer::Vector(right)) if matches!(operator, "and" | "or" | "unless") => {
            Ok(Answer::Vector(sets(operator, matching, left, right)))
        }
        _ if matches!(operator, "and" | "or" | "unless") => {
            Err(format!("`{operator}` stands between two vectors"))
        }
        (Answer::Scalar(left), Answer::Scalar(right)) if is_comparison => {
            if bool {
                Ok(Answer::Scalar(as_number(keeps(left, right))))
            } else {
                Err(format!("`{operator}` between two numbers needs `bool` behind it"))
            }
        }
        (Answer::Scalar(left), Answer::Scalar(right)) => Ok(Answer::Scalar(computed(operator, left, right))),
        (Answer::Vector(left), Answer::Vector(right)) => joined(matching, left, right, |left, right| {
            if !is_comparison {
                return Some(computed(operator, left, right));
            }
            if bool { Some(as_number(keeps(left, right))) } else { keeps(left, right).then_some(left) }
        }),
        (Answer::Vector(series), Answer::Scalar(number)) => {
            let each = series.into_iter().filter_map(|(labels, value)| {
                let value = match (is_comparison, bool) {
                    (false, _) => computed(operator, value, number),
                    (true, true) => as_number(keeps(value, number)),
                    (true, false) => Some(value).filter(|value| keeps(*value, number))?,
                };
                Some((labels, value))
            });
            Ok(Answer::Vector(each.collect()))
        }
        (Answer::Scalar(number), Answer::Vector(series)) => {
            let each = series.into_iter().filter_map(|(labels, value)| {
                let value = match (is_comparison, bool) {
                    (false, _) => computed(operator, number, value),
                    (true, true) => as_number(keeps(number, value)),
                    (true, false) => Some(value).filter(|value| keeps(number, *value))?,
                };
                Some((labels, value))
            });
            Ok(Answer::Vector(each.collect()))
        }
    }
}

#[expect(clippy::float_cmp, reason = "what the query asks")]
fn compared(operator: &str, one: f64, other: f64) -> bool {
    match operator {
        "==" => one == other,
        "!=" => one != other,
        "<" => one < other,
        "<=" => one <= other,
        ">" => one > other,
        _ => one >= other,
    }
}

fn computed(operator: &str, one: f64, other: f64) -> f64 {
    match operator {
        "+" => one + other,
        "-" => one - other,
        "*" => one * other,
        "/" => one / other,
        "%" => one % other,
        _ => one.powf(other),
    }
}

/// The labels by which two sides are matched.
fn key(matching: &Matching, labels: &Labels) -> Labels {
    let kept = labels.iter().filter(|(label, _)| match matching {
        Matching::All => true,
        Matching::On(on) => on.contains(label),
        Matching::Ignoring(ignored) => !ignored.contains(label),
    });
    kept.map(|(label, value)| (label.clone(), value.clone())).collect()
}

fn joined(
    matching: &Matching,
    left: Vec<(Labels, f64)>,
    right: Vec<(Labels, f64)>,
    of: impl Fn(f64, f64) -> Option<f64>,
) -> Result<Answer, String> {
    let mut others: BTreeMap<Labels, f64> = BTreeMap::new();
    let twice = || Err("several series of one side match one of the other; sum them first".to_owned());
    for (labels, value) in right {
        if others.insert(key(matching, &labels), value).is_some() {
            return twice();
        }
    }
    let mut results: BTreeMap<Labels, f64> = BTreeMap::new();
    for (labels, value) in left {
        let key = key(matching, &labels);
        let Some(other) = others.get(&key) else { continue };
        if results.contains_key(&key) {
            return twice();
        }
        if let Some(result) = of(value, *other) {
            results.insert(key, result);
        }
    }
    Ok(Answer::Vector(results.into_iter().collect()))
}

fn sets(
    operator: &str,
    matching: &Matching,
    left: Vec<(Labels, f64)>,
    right: Vec<(Labels, f64)>,
) -> Vec<(Labels, f64)> {
    let has = |side: &[(Labels, f64)], labels: &Labels| {
        let wanted = key(matching, labels);
        side.iter().any(|(other, _)| key(matching, other) == wanted)
    };
    match operator {
        "and" => left.into_iter().filter(|(labels, _)| has(&right, labels)).collect(),
        "unless" => left.into_iter().filter(|(labels, _)| !has(&right, labels)).collect(),
        _ => {
            let more: Vec<_> = right.into_iter().filter(|(labels, _)| !has(&left, labels)).collect();
            left.into_iter().chain(more).collect()
        }
    }
}

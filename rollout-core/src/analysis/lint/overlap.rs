//! Whether both conditions hold for one value. A gap between them is legal: such a value is inconclusive.

use super::{
    Notes,
    answers::Answers,
    conditions::{FAILURE, sound},
};
use crate::analysis::{Condition, Value};
use alloc::{format, vec, vec::Vec};

/// How many bounds are tried; a person writes one or two.
const MOST: usize = 10;

pub(super) fn note(notes: &mut Notes<'_>, answers: &Answers) {
    if matches!(answers, Answers::Verdict(_)) {
        return;
    }
    let metric = notes.metric;
    let [good, bad] = [&metric.success, &metric.failure].map(|judge| sound(judge.as_ref(), answers));
    let (Some(good), Some(bad)) = (good, bad) else { return };
    let samples = samples(good, bad);
    let holds = |value: &Value| Some((good.tried(value)?, bad.tried(value)?));
    // Where it is not known what is answered, it is a number or a list of one.
    let as_list = |number: &f64| Value::Numbers(vec![*number]);
    let shapes: [fn(&f64) -> Value; 2] = [|number| Value::Number(*number), as_list];
    let tried = shapes.iter().find_map(|shape| {
        let values = samples.iter().map(shape);
        values.map(|value| Some((holds(&value)?, value))).collect::<Option<Vec<_>>>()
    });
    let mut tried = tried.unwrap_or_default();
    let is_hopeless = good.is_comparison()
        && bad.is_comparison()
        && tried.iter().any(|((good, _), _)| *good)
        && tried.iter().all(|((good, bad), _)| !good || *bad);
    if matches!(answers, Answers::List(_)) {
        let empty = Value::Numbers(Vec::new());
        tried.extend(holds(&empty).map(|holds| (holds, empty)));
    }
    let Some((_, value)) = tried.iter().find(|((good, bad), _)| *good && *bad) else { return };
    let which = if matches!(value, Value::Numbers(numbers) if numbers.is_empty()) {
        "an empty answer".into()
    } else {
        format!("the answer {value}")
    };
    let instead = "write two conditions that are never true together, or leave one out";
    if is_hopeless {
        let what = "whenever the successCondition is true, this is true as well, and that counts as bad";
        notes.wrong(FAILURE, what, instead);
    } else {
        notes.odd(FAILURE, format!("{which} is good and bad at once, and then counts as bad"), instead);
    }
}

/// Each bound, and a number between each two: that is every case of comparisons with these bounds.
fn samples(good: &Condition, bad: &Condition) -> Vec<f64> {
    let mut bounds: Vec<f64> = good.numbers().into_iter().chain(bad.numbers()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup_by(|one, other| one.total_cmp(other).is_eq());
    bounds.truncate(MOST);
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else { return Vec::new() };
    let ends = [first - 1.0, last + 1.0];
    let between = bounds.windows(2).filter_map(|pair| Some(pair.first()? / 2.0 + pair.last()? / 2.0));
    let between: Vec<f64> = between.collect();
    // What lies between is shown first: that is more telling than a bound.
    between.into_iter().chain(ends).chain(bounds).collect()
}

//! Whether a condition can be evaluated, also when there is no data.

use super::{
    Notes,
    answers::{Answers, is_known},
    promql::Query,
};
use crate::analysis::{
    Condition, ConditionError, Kind, Value,
    condition::shortened,
    spec::{Judge, Metric},
};
use alloc::{boxed::Box, format, string::String};
use serde_json::Value as Json;

const SUCCESS: &str = "successCondition";
pub(super) const FAILURE: &str = "failureCondition";

/// Both conditions with their fields.
pub(super) fn both(metric: &Metric) -> [(&'static str, Option<&Judge>); 2] {
    [(SUCCESS, metric.success.as_ref()), (FAILURE, metric.failure.as_ref())]
}

/// A condition that can be evaluated for these answers.
pub(super) fn sound<'j>(judge: Option<&'j Judge>, answers: &Answers) -> Option<&'j Condition> {
    let condition = judge?.as_ref().ok()?;
    condition.check(&answers.kind()).is_ok().then_some(condition)
}

pub(super) fn note(notes: &mut Notes<'_>, answers: &Answers) {
    let metric = notes.metric;
    for (field, judge) in both(metric) {
        let Some(judge) = judge else { continue };
        let text = match judge {
            Ok(condition) => condition.text(),
            Err((text, _)) => text,
        };
        if let Answers::Verdict(who) = answers {
            notes.odd(
                field,
                format!("the condition is ignored: {who} says whether it is a success"),
                "leave it out",
            );
            continue;
        }
        // What a Secret holds may be anything.
        if !is_known(text) {
            continue;
        }
        match judge.as_ref().map_err(|(_, error)| error.clone()) {
            Err(error) => never(notes, field, text, &error),
            Ok(condition) => match condition.check(&answers.kind()) {
                Err(error) => misfit(notes, field, condition, answers, &error),
                Ok(()) => without_data(notes, field, condition, answers),
            },
        }
    }
}

fn never(notes: &mut Notes<'_>, field: &str, text: &str, error: &ConditionError) {
    let (text, at) = (shortened(text), error.character);
    let what = format!("`{text}` is an error whatever is measured, at character {at}: {}", error.what);
    notes.wrong(field, what, error.instead.clone());
}

/// The type does not fit. A server that speaks Prometheus' language may answer every scalar with a list.
fn misfit(
    notes: &mut Notes<'_>,
    field: &str,
    condition: &Condition,
    answers: &Answers,
    error: &ConditionError,
) {
    let fits_list = || condition.check(&Kind::List(Box::new(Kind::Float))).is_ok();
    if matches!(answers, Answers::Scalar(_)) && fits_list() {
        let what =
            "Prometheus answers this query with one number and no list: the condition is then an error";
        notes.odd(field, what, "write `result` without an index, or leave out `scalar(…)`");
    } else {
        never(notes, field, condition.text(), error);
    }
}

/// What the condition is worth when there is no data: an empty list, NaN, or nothing.
fn without_data(notes: &mut Notes<'_>, field: &str, condition: &Condition, answers: &Answers) {
    let text = condition.text();
    let query = answers.query();
    let may_be_nan = query.is_some_and(Query::may_be_nan);
    match answers {
        Answers::List(_) if query.is_none_or(Query::may_be_empty) => {
            // With one number and with two: what asks for more than that is beyond this.
            let numbers = |numbers: &[f64]| condition.tried(&Value::Numbers(numbers.to_vec()));
            if numbers(&[0.5]).is_none() || numbers(&[0.5, 2.0]).is_none() {
                if condition.defaults_a_part() {
                    let what = "`default` asks whether all of `result` is nothing, and is all of it otherwise: the condition is an error";
                    notes.odd(field, what, "write `len(result) == 0 || result[0] …` instead");
                }
                return;
            }
            match (numbers(&[]), numbers(&[f64::NAN])) {
                (None, _) => {
                    let what = "an answer without data is an error: the list is empty when no series matches";
                    notes.odd(field, what, guards(field, text, may_be_nan));
                }
                (Some(empty), Some(nan)) if empty != nan && may_be_nan && !text.contains("isNaN") => {
                    let what = format!(
                        "an empty answer {}, but NaN, which a query gives for 0/0, {}",
                        meaning(field, empty),
                        meaning(field, nan)
                    );
                    let guard = if empty { "isNaN(result[0]) ||" } else { "!isNaN(result[0]) &&" };
                    notes.odd(
                        field,
                        what,
                        format!("also write `{guard} …` behind the guard with `len(result)`"),
                    );
                }
                (Some(_), _) => {}
            }
        }
        Answers::Scalar(query) if (query.takes_scalar() || may_be_nan) && !text.contains("isNaN") => {
            if let Some(nan) = condition.tried(&Value::Number(f64::NAN)) {
                let what = format!("without data, the answer is NaN, and that {}", meaning(field, nan));
                notes.odd(field, what, either(field, text, "isNaN(result)", "!isNaN(result)"));
            }
        }
        Answers::NumberOrNil => {
            let is_error = condition.tried(&Value::Json(Json::Null)).is_none();
            if is_error && condition.tried(&Value::Number(0.5)).is_some() {
                let what = "an answer without data is an error: Datadog then answers nothing";
                notes.odd(
                    field,
                    what,
                    "write `default(result, 0)` for `result`, with the value that it shall have",
                );
            }
        }
        Answers::Verdict(_) | Answers::Value(_) | Answers::Scalar(_) | Answers::List(_) => {}
    }
}

fn guards(field: &str, text: &str, may_be_nan: bool) -> String {
    if may_be_nan && !text.contains("isNaN") {
        let either_is = "len(result) == 0 || isNaN(result[0])";
        return either(field, text, either_is, "len(result) > 0 && !isNaN(result[0])");
    }
    either(field, text, "len(result) == 0", "len(result) > 0")
}

/// Both ways to guard a condition, with what they mean.
fn either(field: &str, text: &str, is_missing: &str, is_there: &str) -> String {
    let text = shortened(text);
    let [missing, there] = [meaning(field, true), meaning(field, false)];
    let [missing, there] = [missing, there].map(|meaning| meaning.replace("counts", "shall count"));
    // `||` binds loosest of all but `?`, so it needs parentheses only behind `&&`.
    let is_loose = text.contains("||") || text.contains(" or ") || text.contains('?');
    let inner = if is_loose { format!("({text})") } else { text.clone() };
    format!("write `{is_missing} || {text}` if it {missing}, or `{is_there} && {inner}` if it {there}")
}

/// What a condition that is true or false means for the metric.
fn meaning(field: &str, holds: bool) -> &'static str {
    if (field == SUCCESS) == holds { "counts as good" } else { "counts as bad" }
}

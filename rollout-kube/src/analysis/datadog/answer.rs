//! What Datadog answers.

use crate::{analysis::http::HttpAnswer, runs::Version};
use rollout_core::analysis::{Answer, Value as Measured};
use serde_json::Value;

/// The most letters of an answer that is no value that are told.
const TOLD: usize = 300;

/// Reads an answer of any status.
pub(super) fn read(answer: &HttpAnswer, version: Version) -> Answer {
    let unanswered = |why: String| Answer::Unanswered { why, after: answer.retry_after };
    let status = answer.status.as_u16();
    if status != 200 {
        let said: String = String::from_utf8_lossy(&answer.body).chars().take(TOLD).collect();
        let which = if matches!(status, 401 | 403) { "authentication error" } else { "non 2xx" };
        return unanswered(format!("received {which} response code: {status} {said}"));
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return unanswered("Could not parse JSON body: it is no JSON".to_owned());
    };
    let measured = match version {
        Version::V1 => last_point(&body),
        Version::V2 => columns(&body),
    };
    match measured {
        // Nothing was found: a condition may say what that means.
        Ok(measured) => Answer::Value(measured.unwrap_or(Measured::Json(Value::Null))),
        Err(why) => unanswered(why),
    }
}

/// The newest point of the first series.
fn last_point(body: &Value) -> Result<Option<Measured>, String> {
    if body.get("status").and_then(Value::as_str) == Some("error") {
        let said = body.get("error").and_then(Value::as_str).unwrap_or_default();
        return Err(format!("There were errors in your query: {said}"));
    }
    let points = body.pointer("/series/0/pointlist").and_then(Value::as_array);
    let Some(point) = points.and_then(|points| points.last()) else { return Ok(None) };
    match point.as_array().map(Vec::as_slice) {
        Some([_, Value::Null]) => Ok(None),
        Some([_, Value::Number(value)]) => Ok(value.as_f64().map(Measured::Number)),
        _ => Err("Datapoint does not have 2 values".to_owned()),
    }
}

/// The first column of numbers: one number, or a list if there are groups, even if there is only one.
fn columns(body: &Value) -> Result<Option<Measured>, String> {
    let said = body.pointer("/data/errors").or_else(|| body.get("errors"));
    let said = said.and_then(|said| said.as_str().or_else(|| said.get(0)?.as_str()));
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        return Err(format!("There were errors in your query: {said}"));
    }
    let columns = body.pointer("/data/attributes/columns").and_then(Value::as_array);
    let columns = columns.map_or(&[][..], Vec::as_slice);
    let kind = |column: &&Value| column.get("type").and_then(Value::as_str).unwrap_or("number").to_owned();
    let numbers = columns.iter().find(|column| matches!(kind(column).as_str(), "" | "number"));
    let values = numbers.and_then(|column| column.get("values")?.as_array()).into_iter().flatten();
    // A group without data has no value.
    let values = values
        .filter(|value| !value.is_null())
        .map(|value| value.as_f64().ok_or_else(|| format!("could not parse numeric value {value}")));
    let values: Vec<f64> = values.collect::<Result<_, _>>()?;
    let is_grouped = columns.iter().any(|column| kind(&column) == "group");
    Ok(match (values.first(), is_grouped) {
        (None, _) => None,
        (Some(_), true) => Some(Measured::Numbers(values)),
        (Some(value), false) => Some(Measured::Number(*value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use serde_json::json;
    use std::time::Duration;

    fn of(version: Version, body: &Value) -> Result<Value, String> {
        let body = body.to_string().into_bytes();
        match read(&HttpAnswer { status: StatusCode::OK, retry_after: None, body }, version) {
            Answer::Value(Measured::Json(json)) => Ok(json),
            Answer::Value(Measured::Number(number)) => Ok(json!(number)),
            Answer::Value(Measured::Numbers(numbers)) => Ok(json!(numbers)),
            Answer::Unanswered { why, .. } => Err(why),
            other @ (Answer::Value(_) | Answer::Verdict { .. } | Answer::Running { .. }) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn version_1_answers_with_the_newest_point_of_the_first_series() {
        let points = |points: Value| {
            of(Version::V1, &json!({"series": [{"pointlist": points}, {"pointlist": [[1, 9]]}]}))
        };
        assert_eq!(points(json!([[1, 0.5], [2, 0.25]])), Ok(json!(0.25)));
        assert_eq!(points(json!([])), Ok(Value::Null));
        assert_eq!(points(json!([[1, null]])), Ok(Value::Null));
        assert_eq!(of(Version::V1, &json!({"series": []})), Ok(Value::Null));
        assert_eq!(points(json!([[1]])), Err("Datapoint does not have 2 values".to_owned()));
        let error = of(Version::V1, &json!({"status": "error", "error": "no such metric"}));
        assert_eq!(error, Err("There were errors in your query: no such metric".to_owned()));
    }

    #[test]
    fn version_2_answers_with_a_number_or_a_list_by_group() {
        let columns =
            |columns: Value| of(Version::V2, &json!({"data": {"attributes": {"columns": columns}}}));
        assert_eq!(columns(json!([{"values": [0.5]}])), Ok(json!(0.5)));
        assert_eq!(
            columns(json!([{"type": "number", "values": [0.5]}, {"type": "number", "values": [7]}])),
            Ok(json!(0.5))
        );
        let group = json!({"type": "group", "values": [["a"], ["b"], ["c"]]});
        let grouped = |values: Value| columns(json!([group, {"type": "number", "values": values}]));
        assert_eq!(grouped(json!([1, null, 3])), Ok(json!([1.0, 3.0])));
        assert_eq!(grouped(json!([null, 2, null])), Ok(json!([2.0])), "one group is a list, too");
        for nothing in [json!([]), json!([{"values": []}]), json!([{"values": [null]}])] {
            assert_eq!(columns(nothing), Ok(Value::Null));
        }
        assert_eq!(grouped(json!(["many"])), Err("could not parse numeric value \"many\"".to_owned()));
        for errors in [json!({"data": {"errors": "bad query"}}), json!({"errors": ["bad query"]})] {
            assert_eq!(
                of(Version::V2, &errors),
                Err("There were errors in your query: bad query".to_owned())
            );
        }
    }

    #[test]
    fn an_error_has_the_words_of_argo_rollouts() {
        let of = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = HttpAnswer { status, retry_after: Some(Duration::from_secs(3)), body: body.into() };
            let Answer::Unanswered { why, .. } = read(&answer, Version::V2) else { panic!("an answer") };
            why
        };
        assert_eq!(of(403, "no"), "received authentication error response code: 403 no");
        assert_eq!(of(202, ""), "received non 2xx response code: 202 ");
        assert!(of(500, &"x".repeat(9_000)).len() < 400);
        assert_eq!(of(200, "<html>"), "Could not parse JSON body: it is no JSON");
    }
}

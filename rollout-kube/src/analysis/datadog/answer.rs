//! What Datadog answers.

use crate::{
    analysis::{http::HttpAnswer, mask::LONGEST_VALUE},
    runs::Version,
};
use rollout_core::analysis::{Answer, Value as Measured};
use serde_json::{Value, json};
use std::{collections::BTreeMap, iter};

/// The most letters of an answer that is no value that are told.
const TOLD: usize = 300;

/// How many groups are told, if they fit: a text that is too long would be cut.
const GROUPS: [usize; 5] = [100, 50, 24, 12, 6];
/// The most letters of the name of a group.
const NAME: usize = 100;

/// What was measured, and what is told beside it.
type Measurement = (Option<Measured>, Metadata);
type Metadata = BTreeMap<String, String>;

/// Reads an answer of any status. Which group has which value is told beside it, for people.
pub(super) fn read(answer: &HttpAnswer, version: Version) -> (Answer, Metadata) {
    let unanswered = |why: String| (Answer::Unanswered { why, after: answer.retry_after }, Metadata::new());
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
        Version::V1 => last_point(&body).map(|point| (point, Metadata::new())),
        Version::V2 => columns(&body),
    };
    match measured {
        // Nothing was found: a condition may say what that means.
        Ok((measured, told)) => (Answer::Value(measured.unwrap_or(Measured::Json(Value::Null))), told),
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
fn columns(body: &Value) -> Result<Measurement, String> {
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
    let of_groups: Vec<&Value> = columns.iter().filter(|column| kind(column) == "group").collect();
    let mut groups = Vec::new();
    // A group without data has no value.
    for (row, value) in values.enumerate().filter(|(_, value)| !value.is_null()) {
        let value = value.as_f64().ok_or_else(|| format!("could not parse numeric value {value}"))?;
        let name =
            group(&of_groups, row).ok_or_else(|| format!("could not parse group label at index {row}"))?;
        groups.push((name, value));
    }
    let Some((_, first)) = groups.first() else { return Ok((None, Metadata::new())) };
    if of_groups.is_empty() {
        return Ok((Some(Measured::Number(*first)), Metadata::new()));
    }
    let values = groups.iter().map(|(_, value)| *value).collect();
    Ok((Some(Measured::Numbers(values)), told(groups)))
}

/// The name of a group: what all columns of groups have in this row.
fn group(columns: &[&Value], row: usize) -> Option<String> {
    let mut parts = Vec::new();
    for column in columns {
        let tags = column.get("values")?.get(row)?.as_array().filter(|tags| !tags.is_empty())?;
        for tag in tags {
            parts.push(tag.as_str()?);
        }
    }
    Some(parts.join(",").chars().take(NAME).collect())
}

/// Tells which group has which value. Of many groups, those with the lowest and the highest values are told: one of them
/// is why a condition does not hold.
fn told(mut groups: Vec<(String, f64)>) -> Metadata {
    let all = groups.len();
    let text = |groups: &[(String, f64)]| {
        groups
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect::<Value>()
            .to_string()
    };
    let mut told = if all > GROUPS[0] { String::new() } else { text(&groups) };
    for most in GROUPS.into_iter().filter(|most| *most < all) {
        if !told.is_empty() && told.len() <= LONGEST_VALUE {
            break;
        }
        if groups.len() == all {
            groups.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        }
        groups.drain(most / 2..groups.len().saturating_sub(most / 2));
        told = text(&groups);
    }
    let is_cut = groups.len() < all;
    let cut = is_cut.then(|| ("groups_truncated".to_owned(), "true".to_owned()));
    iter::once(("groups".to_owned(), told)).chain(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::Duration;

    fn of(version: Version, body: &Value) -> Result<Value, String> {
        let body = body.to_string().into_bytes();
        match read(&HttpAnswer { status: StatusCode::OK, retry_after: None, body }, version).0 {
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
    fn which_group_has_which_value_is_told() {
        let told = |columns: Value| {
            let body = json!({"data": {"attributes": {"columns": columns}}}).to_string().into_bytes();
            read(&HttpAnswer { status: StatusCode::OK, retry_after: None, body }, Version::V2).1
        };
        let group = |values: Value| json!({"type": "group", "values": values});
        let number = |values: Value| json!({"type": "number", "values": values});
        let regions = group(json!([["us-east"], ["eu"], ["us-west"]]));
        let hosts = group(json!([["a"], ["b"], ["c", "d"]]));
        let of_two = told(json!([regions, hosts, number(json!([1, null, 0.5]))]));
        let groups = r#"[{"name":"us-east,a","value":1.0},{"name":"us-west,c,d","value":0.5}]"#;
        assert_eq!(of_two, Metadata::from([("groups".to_owned(), groups.to_owned())]));
        assert_eq!(told(json!([number(json!([1]))])), Metadata::new(), "there are no groups");
        for (letters, most) in [(0, 50), (9_000, 12)] {
            let name = |row| json!([format!("h{row}{}", "x".repeat(letters))]);
            let (names, values): (Vec<_>, Vec<_>) = (0..250).map(|row| (name(row), (row * 7) % 250)).unzip();
            let cut = told(json!([group(json!(names)), number(json!(values))]));
            assert_eq!(cut["groups_truncated"], "true");
            let groups: Vec<Value> = serde_json::from_str(&cut["groups"]).unwrap();
            let values: Vec<f64> = groups.iter().filter_map(|group| group["value"].as_f64()).collect();
            let expected: Vec<f64> = (0..most).chain(250 - most..250).map(f64::from).collect();
            assert_eq!(values, expected, "the lowest and the highest");
            assert!(cut["groups"].len() <= LONGEST_VALUE);
        }
    }

    #[test]
    fn a_group_without_a_name_is_an_error() {
        let group = |values: Value| {
            of(
                Version::V2,
                &json!({"data": {"attributes": {"columns": [
                    {"type": "group", "values": values}, {"type": "number", "values": [1, 2]}
                ]}}}),
            )
        };
        for values in [json!([["a"]]), json!([["a"], []]), json!([["a"], null]), json!([["a"], [7]])] {
            assert_eq!(group(values), Err("could not parse group label at index 1".to_owned()));
        }
    }

    #[test]
    fn an_error_has_the_words_of_argo_rollouts() {
        let of = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = HttpAnswer { status, retry_after: Some(Duration::from_secs(3)), body: body.into() };
            let Answer::Unanswered { why, .. } = read(&answer, Version::V2).0 else { panic!("an answer") };
            why
        };
        assert_eq!(of(403, "no"), "received authentication error response code: 403 no");
        assert_eq!(of(202, ""), "received non 2xx response code: 202 ");
        assert!(of(500, &"x".repeat(9_000)).len() < 400);
        assert_eq!(of(200, "<html>"), "Could not parse JSON body: it is no JSON");
    }
}

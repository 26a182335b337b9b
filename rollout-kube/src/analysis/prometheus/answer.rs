//! What a Prometheus server answers.

use crate::analysis::http::HttpAnswer;
use rollout_core::analysis::{Answer, Value as Measured};
use serde_json::Value;
use std::fmt::Write as _;

/// What an instant query finds: the labels of each series as a text, and its value.
pub(in crate::analysis) type Series = Vec<(String, f64)>;

/// Reads an answer of any status.
pub(super) fn read(answer: &HttpAnswer) -> Answer {
    let value = body(answer).and_then(|body| {
        measured(&body).ok_or_else(|| {
            let why = "Prometheus metric type not supported; ask for a scalar, a vector or a matrix";
            unanswered(answer, why.to_owned())
        })
    });
    value.map_or_else(|unanswered| unanswered, Answer::Value)
}

/// Reads an answer as series; a scalar is one.
///
/// # Errors
/// There is no answer, or it is no instant one.
pub(in crate::analysis) fn series(answer: &HttpAnswer) -> Result<Series, Answer> {
    let body = body(answer)?;
    let all = body.get("data").and_then(|data| {
        let result = data.get("result")?;
        match data.get("resultType")?.as_str()? {
            "scalar" => Some(vec![(String::new(), number(result)?)]),
            "vector" => {
                let all = result.as_array()?.iter();
                all.map(|series| Some((labels(series.get("metric")), number(series.get("value")?)?)))
                    .collect()
            }
            _ => None,
        }
    });
    all.ok_or_else(|| {
        unanswered(answer, "the answer is no counter; write an instant query for counters".to_owned())
    })
}

/// The labels of a series in one order.
fn labels(metric: Option<&Value>) -> String {
    let mut labels: Vec<_> = metric.and_then(Value::as_object).into_iter().flatten().collect();
    labels.sort_by_key(|(name, _)| *name);
    labels.into_iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string never fails.
        let _ = write!(text, "{name}={value},");
        text
    })
}

fn unanswered(answer: &HttpAnswer, why: String) -> Answer {
    Answer::Unanswered { why, after: answer.retry_after }
}

/// Returns what a server says unless that is an error.
fn body(answer: &HttpAnswer) -> Result<Value, Answer> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = body.as_ref().and_then(said);
    if !answer.status.is_success() {
        let which = if answer.status.is_client_error() { "client" } else { "server" };
        let status = format!("{which}_error: {which} error: {}", answer.status.as_u16());
        return Err(unanswered(answer, said.unwrap_or(status)));
    }
    if let Some(why) = said {
        return Err(unanswered(answer, why));
    }
    body.ok_or_else(|| unanswered(answer, "bad_response: the answer is not JSON".to_owned()))
}

/// Returns the error that the server says.
fn said(body: &Value) -> Option<String> {
    if body.get("status")?.as_str()? != "error" {
        return None;
    }
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    Some(format!("{}: {}", text("errorType"), text("error")))
}

fn measured(body: &Value) -> Option<Measured> {
    let data = body.get("data")?;
    let result = data.get("result")?;
    let series = || result.as_array().into_iter().flatten();
    Some(match data.get("resultType")?.as_str()? {
        "scalar" => Measured::Number(number(result)?),
        "vector" => {
            let numbers: Option<_> = series().map(|series| number(series.get("value")?)).collect();
            Measured::Numbers(numbers?)
        }
        "matrix" => {
            let values = series().filter_map(|series| series.get("values")?.as_array());
            let numbers: Option<_> = values.flatten().map(number).collect();
            Measured::Numbers(numbers?)
        }
        _ => return None,
    })
}

/// Reads a sample: a time, and a number as text.
fn number(sample: &Value) -> Option<f64> {
    sample.get(1)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::Duration;

    fn answer(status: u16, retry_after: Option<u64>, body: &str) -> Answer {
        let retry_after = retry_after.map(Duration::from_secs);
        read(&HttpAnswer { status: StatusCode::from_u16(status).unwrap(), retry_after, body: body.into() })
    }

    fn data(kind: &str, result: &str) -> Answer {
        let data = format!(r#"{{"resultType":"{kind}","result":{result}}}"#);
        answer(200, None, &format!(r#"{{"status":"success","data":{data}}}"#))
    }

    fn why(answer: Answer) -> String {
        let Answer::Unanswered { why, .. } = answer else { panic!("{answer:?}") };
        why
    }

    #[test]
    fn scalars_vectors_and_matrices_are_read() {
        assert_eq!(data("scalar", r#"[1,"0.5"]"#), Answer::Value(Measured::Number(0.5)));
        let vector = r#"[{"metric":{},"value":[1,"1e3"]},{"metric":{"a":"b"},"value":[1,"+Inf"]}]"#;
        assert_eq!(data("vector", vector), Answer::Value(Measured::Numbers(vec![1e3, f64::INFINITY])));
        assert_eq!(data("vector", "[]"), Answer::Value(Measured::Numbers(vec![])));
        let matrix = r#"[{"values":[[1,"1"],[2,"2"]]},{"values":[[1,"-Inf"]]}]"#;
        let numbers = vec![1.0, 2.0, f64::NEG_INFINITY];
        assert_eq!(data("matrix", matrix), Answer::Value(Measured::Numbers(numbers)));
        let Answer::Value(Measured::Numbers(numbers)) = data("vector", r#"[{"value":[1,"NaN"]}]"#) else {
            panic!("not a vector")
        };
        assert!(numbers[0].is_nan());
    }

    #[test]
    fn series_are_told_apart_by_their_labels() {
        let of = |kind: &str, result: &str| {
            let body =
                format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
            series(&HttpAnswer { status: StatusCode::OK, retry_after: None, body: body.into() })
        };
        let vector = r#"[{"metric":{"pod":"b","code":"2"},"value":[1,"5"]},{"metric":{},"value":[1,"1.5"]}]"#;
        let named = |labels: &str, value| (labels.to_owned(), value);
        let found = vec![named("code=\"2\",pod=\"b\",", 5.0), named("", 1.5)];
        assert_eq!(of("vector", vector), Ok(found));
        assert_eq!(of("vector", "[]"), Ok(vec![]));
        assert_eq!(of("scalar", r#"[1,"7"]"#), Ok(vec![named("", 7.0)]));
        for (kind, result) in
            [("matrix", "[]"), ("vector", r#"[{"metric":{},"histogram":[1,{}]}]"#), ("scalar", "{}")]
        {
            assert!(why(of(kind, result).unwrap_err()).contains("write an instant query"));
        }
        let busy = HttpAnswer { status: StatusCode::TOO_MANY_REQUESTS, retry_after: None, body: Vec::new() };
        assert_eq!(why(series(&busy).unwrap_err()), "client_error: client error: 429");
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for (kind, result) in [
            ("string", r#"[1,"a"]"#),
            ("vector", r#"[{"histogram":[1,{}]}]"#),
            ("vector", r#"[{"value":[1,"many"]}]"#),
            ("scalar", "{}"),
        ] {
            assert!(why(data(kind, result)).starts_with("Prometheus metric type not supported"));
        }
        assert_eq!(why(answer(200, None, "<html>")), "bad_response: the answer is not JSON");
    }

    #[test]
    fn errors_have_the_words_of_the_server() {
        let body = r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected \"}\""}"#;
        assert_eq!(why(answer(400, None, body)), "bad_data: parse error: unexpected \"}\"");
        assert_eq!(why(answer(404, None, "no")), "client_error: client error: 404");
        assert_eq!(why(answer(502, None, "no")), "server_error: server error: 502");
        let busy = answer(429, Some(7), "slow down");
        let why = "client_error: client error: 429".to_owned();
        assert_eq!(busy, Answer::Unanswered { why, after: Some(Duration::from_secs(7)) });
    }
}

//! What a Prometheus server answers.

use crate::analysis::http::HttpAnswer;
use rollout_core::analysis::{Answer, Value as Measured};
use serde_json::Value;

/// Reads an answer of any status.
pub(super) fn read(answer: &HttpAnswer) -> Answer {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let unanswered = |why: String| Answer::Unanswered { why, after: answer.retry_after };
    let said = body.as_ref().and_then(said);
    if !answer.status.is_success() {
        let which = if answer.status.is_client_error() { "client" } else { "server" };
        let status = format!("{which}_error: {which} error: {}", answer.status.as_u16());
        return unanswered(said.unwrap_or(status));
    }
    if let Some(why) = said {
        return unanswered(why);
    }
    let Some(body) = body else { return unanswered("bad_response: the answer is not JSON".to_owned()) };
    match measured(&body) {
        Some(value) => Answer::Value(value),
        None => unanswered(
            "Prometheus metric type not supported; ask for a scalar, a vector or a matrix".to_owned(),
        ),
    }
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

use rollout_core::analysis::{Condition, ConditionError, Value, verdict};
use serde_json::{Value as Json, json};

/// The lines of a file: question and wanted answer.
fn lines(kind: &str) -> Vec<Json> {
    let path = format!("{}/tests/analysis/{kind}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(text: &Json) -> f64 {
    text.as_str().unwrap().parse().unwrap()
}

pub(crate) fn value(result: &Json) -> Value {
    let (kind, value) = result.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "scalar" => Value::Number(number(value)),
        "vector" => Value::Numbers(value.as_array().unwrap().iter().map(number).collect()),
        "json" => Value::Json(value.clone()),
        _ => Value::Text(value.as_str().unwrap().into()),
    }
}

/// The phase; `None` where a construct is not supported.
fn phase(input: &Json) -> Option<&'static str> {
    let condition = |name: &str| {
        let text = input[name].as_str().filter(|text| !text.is_empty());
        text.map(Condition::parse).transpose()
    };
    let (success, failure) = (condition("successCondition"), condition("failureCondition"));
    let value = value(&input["result"]);
    let refused = |error: &ConditionError| !error.is_unsupported();
    let (success, failure) = match (success, failure) {
        (Ok(success), Ok(failure)) => (success, failure),
        (Err(error), Ok(other)) | (Ok(other), Err(error)) => {
            let other_fails = other.is_some_and(|other| other.eval(&value).is_err());
            return (refused(&error) || other_fails).then_some("Error");
        }
        (Err(one), Err(other)) => return (refused(&one) || refused(&other)).then_some("Error"),
    };
    Some(match verdict(success.as_ref(), failure.as_ref(), &value) {
        Ok(phase) => phase.as_str(),
        Err(failed) if failed.error().is_unsupported() => return None,
        Err(_) => "Error",
    })
}

fn compare(kind: &str, at_least: usize) {
    let mut wrong = Vec::new();
    let mut unsupported = 0;
    let lines = lines(kind);
    for line in &lines {
        match phase(&line["input"]) {
            Some(phase) if phase == line["want"]["phase"] => {}
            None if line["tier"] == "wide" => unsupported += 1,
            got => {
                wrong.push(format!("{}: {} gives {got:?}, not {}", line["id"], line["input"], line["want"]));
            }
        }
    }
    println!("{kind}: {} lines, {unsupported} with constructs that are not supported", lines.len());
    assert!(lines.len() >= at_least);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn conditions() {
    compare("condition", 300);
    compare("condition-table", 67);
}

#[test]
fn values_are_written_as_argo_rollouts_stores_them() {
    assert_eq!(value(&json!({"vector": ["0.97", "NaN", "+Inf"]})).to_string(), "[0.97,NaN,+Inf]");
    assert_eq!(value(&json!({"json": {"b": 1, "a": [null]}})).to_string(), r#"{"a":[null],"b":1}"#);
}

//! Conditions that people wrote, and messages that help them.

use rollout_core::analysis::{Condition, Kind, Value};
use serde_json::json;

/// The conditions of public manifests, as they are in `conditions.tsv`.
pub(crate) fn public() -> Vec<(u32, String)> {
    let path = format!("{}/tests/analysis/conditions.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.splitn(3, '\t');
            let count = fields.next().unwrap().parse().unwrap();
            // The search kept comments of YAML and cut off the last quote.
            let condition = fields.nth(1).unwrap().split(" # Change").next().unwrap().to_string();
            let quote = |quote: char| condition.matches(quote).count() % 2 == 1;
            let end = if quote('"') {
                "\""
            } else if quote('\'') {
                "'"
            } else {
                ""
            };
            (count, condition.clone() + end)
        })
        .collect()
}

#[test]
fn every_public_condition_is_understood() {
    let (mut understood, mut templated) = (0, 0);
    for (count, condition) in public() {
        if condition.contains(" {{") {
            templated += count;
            continue;
        }
        let parsed = Condition::parse(&condition);
        assert!(parsed.is_ok(), "{condition}: {}", parsed.unwrap_err());
        understood += count;
    }
    println!("{understood} public conditions are understood; {templated} more need their arguments first");
    assert!(understood > 150 && templated < 12);
}

#[track_caller]
fn refused(condition: &str, value: &Value) -> String {
    let given = Condition::parse(condition).and_then(|condition| condition.eval(value));
    given.expect_err(condition).to_string()
}

#[test]
fn a_mistake_is_named_with_its_place_and_the_remedy() {
    let numbers = Value::Numbers(vec![0.97]);
    for (condition, value, message) in [
        (
            "result >= 0.95",
            &numbers,
            "character 8: `>=` cannot compare a list of numbers with a number; `result` is a list: write `result[0]` \
             for its first element",
        ),
        (
            "result[0] >= 0.95",
            &Value::Number(0.97),
            "character 7: a number has no elements; `result` is a number: write `result` without index or field",
        ),
        (
            "result > 0",
            &Value::Json(json!(null)),
            "character 8: `>` cannot compare nil with a number; the provider answered nothing: write \
             `default(result, 0)`, or `isNil(result)`",
        ),
        (
            "result[3] > 1",
            &numbers,
            "character 7: index 3 is out of range: the list has 1; write `len(…) > 3 && …` before it",
        ),
        (
            "asInt(result) == 1",
            &Value::Text("1.1".into()),
            "character 1: `asInt` finds no number in \"1.1\"; compare it as a text, or check it first",
        ),
        ("result[0] >=", &numbers, "character 13: the condition ends too early; write what should follow"),
        ("result[0] = 1", &numbers, "character 11: `=` is no operator here; write `==` to compare"),
        ("isNan(result[0])", &numbers, "character 1: nothing is called `isNan`; did you mean `isNaN`?"),
        (
            "result[0]",
            &numbers,
            "character 1: a condition must be true or false, this is a number; write a comparison, such as \
             `result[0] >= 0.95`",
        ),
    ] {
        assert_eq!(refused(condition, value), message, "{condition}");
    }
}

#[test]
fn parts_that_would_be_skipped_are_checked_too() {
    assert!(Condition::parse("true || result > 'x'").unwrap().check(&Kind::Float).is_err());
    assert!(Condition::parse("true || result > 'x'").unwrap().check(&Kind::Any).is_ok());
}

#[test]
fn a_word_behind_an_element_may_be_an_operator() {
    let texts = Value::Json(json!(["ab", "b"]));
    let numbers = Value::Numbers(vec![1.0, 2.0]);
    for (condition, value) in [
        ("all(result, # contains 'b')", &texts),
        ("all(result, {# matches 'b$' and # endsWith 'b'})", &texts),
        ("any(result, # in [2, 3]) && any(result, # not in [2, 3])", &numbers),
    ] {
        let given = Condition::parse(condition).and_then(|condition| condition.eval(value));
        assert_eq!(given, Ok(true), "{condition}");
    }
    assert!(Condition::parse("all(result, #acc > 1)").unwrap_err().is_unsupported());
}

#[test]
fn what_a_condition_may_cost_is_bounded() {
    let long = format!("true{}", " ".repeat(4096));
    assert!(Condition::parse(&long).unwrap_err().to_string().contains("4100 bytes"));
    assert!(Condition::parse(&("(".repeat(64) + "true" + &")".repeat(64))).is_err());
    assert!(Condition::parse(&("!".repeat(4000) + "true")).is_err());
    assert!(Condition::parse(&("[".repeat(4000))).is_err());
    assert!(Condition::parse(&vec!["result > 0"; 200].join(" || ")).is_ok(), "a long row is not deep");
    let many = Value::Numbers(vec![1.0; 1000]);
    let nested = "all(result, {all(result, # > 0)})";
    assert!(refused(nested, &many).contains("more than 100000 steps"));
    let text = Value::Text("x".repeat(1 << 20));
    assert!(refused("result + result != ''", &text).contains("1 MiB"));
    assert!(refused("result matches '(x+x+)+y(a|b|c){50}'", &text).contains("steps"));
}

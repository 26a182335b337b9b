//! Whatever a tenant writes, there is an answer, soon, and never a panic.

use proptest::{collection, prelude::*, sample::select};
use rollout_core::analysis::{Condition, Kind, Value, verdict};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

const WORDS: &[&str] = &[
    "result",
    "result[0]",
    "result.a",
    "[0]",
    ".a",
    "?.b",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&&",
    "||",
    "and",
    "or",
    "not",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "**",
    "??",
    "?",
    ":",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "contains",
    "matches",
    "startsWith",
    "all(",
    "any(",
    "map(",
    "filter(",
    "count(",
    "len(",
    "isNaN(",
    "asInt(",
    "asFloat(",
    "default(",
    "sum(",
    "max(",
    "0.95",
    "1",
    "9223372036854775807",
    "0",
    "'a'",
    "\"1.1\"",
    "`[`",
    "nil",
    "true",
    "false",
    ";",
    "//",
    "/*",
    "*/",
    "..",
    "|",
    "'(a*)*$'",
    "0x1F",
    "1_0",
    "\\",
    "'\\u0041'",
    "let x = 1",
];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Json::from),
        select(vec![0.0, 0.5, -1.0, 1e21, 9.3e18]).prop_map(Json::from),
        select(vec!["", "a", "1.1", "(a*)*$"]).prop_map(Json::from),
    ];
    let json = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            collection::btree_map(select(vec!["a", "b"]), inner, 0..3).prop_map(|map| json!(map)),
        ]
    });
    let number = select(vec![0.0, 0.97, f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300]);
    prop_oneof![
        number.clone().prop_map(Value::Number),
        collection::vec(number, 0..4).prop_map(Value::Numbers),
        json.prop_map(Value::Json),
        "\\PC{0,8}".prop_map(Value::Text),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 4_000 } else { 40_000 }))]

    #[test]
    fn words_in_any_order_get_an_answer(words in collection::vec(select(WORDS), 0..24), value in values()) {
        let text = words.join(" ");
        if let Ok(condition) = Condition::parse(&text) {
            let before = condition.check(&value.kind());
            let given = condition.eval(&value);
            prop_assert!(before.is_ok() || given.is_err(), "{text} ran although its check refused it");
            prop_assert_eq!(&given, &condition.eval(&value), "an answer is the same every time");
            prop_assert!(before.is_err() || condition.check(&Kind::Any).is_ok(), "{} for any value", text);
        }
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,64}", value in values()) {
        let condition = Condition::parse(&text);
        if let Ok(condition) = &condition {
            let _ = verdict(Some(condition), Some(condition), &value);
        }
    }

    #[test]
    fn a_condition_and_its_negation_disagree(words in collection::vec(select(WORDS), 1..8), value in values()) {
        let text = words.join(" ");
        let both = (Condition::parse(&text), Condition::parse(&format!("not ({text})")));
        if let (Ok(one), Ok(other)) = both
            && let (Ok(one), Ok(other)) = (one.eval(&value), other.eval(&value))
        {
            prop_assert_ne!(one, other, "{}", text);
        }
    }
}

/// What takes the longest: as much as a condition may hold, and as much as a provider may answer.
fn heavy() -> Vec<(String, Value)> {
    let numbers = Value::Numbers((0..50_000).map(f64::from).collect());
    let texts = Value::Json(Json::from(vec!["a".repeat(1_000); 1_000]));
    let text = Value::Text("a".repeat(1 << 20));
    let filled = |word: &str, between: &str| {
        let count = (4_096 - between.len()) / (word.len() + between.len());
        vec![word; count].join(between)
    };
    let nested = |word: &str, inner: &str, end: &str| format!("{}{inner}{}", word.repeat(30), end.repeat(30));
    vec![
        (filled("all(result, # >= 0)", " && "), numbers.clone()),
        (nested("all(result, {", "# >= 0", "})"), numbers.clone()),
        (nested("count(filter(result, {0 < ", "1", "})) "), numbers.clone()),
        (filled("sum(map(result, # * 2)) > 0", " && "), numbers.clone()),
        (filled("max(result) >= 0", " && "), numbers.clone()),
        (filled("1 in result", " || "), numbers),
        (filled("all(result, # contains 'b' || # contains 'aa')", " && "), texts.clone()),
        (filled("all(result, # matches '(a*)*b|a+$')", " && "), texts),
        (filled("result matches '(x+x+)+y|a{50}$'", " || "), text.clone()),
        (filled("result contains 'ab'", " || "), text.clone()),
        (filled("result", " + ") + " != ''", text),
        (format!("{}true", "!".repeat(4_092)), Value::Number(0.0)),
        (format!("{}1{} > 0", "(".repeat(63), ")".repeat(63)), Value::Number(0.0)),
        (filled("2 ** 2", " ** ") + " > 0", Value::Number(0.0)),
    ]
}

#[test]
fn what_takes_the_longest_gets_an_answer_soon() {
    let mut longest = (Duration::ZERO, String::new());
    for (text, value) in heavy() {
        let began = Instant::now();
        let given = Condition::parse(&text).and_then(|condition| condition.eval(&value));
        let took = began.elapsed();
        let shown: String = text.chars().take(40).collect();
        let said = given.map_or_else(|why| why.to_string(), |holds| holds.to_string());
        println!("{took:>10.1?} {shown} … {said}");
        longest = longest.max((took, shown));
    }
    println!("the longest took {:.1?}: {}", longest.0, longest.1);
    // A turn of a rollout waits for no condition: runs have workers of their own. The machine may be busy.
    assert!(longest.0 < Duration::from_secs(5), "{longest:?}");
}

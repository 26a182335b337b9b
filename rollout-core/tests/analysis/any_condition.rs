//! Whatever a tenant writes, there is an answer, soon, and never a panic.

use proptest::{collection, prelude::*, sample::select};
use rollout_core::analysis::{Condition, Kind, Value, verdict};
use serde_json::{Value as Json, json};

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

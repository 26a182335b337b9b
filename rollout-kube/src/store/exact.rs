use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A JSON value without spare capacity.
///
/// A value that is parsed as [`Value`] grows while it is read and keeps what it reserved. For objects that stay in the
/// cache as long as the process runs, that is about a third of their memory.
pub(super) struct Exact(pub(super) Value);

/// Builds an object with exactly these fields; of two with the same name, the later one wins, as in `serde_json`.
pub(super) fn object(fields: Vec<(String, Value)>) -> Value {
    let mut object = Map::with_capacity(fields.len());
    object.extend(fields);
    Value::Object(object)
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Exact(item)) = from.next_element()? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, Exact(value))) = from.next_entry()? {
            fields.push((name, value));
        }
        Ok(object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::Exact;
    use serde_json::Value;

    #[test]
    fn it_has_no_spare_capacity() {
        for items in [1, 5, 9, 100] {
            let text = format!("[{}0]", "0,".repeat(items - 1));
            let Value::Array(exact) = serde_json::from_str::<Exact>(&text).unwrap().0 else {
                panic!("{text}")
            };
            assert_eq!((exact.len(), exact.capacity()), (items, items));
        }
    }

    #[test]
    fn it_parses_like_serde_json() {
        for text in [
            "null",
            "true",
            "-3",
            "18446744073709551615",
            "1.5",
            "1e400",
            r#""a\nb""#,
            "[]",
            "{}",
            r#"[1, [2, {"a": []}], "x"]"#,
            r#"{"b": 1, "a": {"c": [null, false]}, "b": 2}"#,
            r#"{"a": 1"#,
            "nonsense",
        ] {
            let (exact, plain) = (serde_json::from_str::<Exact>(text), serde_json::from_str::<Value>(text));
            match plain {
                Ok(plain) => {
                    let exact = exact.unwrap_or_else(|error| panic!("{text}: {error}")).0;
                    assert_eq!(exact.to_string(), plain.to_string(), "in the same order");
                }
                Err(_) => assert!(exact.is_err(), "{text}"),
            }
        }
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(serde_json::from_str::<Exact>(&deep).is_err(), "nesting is bounded");
    }
}

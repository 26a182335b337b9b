//! Finds a value in JSON by a path as Kubernetes has it: `{.items[0]['a.b']}`, `{..name}`, `{.items[?(@.ok == true)]}`.

mod filter;
mod parse;

use filter::Filter;
use serde_json::Value;

/// The longest path, in bytes.
const LONGEST: usize = 1 << 10;
/// How many values one search may look at.
const STEPS: usize = 200_000;

/// A path, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Fields by their names.
    Fields(Vec<String>),
    /// Elements by their places; below 0 counts from the end.
    Indexes(Vec<i64>),
    /// Elements from a place up to, and without, another, each so many further.
    Slice { from: Option<i64>, to: Option<i64>, by: i64 },
    /// All elements or fields.
    All,
    /// The value and everything in it.
    Descend,
    /// Elements for which this holds.
    Filter(Filter),
}

impl JsonPath {
    /// Parses a path.
    ///
    /// # Errors
    /// It is none, or uses something that is not supported.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("jsonPath has {} bytes; write {LONGEST} at most", text.len()));
        }
        parse::path(text).map(Self).map_err(|what| format!("jsonPath {text:?}: {what}"))
    }

    /// Returns the first value that the path leads to.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Result<&'v Value, String> {
        let mut left = STEPS;
        let found = find(&self.0, value, &mut left)?;
        found.first().copied().ok_or_else(|| "result of web metric produced no value".to_owned())
    }
}

fn find<'v>(steps: &[Step], root: &'v Value, left: &mut usize) -> Result<Vec<&'v Value>, String> {
    let mut found = vec![root];
    for step in steps {
        let mut next = Vec::new();
        for value in &found {
            step.take(value, &mut next, left)?;
        }
        // What a descent meets need not have the field.
        found = next;
    }
    Ok(found)
}

impl Step {
    fn take<'v>(&self, value: &'v Value, found: &mut Vec<&'v Value>, left: &mut usize) -> Result<(), String> {
        let before = found.len();
        match self {
            Self::Fields(names) => found.extend(names.iter().filter_map(|name| value.get(name))),
            Self::Indexes(indexes) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                for index in indexes {
                    let place = place(*index, items.len());
                    let item = place.and_then(|place| items.get(place)).ok_or_else(|| {
                        format!("array index out of bounds: index {index}, length {}", items.len())
                    })?;
                    found.push(item);
                }
            }
            Self::Slice { from, to, by } => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let bound = |at: Option<i64>, default| {
                    at.map_or(default, |at| place(at, items.len()).unwrap_or(0).min(items.len()))
                };
                let (from, to) = (bound(*from, 0), bound(*to, items.len()));
                let by = usize::try_from(*by).unwrap_or(1).max(1);
                found.extend(items.get(from..to.max(from)).unwrap_or_default().iter().step_by(by));
            }
            Self::All => found.extend(parts(value)),
            Self::Descend => {
                let mut open = vec![value];
                while let Some(value) = open.pop() {
                    *left = left.checked_sub(1).ok_or_else(too_much)?;
                    found.push(value);
                    let inner = open.len();
                    open.extend(parts(value));
                    if let Some(inner) = open.get_mut(inner..) {
                        inner.reverse();
                    }
                }
            }
            Self::Filter(filter) => {
                for item in value.as_array().into_iter().flatten() {
                    *left = left.checked_sub(1).ok_or_else(too_much)?;
                    if filter.holds(item, left)? {
                        found.push(item);
                    }
                }
            }
        }
        let looked_at = found.len().saturating_sub(before).saturating_add(1);
        *left = left.checked_sub(looked_at).ok_or_else(too_much)?;
        Ok(())
    }
}

fn too_much() -> String {
    format!("jsonPath looks at more than {STEPS} values; write a path that leads to fewer")
}

fn place(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if index < 0 { len.checked_add(index)? } else { index }).ok()
}

/// The elements of a list, or the fields of a map in the order of their names.
fn parts(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            fields.into_iter().map(|(_, value)| value).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn first(path: &str) -> Result<Value, String> {
        let value = json!({
            "a": {"b.c": 1, "list": [10, 20, 30, 40], "null": null},
            "items": [
                {"name": "x", "ok": false, "n": 1},
                {"name": "y", "ok": true, "n": 2, "tags": ["t"]},
                {"name": "z", "ok": true, "n": 3}
            ]
        });
        JsonPath::parse(path)?.first(&value).cloned()
    }

    #[test]
    fn paths_lead_to_the_first_value() {
        for (path, expected) in [
            ("{.a.list[0]}", json!(10)),
            ("{$.a.list[1]}", json!(20)),
            ("{a.list[-1]}", json!(40)),
            ("{.a.list[1:3]}", json!(20)),
            ("{.a.list[-2:]}", json!(30)),
            ("{.a.list[::2]}", json!(10)),
            ("{.a.list[3,0]}", json!(40)),
            ("{.a.list[*]}", json!(10)),
            ("{.a['b.c']}", json!(1)),
            (r"{.a.b\.c}", json!(1)),
            ("{['a']['list']}", json!([10, 20, 30, 40])),
            ("{.a.null}", json!(null)),
            ("{..tags}", json!(["t"])),
            ("{..name}", json!("x")),
            ("{.items[?(@.ok == true)].name}", json!("y")),
            ("{.items[?(@.name=='z')].n}", json!(3)),
            (r#"{.items[?(@.name != "x")].n}"#, json!(2)),
            ("{.items[?(@.n > 2)].name}", json!("z")),
            ("{.items[?(@.n <= 1.0)].name}", json!("x")),
            ("{.items[?(@.tags)].name}", json!("y")),
            ("{.items[?(@.tags[0] == 't')].n}", json!(2)),
            ("{.a.*}", json!(1)),
            ("{ .items[ 1 ].name }", json!("y")),
        ] {
            assert_eq!(first(path), Ok(expected), "{path}");
        }
        assert!(first("{$}").unwrap().is_object() && first("{}").unwrap().is_object());
    }

    #[test]
    fn nothing_found_is_an_error() {
        for (path, why) in [
            ("{.no}", "produced no value"),
            ("{.a.list[4]}", "array index out of bounds: index 4, length 4"),
            ("{.a.list[-5]}", "array index out of bounds"),
            ("{.items[?(@.n > 9)]}", "produced no value"),
        ] {
            let error = first(path).unwrap_err();
            assert!(error.contains(why), "{path}: {error}");
        }
    }

    #[test]
    fn what_is_no_path_is_said() {
        for (path, instead) in [
            ("", "write {.field}"),
            (".a", "write {.field}"),
            ("x{.a}", "write {.field}"),
            ("{.a}{.b}", "only one"),
            ("{.a", "write {.field}"),
            ("{.a[}", "]"),
            ("{.a[x]}", "write a number"),
            ("{.a['b}", "quote"),
            ("{.a..}", "after `..`"),
            ("{range .a}{end}", "not supported"),
            ("{.a[?(@.b ~ 1)]}", "write =="),
            ("{.a[?(@.b == )]}", "write a number"),
            ("{.a[::0]}", "step"),
        ] {
            let error = first(path).unwrap_err();
            assert!(error.contains(instead), "{path}: {error}");
        }
        assert!(JsonPath::parse(&"{".repeat(2_000)).unwrap_err().contains("1024 at most"));
    }

    #[test]
    fn hostile_paths_end() {
        let mut value = json!(1);
        for _ in 0..100 {
            value = json!([value]);
        }
        let wide = json!(vec![vec![value; 100]; 20]);
        let path = format!("{{{}}}", "..*".repeat(300));
        let error = JsonPath::parse(&path).unwrap().first(&wide).unwrap_err();
        assert!(error.contains("looks at more than"), "{error}");
    }
}

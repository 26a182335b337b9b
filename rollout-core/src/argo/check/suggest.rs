//! Suggestions for what the author of an invalid step or duration most likely meant.

use crate::{argo::wire::CanaryStep, nearest::nearest};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Map, Value};

const KINDS: &str = "write one of setWeight, pause, experiment, analysis, setCanaryScale, setHeaderRoute, setMirrorRoute, plugin";

/// Suggests what to write for a step without a kind.
pub(super) fn kind(written: Option<&Value>) -> String {
    let Some(Value::Object(step)) = written else { return KINDS.into() };
    let is_null = |key: &str| step.get(key).is_some_and(Value::is_null);
    if is_null("pause") {
        return pause(step);
    }
    if let Some(kind) = CanaryStep::FIELDS.iter().find(|kind| is_null(kind)) {
        return format!("`{kind}` has no value: give it one, or leave the step out");
    }
    if step.contains_key("duration") {
        return format!("a duration belongs in a pause: {}", pause(step));
    }
    let near = step.keys().find_map(|key| nearest(key, CanaryStep::FIELDS).map(|kind| (key, kind)));
    near.map_or_else(|| KINDS.into(), |(_, kind)| format!("did you mean `{kind}`? This step does nothing"))
}

/// Suggests what to write for a pause without a value.
fn pause(step: &Map<String, Value>) -> String {
    match step.get("duration") {
        Some(Value::String(time)) if time.len() <= 64 => {
            format!("write `pause: {{duration: {time}}}`, indented or in braces")
        }
        Some(Value::Number(seconds)) => {
            format!("write `pause: {{duration: {seconds}}}`, indented or in braces")
        }
        _ => "write `pause: {}` to wait for a person, or `pause: {duration: 10m}`".into(),
    }
}

/// Suggests what to write for a step of several kinds.
pub(super) fn one_each(written: Option<&Value>) -> String {
    let keys = written.and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str);
    let kinds: Vec<&str> = keys.filter(|key| CanaryStep::FIELDS.contains(key)).collect();
    format!("write each as its own step: {} are several kinds in one step", kinds.join(" and "))
}

/// Suggests what to write for a duration in another notation, such as `10 min`.
pub(super) fn duration(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u32 = number.parse().ok()?;
    let (number, unit) = match unit.trim() {
        "s" | "sec" | "secs" | "second" | "seconds" => (number, "s"),
        "m" | "min" | "mins" | "minute" | "minutes" => (number, "m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => (number, "h"),
        "d" | "day" | "days" => (number.checked_mul(24)?, "h"),
        _ => return None,
    };
    Some(format!("write `{number}{unit}`: the units are h, m and s, without spaces"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_other_words() {
        for (text, meant) in
            [("10 min", "10m"), ("10minutes", "10m"), ("1 hour", "1h"), ("2d", "48h"), ("5 s", "5s")]
        {
            assert!(duration(text).unwrap().starts_with(&format!("write `{meant}`")), "{text}");
        }
        for text in ["", "ten", "10", "10 fortnights", "99999999999 min", "4294967295 days", "-5 min"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

//! The times of a range query: `now()`, `now() - duration('1h')`.

use rollout_core::{Time, analysis::duration};
use serde_json::Value;

/// Returns the fields `start`, `end` and `step` of a request.
///
/// # Errors
/// A time or the step cannot be read.
pub(super) fn fields(range: &Value, now: Time) -> Result<[(&'static str, String); 3], String> {
    let text = |field: &str| range.get(field).and_then(Value::as_str).unwrap_or_default();
    let time = |field: &'static str| {
        let millis = read(text(field), now).ok_or_else(|| {
            format!(
                "failed to parse rangeQuery.{field} as time: {:?}; write `now()` or `now() - duration('1h')`",
                text(field)
            )
        })?;
        Ok::<_, String>((field, seconds(millis)))
    };
    let (start, end) = (time("start")?, time("end")?);
    let step = duration(text("step")).filter(|step| !step.is_zero());
    let step = step.and_then(|step| i64::try_from(step.as_millis()).ok()).ok_or_else(|| {
        format!(
            "failed to parse rangeQuery.step as duration: {:?}; write a duration such as 30s",
            text("step")
        )
    })?;
    Ok([start, end, ("step", seconds(step))])
}

/// Reads a time, in milliseconds.
fn read(text: &str, now: Time) -> Option<i64> {
    let mut millis = now.as_millis();
    let mut rest = text.trim().strip_prefix("now()")?.trim_start();
    while !rest.is_empty() {
        let sign = match rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let (shift, after) = shift(rest.get(1..)?.trim_start())?;
        millis = millis.checked_add(shift.checked_mul(sign)?)?;
        rest = after.trim_start();
    }
    Some(millis)
}

/// Reads `duration('1h')`; returns what follows it, too.
fn shift(text: &str) -> Option<(i64, &str)> {
    let rest = text.strip_prefix("duration(")?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"' | '`'))?;
    let (written, rest) = rest.get(1..)?.split_once(quote)?;
    let length = i64::try_from(duration(written)?.as_millis()).ok()?;
    Some((length, rest.trim_start().strip_prefix(')')?))
}

/// Writes milliseconds as seconds.
fn seconds(millis: i64) -> String {
    let (whole, part) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_now() {
        let read = |text| read(text, Time::from_secs(10_000)).map(seconds);
        assert_eq!(read("now()").as_deref(), Some("10000"));
        assert_eq!(read(" now()-duration(\"1h\") ").as_deref(), Some("6400"));
        assert_eq!(read("now() - duration( '1h' ) + duration(`500ms`)").as_deref(), Some("6400.500"));
        for wrong in
            ["", "now", "now() -", "now() - 1h", "now() * duration('1h')", "now() - duration('soon')"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

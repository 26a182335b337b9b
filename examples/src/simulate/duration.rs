//! Times on the command line: `30s`, `12m`, `1h30m`, as Go writes them.

use std::time::Duration;

const UNITS: [(&str, f64); 6] =
    [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];

/// Reads a time; what is wrong and what to write instead otherwise.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    read(text).ok_or_else(|| format!("{text:?} is not a time; write it like 30s, 12m or 1h30m"))
}

fn read(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let (unit, of) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        seconds += number.parse::<f64>().ok()? * of;
        rest = tail.get(unit.len()..)?;
    }
    // Milliseconds are the engine's grain; a year is more than any simulation needs.
    let whole = Duration::try_from_secs_f64(seconds).ok()?;
    let millis = u64::try_from(whole.as_millis()).ok()?;
    (millis <= 366 * 86_400_000).then(|| Duration::from_millis(millis))
}

/// Writes a time the way [`parse`] reads it: no unit that is 0, milliseconds as a fraction.
pub(crate) fn show(time: Duration) -> String {
    let (secs, millis) = (time.as_secs(), time.subsec_millis());
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    let mut text = String::new();
    for (number, unit) in [(hours, "h"), (minutes, "m")] {
        if number > 0 {
            text += &format!("{number}{unit}");
        }
    }
    match (secs, millis) {
        (0, 0) if text.is_empty() => text += "0s",
        (0, 0) => {}
        (secs, 0) => text += &format!("{secs}s"),
        (secs, millis) => {
            let fraction = format!("{millis:03}");
            text += &format!("{secs}.{}s", fraction.trim_end_matches('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, millis) in [
            ("30s", 30_000),
            ("12m", 720_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("300ms", 300),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn says_what_to_write_instead() {
        for text in ["", "12", "m", "-5m", "1d", "1e3s", "9999999h", "5 m", "½h", "..s"] {
            let error = parse(text);
            assert_eq!(error, Err(format!("{text:?} is not a time; write it like 30s, 12m or 1h30m")));
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0s", "30s", "12m", "1h30m", "2h", "1h0.5s", "10m20s", "0.3s", "1.025s"] {
            assert_eq!(parse(text).map(show).as_deref(), Ok(text));
        }
    }
}

//! The number of a revision. It is untrusted: anybody who may write a ReplicaSet can write any text there.

use super::ReplicaSet;

/// No controller counts this far: a higher number is ignored.
const HIGHEST: u64 = u32::MAX as u64;
/// The most bytes that are kept of a revision's earlier numbers.
const HISTORY: usize = 2_000;

/// Reads a number; returns 0 for none.
pub(super) fn read(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).filter(|number| *number <= HIGHEST).unwrap_or(0)
}

/// Returns the highest number of these ReplicaSets.
pub(crate) fn highest(sets: &[ReplicaSet]) -> u64 {
    sets.iter().map(|set| set.number).max().unwrap_or(0)
}

/// Returns the next number. After the last one there is none: the newest revision gets the last one, too.
pub(crate) fn next(highest: u64) -> u64 {
    highest.saturating_add(1).min(HIGHEST)
}

/// Appends a number to a revision's earlier numbers; drops the oldest of a long list.
pub(super) fn history(before: Option<&str>, number: u64) -> String {
    let mut rest = HISTORY;
    let number = number.to_string();
    let before = before.unwrap_or_default().rsplit(',').take(HISTORY);
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = std::iter::once(number.as_str()).chain(before.filter(is_number));
    let mut kept: Vec<&str> = numbers
        .take_while(|text| {
            let fits = text.len() < rest;
            rest = rest.saturating_sub(text.len() + 1);
            fits
        })
        .collect();
    kept.reverse();
    kept.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_number_is_no_number() {
        for text in
            ["18446744073709551615", "18446744073709551616", "4294967296", "-1", "", "one", "1\n", " 1"]
        {
            assert_eq!(read(Some(text)), 0, "{text:?}");
        }
        assert_eq!((read(Some("4294967295")), read(Some("7")), read(None)), (HIGHEST, 7, 0));
    }

    #[test]
    fn the_number_after_the_last_can_be_read_again() {
        assert_eq!((next(0), next(7), next(HIGHEST), next(u64::MAX)), (1, 8, HIGHEST, HIGHEST));
        assert_eq!(
            read(Some(&next(HIGHEST).to_string())),
            HIGHEST,
            "otherwise every turn would write it again"
        );
    }

    #[test]
    fn a_history_is_bounded_and_made_of_numbers() {
        assert_eq!(history(None, 1), "1");
        assert_eq!(history(Some("1,3"), 5), "1,3,5");
        assert_eq!(history(Some(",x,\n,4,"), 5), "4,5");
        let mut long = String::new();
        for number in 0..10_000 {
            long = history(Some(&long), number);
            assert!(long.len() <= HISTORY);
        }
        assert!(long.ends_with(",9998,9999"), "{long}");
        assert!(history(Some(&"1".repeat(300_000)), 2) == "2");
    }
}

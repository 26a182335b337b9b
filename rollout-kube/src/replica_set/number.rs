//! The number of a revision: anybody who may write a ReplicaSet can write any text there.

use super::ReplicaSet;

/// A higher number was not counted by a controller: it is taken for none.
const MOST: u64 = u32::MAX as u64;
/// So much of the numbers that a revision had before is kept.
const HISTORY: usize = 2_000;

/// Reads a number; 0 is none.
pub(super) fn read(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).filter(|number| *number <= MOST).unwrap_or(0)
}

/// The highest of these.
pub(crate) fn highest(sets: &[ReplicaSet]) -> u64 {
    sets.iter().map(|set| set.number).max().unwrap_or(0)
}

/// The number after this. After the last there is none: the newest has it, too.
pub(crate) fn next(highest: u64) -> u64 {
    highest.saturating_add(1).min(MOST)
}

/// The numbers that a revision had before, with one more; of a long row the last.
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
    fn what_nobody_counted_is_no_number() {
        for text in
            ["18446744073709551615", "18446744073709551616", "4294967296", "-1", "", "one", "1\n", " 1"]
        {
            assert_eq!(read(Some(text)), 0, "{text:?}");
        }
        assert_eq!((read(Some("4294967295")), read(Some("7")), read(None)), (MOST, 7, 0));
    }

    #[test]
    fn what_comes_after_the_last_number_can_be_read_again() {
        assert_eq!((next(0), next(7), next(MOST), next(u64::MAX)), (1, 8, MOST, MOST));
        assert_eq!(read(Some(&next(MOST).to_string())), MOST, "else it would be written again in every turn");
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

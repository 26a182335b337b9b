//! The known name that is nearest to a mistyped one.

/// The nearest of `known`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = ((name.chars().count() + 1) / 3).max(2);
    known
        .into_iter()
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (&b, pair) in b.iter().zip(row.windows(2)) {
            if let (&[diagonal, above], Some(&left)) = (pair, next.last()) {
                next.push((diagonal + usize::from(a != b)).min(above + 1).min(left + 1));
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_but_not_far() {
        let known = ["promote", "promote-full", "pause", "abort"];
        assert_eq!(nearest("promot", known), Some("promote"));
        assert_eq!(nearest("promotefull", known), Some("promote-full"));
        assert_eq!(nearest("abrot", known), Some("abort"));
        assert_eq!(nearest("delete", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}

//! The known name that is nearest to a mistyped one.

/// The nearest of `known`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = ((name.chars().count() + 1) / 3).max(2);
    known
        .into_iter()
        .map(|known| (strsim::levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
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
    }
}

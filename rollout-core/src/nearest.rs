//! The known name that somebody may have meant.

use alloc::vec::Vec;

/// Returns the known name that is most similar to `key`, if any is similar.
pub(crate) fn nearest<'n>(key: &str, known: &[&'n str]) -> Option<&'n str> {
    let key: Vec<char> = key.chars().take(64).flat_map(char::to_lowercase).collect();
    let distance = |name: &&'n str| {
        let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        (edits(&key, &name), name.len())
    };
    let (steps, len, name) = known
        .iter()
        .map(|name| (distance(name), *name))
        .map(|((steps, len), name)| (steps, len, name))
        .min()?;
    (steps <= 1 + key.len().min(len) / 4).then_some(name)
}

/// Counts the insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (get(&last, j) + usize::from(x != y)).min(get(&last, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = j > 0 && previous == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_known_field() {
        let known = ["setWeight", "pause", "setCanaryScale", "experiment"];
        assert_eq!(nearest("setweight", &known), Some("setWeight"));
        assert_eq!(nearest("setWieght", &known), Some("setWeight"));
        assert_eq!(nearest("puase", &known), Some("pause"));
        assert_eq!(nearest("setCanaryScales", &known), Some("setCanaryScale"));
        assert_eq!(nearest("replicas", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}

//! A Rollout and its next version, given as if they were two.

use super::input::word;
use std::path::Path;

/// What people call the file of the next version.
const NEXT: [&str; 8] = ["update", "upgrade", "v2", "v3", "next", "new", "canary", "change"];

/// How many files are named in a command.
const MOST_FILES: usize = 8;

/// The command that plays one of two files as the update of the other, with what stands in the other files.
pub(crate) fn command<'a>(first: &str, second: &str, files: impl Iterator<Item = &'a str>) -> String {
    if first == second {
        return "write it to a file of its own, simulate … --update FILE".to_owned();
    }
    let is_next = |file: &str| {
        let name = Path::new(file).file_stem().and_then(|name| name.to_str()).unwrap_or(file).to_lowercase();
        NEXT.iter().any(|word| name.contains(word))
    };
    let (given, update) = if is_next(first) && !is_next(second) { (second, first) } else { (first, second) };
    let mut others: Vec<&str> = files.filter(|file| *file != update && *file != given).collect();
    others.insert(0, given);
    let shown = |file: &&str| word(Path::new(file));
    let mut list: Vec<String> = others.iter().take(MOST_FILES).map(shown).collect();
    if others.len() > MOST_FILES {
        list.push("…".to_owned());
    }
    format!("simulate {} --update {}", list.join(" "), shown(&update))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_next_version_is_known_by_its_name() {
        let files = ["a/rollout-v2.yaml", "a/rollout.yaml", "a/service.yaml"];
        let asked = |one, other| command(one, other, files.into_iter());
        let both = "simulate a/rollout.yaml a/service.yaml --update a/rollout-v2.yaml";
        assert_eq!(asked(files[0], files[1]), both);
        assert_eq!(asked(files[1], files[0]), both);
        assert_eq!(command("a", "b", ["a", "b"].into_iter()), "simulate a --update b");
        assert_eq!(
            command("a", "a", ["a"].into_iter()),
            "write it to a file of its own, simulate … --update FILE"
        );
    }
}

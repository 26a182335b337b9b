//! AnalysisRuns in a file, as kubectl writes them.

use serde::Deserialize as _;
use serde_json::Value as Json;
use std::{fs::File, io::Read as _, path::Path};

/// The largest file of runs, in bytes.
const LARGEST: u64 = 64 << 20;
/// How deep lists and maps may stand in each other: reading them takes time that grows with the square of it.
const DEEPEST: usize = 128;

/// The AnalysisRuns in a file with their names, also within lists.
///
/// # Errors
/// It cannot be read, or is no YAML.
pub(super) fn runs(path: &Path) -> Result<Vec<(String, Json)>, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err(format!("it is larger than {} MiB; split it up", LARGEST >> 20));
    }
    let mut depth = 0_usize;
    for letter in text.bytes() {
        depth = match letter {
            b'[' | b'{' => depth + 1,
            b']' | b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        if depth > DEEPEST {
            return Err(format!("more than {DEEPEST} lists and maps stand in each other"));
        }
    }
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let mut object = Json::deserialize(document).map_err(|error| format!("no YAML: {error}"))?;
        let items = match object.get_mut("items").map(Json::take) {
            Some(Json::Array(items)) => items,
            _ => vec![object],
        };
        let runs =
            items.into_iter().filter(|item| item.get("kind").is_some_and(|kind| kind == "AnalysisRun"));
        found.extend(runs.map(|run| {
            let name = run.pointer("/metadata/name").and_then(Json::as_str).unwrap_or("a run without a name");
            (name.chars().take(253).collect(), run)
        }));
    }
    Ok(found)
}

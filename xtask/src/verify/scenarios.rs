//! Every scenario that a test is named after is in the list of scenarios, and the other way round.

use crate::{run::Failed, sources, workspace::Workspace};
use std::collections::BTreeSet;

/// The list: a table that begins each row with a number.
const LIST: &str = "rollout-core/tests/scenarios/README.md";

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let list = sources.iter().find(|source| source.path.as_os_str() == LIST);
    let listed: BTreeSet<String> =
        list.into_iter().flat_map(|list| list.text.lines().filter_map(listed)).collect();
    let tests = sources.iter().filter(|source| source.path.extension().is_some_and(|e| e == "rs"));
    let tested: BTreeSet<String> = tests.flat_map(|source| source.text.lines()).filter_map(tested).collect();
    let wrong: Vec<&str> = listed.symmetric_difference(&tested).map(String::as_str).collect();
    if wrong.is_empty() && !listed.is_empty() {
        return Ok(format!("{} scenarios", listed.len()));
    }
    Err(format!("only in {LIST}, or only the name of a test: {}", wrong.join(", ")))
}

/// `| s01 | …`: the number.
fn listed(line: &str) -> Option<String> {
    number(line.strip_prefix("| ")?)
}

/// `fn s01_…`: the number.
fn tested(line: &str) -> Option<String> {
    number(line.trim_start().strip_prefix("fn ")?)
}

fn number(text: &str) -> Option<String> {
    let number = text.split_once([' ', '_']).map(|(number, _)| number)?;
    let digits = number.strip_prefix('s')?;
    (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{listed, tested};

    #[test]
    fn a_scenario_is_known_by_its_number() {
        assert_eq!(listed("| s01 | [argo-rollouts#4775]").as_deref(), Some("s01"));
        assert_eq!(tested("    fn s01_weight_goes_first() {").as_deref(), Some("s01"));
        assert_eq!((listed("| story | x"), tested("fn sum_of(")), (None, None));
    }
}

//! `cargo xtask bench`: what many Rollouts cost a controller, ours or any other, on a private cluster.

mod instructions;

use crate::{
    built::{Controller, test_of},
    run::{Failed, run},
    testbed,
    workspace::Workspace,
};
use serde_json::{Value, json};

const USAGE: &str = "\
usage: cargo xtask bench --cluster N [FLAG…]   N Rollouts from v1 to v2, all at once: seconds, CPU, memory, requests
       cargo xtask bench --idle N [FLAG…]      N Rollouts at rest, and the controller is started again
       cargo xtask bench --instructions        instructions of one decision and one edit, beside the recorded ones
       cargo xtask bench --instructions --record   records them anew, in benches/instructions.txt

  --mesh              with istiod and three Envoys; our controller asks istiod
  --namespaces M      in so many namespaces; 1 unless said otherwise (--idle: 20)
  --controller CMD    another controller beside ours, in turns: its program and flags, in one word; KUBECONFIG is set
  --only-controller   without ours
  --repeat K          each K times, alternating; 1 unless said otherwise
  --rest SECONDS      how long it is watched at rest; 60 unless said otherwise
  --limit SECONDS     how long anything may take; 900 unless said otherwise
  --flags FLAGS       more flags for our controller, in one word";

/// Builds the controller as it ships, and the test bed; then measures.
pub(crate) fn bench(arguments: &[String]) -> Result<(), Failed> {
    if let Some((first, rest)) = arguments.split_first()
        && first == "--instructions"
    {
        return instructions::instructions(rest);
    }
    let mut plan = plan(arguments)?;
    testbed::testbed(&["build".to_owned()])?;
    let controller = Controller::as_it_ships(&Workspace::read()?)?;
    plan.insert("ours".to_owned(), json!(controller.0));
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("scale::table_of_scale")
        .env("BENCH", Value::Object(plan).to_string()))
}

/// What the test `scale::table_of_scale` is to do.
fn plan(arguments: &[String]) -> Result<serde_json::Map<String, Value>, Failed> {
    let mut plan = serde_json::Map::new();
    let mut words = arguments.iter();
    while let Some(flag) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{flag} takes a value\n{USAGE}"));
        let (name, value) = match flag.as_str() {
            "--cluster" => ("update", number(flag, value()?)?),
            "--idle" => ("idle", number(flag, value()?)?),
            "--namespaces" => ("namespaces", number(flag, value()?)?),
            "--repeat" => ("repeat", number(flag, value()?)?),
            "--rest" => ("rest", number(flag, value()?)?),
            "--limit" => ("limit", number(flag, value()?)?),
            "--controller" => ("other", json!(value()?)),
            "--flags" => ("flags", json!(value()?)),
            "--mesh" => ("mesh", json!(true)),
            "--only-controller" => ("only_other", json!(true)),
            other => return Err(format!("there is no `{other}`\n{USAGE}")),
        };
        plan.insert(name.to_owned(), value);
    }
    if plan.contains_key("update") == plan.contains_key("idle") {
        return Err(format!("say how many Rollouts: --cluster N or --idle N\n{USAGE}"));
    }
    if plan.contains_key("only_other") && !plan.contains_key("other") {
        return Err(format!("--only-controller goes with --controller CMD\n{USAGE}"));
    }
    Ok(plan)
}

/// A number of at least 1.
fn number(flag: &str, value: &str) -> Result<Value, Failed> {
    match value.parse::<u32>() {
        Ok(number) if number > 0 => Ok(json!(number)),
        _ => Err(format!("{flag} {value}: write a number of at least 1\n{USAGE}")),
    }
}

#[cfg(test)]
mod tests {
    use super::plan;
    use serde_json::json;

    fn read(line: &str) -> Result<serde_json::Value, String> {
        plan(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).map(Into::into)
    }

    #[test]
    fn a_command_line_is_a_plan() {
        assert_eq!(
            read("--cluster 100 --mesh --repeat 2").unwrap(),
            json!({ "update": 100, "mesh": true, "repeat": 2 })
        );
        assert_eq!(read("--idle 2000 --controller x").unwrap(), json!({ "idle": 2000, "other": "x" }));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, word) in [
            ("--mesh", "say how many"),
            ("--cluster 1 --idle 1", "say how many"),
            ("--cluster 0", "at least 1"),
            ("--cluster", "takes a value"),
            ("--cluster 1 --only-controller", "--controller CMD"),
            ("--cluster 1 --huge", "`--huge`"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
    }
}

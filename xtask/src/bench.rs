//! `cargo xtask bench`: what many Rollouts cost a controller, ours or any other, on a private cluster.

mod instructions;

use crate::{
    built::{Controller, test_of},
    run::{Failed, run},
    testbed,
    workspace::Workspace,
};
use clap::builder::RangedI64ValueParser;
use serde_json::{Value, json};

/// What is measured. One of --cluster, --idle and --instructions
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(crate) struct Arguments {
    /// Update this many Rollouts from v1 to v2, all at once: seconds, processor time, memory, requests
    #[arg(long, value_name = "COUNT", value_parser = at_least_one(), group = "what")]
    cluster: Option<u32>,
    /// Start the controller again while this many Rollouts are at rest
    #[arg(long, value_name = "COUNT", value_parser = at_least_one(), group = "what")]
    idle: Option<u32>,
    /// Count the machine instructions of a decision and of an edit, and compare them with benches/instructions.txt
    #[arg(long, group = "what")]
    instructions: bool,
    /// Record the instructions anew instead of comparing them
    #[arg(long, requires = "instructions")]
    record: bool,
    /// Run istiod and three Envoys; our controller asks istiod
    #[arg(long)]
    mesh: bool,
    /// Spread the Rollouts over this many namespaces [default: 1; with --idle, 20]
    #[arg(long, value_name = "COUNT", value_parser = at_least_one())]
    namespaces: Option<u32>,
    /// Measure another controller, too, in turns: its program and options, in one word. KUBECONFIG is set for it
    #[arg(long, value_name = "COMMAND")]
    controller: Option<String>,
    /// Measure only the other controller
    #[arg(long, requires = "controller")]
    only_controller: bool,
    /// Measure each this many times, alternating [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = at_least_one())]
    repeat: Option<u32>,
    /// How long the controller is watched at rest, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one())]
    rest: Option<u32>,
    /// How long anything may take, in seconds [default: 900]
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one())]
    limit: Option<u32>,
    /// More options for our controller, in one word
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    flags: Option<String>,
}

/// Builds the controller as it ships, and the test bed; then measures.
pub(crate) fn bench(arguments: &Arguments) -> Result<(), Failed> {
    if arguments.instructions {
        return instructions::instructions(arguments.record);
    }
    let mut plan = plan(arguments);
    testbed::testbed(&testbed::Command::Build)?;
    let controller = Controller::as_it_ships(&Workspace::read()?)?;
    plan.insert("ours".to_owned(), json!(controller.0));
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("scale::table_of_scale")
        .env("BENCH", Value::Object(plan).to_string()))
}

/// What the test `scale::table_of_scale` is to do: only what was said.
fn plan(arguments: &Arguments) -> serde_json::Map<String, Value> {
    let yes = |said: bool| said.then_some(true);
    let all = [
        ("update", json!(arguments.cluster)),
        ("idle", json!(arguments.idle)),
        ("namespaces", json!(arguments.namespaces)),
        ("repeat", json!(arguments.repeat)),
        ("rest", json!(arguments.rest)),
        ("limit", json!(arguments.limit)),
        ("other", json!(arguments.controller)),
        ("flags", json!(arguments.flags)),
        ("mesh", json!(yes(arguments.mesh))),
        ("only_other", json!(yes(arguments.only_controller))),
    ];
    all.into_iter().filter(|(_, said)| !said.is_null()).map(|(name, said)| (name.to_owned(), said)).collect()
}

fn at_least_one() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, plan};
    use clap::{Args as _, Command, FromArgMatches as _};
    use serde_json::json;

    fn read(line: &str) -> Result<serde_json::Value, String> {
        let command = Arguments::augment_args(Command::new("bench").no_binary_name(true));
        let read = command.try_get_matches_from(line.split(' ')).map_err(|why| why.to_string())?;
        Ok(plan(&Arguments::from_arg_matches(&read).map_err(|why| why.to_string())?).into())
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
            ("--mesh", "--cluster <COUNT>"),
            ("--cluster 1 --idle 1", "cannot be used with"),
            ("--cluster 0", "0 is not in 1.."),
            ("--cluster", "a value is required"),
            ("--cluster 1 --only-controller", "--controller <COMMAND>"),
            ("--cluster 1 --huge", "'--huge'"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
    }
}

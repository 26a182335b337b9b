//! The command line.

mod clusters;
mod expect;
mod help;
mod metric;
mod refused;
mod world;

pub(crate) use clusters::Clusters;
pub(crate) use expect::{Expect, Expectations};
pub(crate) use metric::{Scripted, ScriptedMetric};
pub(crate) use refused::Refused;
pub(crate) use world::{Lose, MOST_PODS, Side, World};

use super::{
    change::Change,
    duration,
    ignore_rules::Tool,
    script::{self, Said},
    traffic::TrafficArgs,
};
use crate::generate::Generate;
use clap::{CommandFactory, Parser, error::ErrorKind};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "simulate", version, about = help::ABOUT, long_about = help::LONG_ABOUT, after_help = help::AFTER)]
#[command(no_binary_name = true, args_override_self = true, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Manifests: files, folders, or - for standard input. Objects of other kinds are skipped; a kustomization.yaml is
    /// built if kustomize or kubectl is installed
    #[arg(value_name = "PATH", required_unless_present_any = Generate::OPTIONS)]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) update: UpdateArgs,
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) clusters: Clusters,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) generate: Generate,
}

/// What becomes different.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Update")]
pub(crate) struct UpdateArgs {
    /// Set a field, like provider:spec.template.metadata.labels.version=v2 (repeatable)
    #[arg(long = "set", value_name = "[ROLLOUT:]FIELD=VALUE", value_parser = Change::parse_set)]
    set: Vec<Change>,
    /// Set the image of a container, after --set (repeatable)
    #[arg(long = "image", value_name = "[ROLLOUT/]CONTAINER=IMAGE", value_parser = Change::parse_image)]
    image: Vec<Change>,
    /// The next version of the manifests: files or folders (repeatable)
    #[arg(long = "update", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// What people do.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Script")]
pub(crate) struct ScriptArgs {
    /// What happens at this time, to one Rollout or to all: promote, promote-full, skip, pause, resume, abort, retry,
    /// undo, proceed, `set FIELD=VALUE`, `image CONTAINER=IMAGE`, or reapply, which applies the original manifests
    /// again, as GitOps tools do (repeatable)
    #[arg(long = "at", value_name = "[ROLLOUT:]TIME=ACTION", value_parser = script::Scripted::parse)]
    pub(crate) said: Vec<script::Scripted>,
    /// What a metric is, from which time on: a number, none (no data) or error, like success-rate=0.99@0s,0.90@12m. For a
    /// provider that judges by itself, 0 is a failure (repeatable)
    #[arg(long = "metric", value_name = "NAME=VALUE[@TIME],…")]
    pub(crate) metrics: Vec<ScriptedMetric>,
    /// Draw requests at the weights that the proxies have, and measure Prometheus metrics and comparisons of them: all
    /// requests a second, the share of bad answers, how many of these come together, and how long answers take (median
    /// and spread), like rps=100,bad=0.5%,canary-bad=1.5%,bursts=3,latency=80ms/0.6
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub(crate) traffic: Option<TrafficArgs>,
    /// With --traffic, also play so many other seeds, and say how many releases end in which way, and when
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) seeds: u32,
    /// Play nothing, but judge the AnalysisRuns in this file by the AnalysisTemplates in PATH (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "traffic")]
    pub(crate) replay: Vec<PathBuf>,
    /// How long a pause without a duration lasts, if no action ends it; or never
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time_or_never)]
    pub(crate) promote_after: TimeOrNever,
}

/// What is printed, and what the exit code says.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Also print the edited objects, as unified diffs
    #[arg(long)]
    pub(crate) objects: bool,
    /// Print one line of JSON for each event and finding (examples/README.md describes them)
    #[arg(long)]
    pub(crate) json: bool,
    /// Play nothing, but print what a GitOps tool must leave alone in the objects of PATH
    #[arg(long, value_name = "TOOL", conflicts_with = "json")]
    pub(crate) ignore_rules: Option<Tool>,
    /// Treat unknown fields of spec.strategy as errors, not as warnings
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) expect: Expectations,
}

/// `None`: never. Under this name, it is one value to clap, not an option that may be missing.
type TimeOrNever = Option<Duration>;

fn time_or_never(text: &str) -> Result<TimeOrNever, String> {
    if text == "never" { Ok(None) } else { duration::parse(text).map(Some) }
}

impl Args {
    /// Reads the command line; otherwise what is wrong with it, or what was asked for instead of a simulation.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, Refused> {
        let args = Self::try_parse_from(words)?;
        let wrong =
            args.replicas_twice().or_else(|| args.too_late()).or_else(|| args.output.expect.conflict());
        match wrong {
            Some(wrong) => Err(Self::command().error(ErrorKind::ValueValidation, wrong).into()),
            None => Ok(args),
        }
    }

    /// What `--set` and `--image` change.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.update.set.iter().chain(&self.update.image)
    }

    /// `--replicas` holds whatever the manifests say: a change of them would do nothing.
    fn replicas_twice(&self) -> Option<String> {
        let replicas = self.world.replicas?;
        let scripted = self.script.said.iter().filter_map(|scripted| match &scripted.what {
            Said::Change(change) => Some(change),
            Said::Command(_) | Said::Reapply => None,
        });
        let change = self.changes().chain(scripted).find(|change| change.is_of_replicas())?;
        Some(format!(
            "--replicas {replicas} holds for the whole run, so `{change}` does nothing; leave one of them out"
        ))
    }

    /// What would happen after the last moment that is simulated.
    fn too_late(&self) -> Option<String> {
        let said = self.script.said.iter().map(|scripted| ("--at", scripted.at));
        let lost = self.world.lose.iter().map(|lose| ("--lose-pods", lose.at));
        let frozen = self.world.freeze.iter().map(|freeze| ("--freeze-mesh", freeze.from));
        let cut = self.clusters.cut.iter().map(|cut| ("--cut", cut.from));
        let down = self.clusters.cluster_down.iter().map(|down| ("--cluster-down", down.from));
        let until = self.world.until;
        let (option, at) =
            said.chain(lost).chain(frozen).chain(cut).chain(down).find(|(_, at)| *at > until)?;
        let (at, until) = (duration::show(at), duration::show(until));
        Some(format!(
            "{option}: {at} is after the end of the simulation, {until}; write --until {at} or later"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{world::NeverReady, *};
    use rollout_core::sim::Delay;

    fn parse(line: &str) -> Result<Args, String> {
        let words = line.split(' ').filter(|word| !word.is_empty()).map(OsString::from);
        Args::read(words).map_err(|refused| refused.parts().0)
    }

    #[test]
    fn the_declaration_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn defaults() {
        let args = parse("examples/manifests/weight").unwrap();
        assert_eq!(args.inputs, [PathBuf::from("examples/manifests/weight")]);
        assert_eq!(args.script.promote_after, Some(Duration::from_secs(600)));
        assert_eq!((args.world.proxies, args.world.proxy_lag), (3, Delay::from(Duration::from_secs(2))));
        assert_eq!(args.output.expect, Expectations::default());
    }

    #[test]
    fn everything_at_once() {
        let args = parse(
            "- --set a:spec.paused=true --image web=nginx --update new --at 12m=abort --at a:13m=retry \
             --promote-after never --replicas 5 --ready-after 30s --never-ready canary --lose-pods a:stable=2@5m \
             --proxies 4 --proxy-lag 500ms..1s --freeze-mesh 5m..6m --until 1h --until 2h --seed 7 --objects --json \
             --expect aborted --expect a:paused --strict",
        )
        .unwrap();
        assert_eq!((args.changes().count(), args.update.paths.len(), args.script.said.len()), (2, 1, 2));
        assert_eq!(args.script.promote_after, None);
        let lose =
            Lose { rollout: Some("a".to_owned()), side: Side::Stable, pods: 2, at: Duration::from_secs(300) };
        let world = World {
            replicas: Some(5),
            ready_after: Some(Delay::from(Duration::from_secs(30))),
            never_ready: vec![NeverReady { rollout: None, side: Side::Canary }],
            lose: vec![lose],
            proxies: 4,
            proxy_lag: Delay::between(Duration::from_millis(500), Duration::from_secs(1)),
            freeze: vec![world::Freeze {
                about: None,
                from: Duration::from_secs(300),
                to: Duration::from_secs(360),
            }],
            start: rollout_core::Time::parse_rfc3339("2026-01-01T00:00:00Z").unwrap(),
            until: Duration::from_secs(7200),
            seed: 7,
        };
        assert_eq!(args.world, world);
        let OutputArgs { objects, json, strict, expect, ignore_rules } = args.output;
        assert_eq!(ignore_rules, None);
        assert!(objects && json && strict);
        assert_eq!(expect.of("a", true), Some(Expect::Paused));
        assert_eq!(expect.of("b", true), Some(Expect::Aborted));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (line, error) in [
            ("x --replica 3", "unexpected argument '--replica' found"),
            (
                "x --lose-pods 2",
                "invalid value '2' for '--lose-pods <[ROLLOUT:]SIDE=PODS@TIME>': say which pods die, and when, like \
                 stable=2@5m",
            ),
            (
                "x --freeze-mesh 6m..5m",
                "invalid value '6m..5m' for '--freeze-mesh <[CLUSTER:]FROM..TO>': it ends before it begins; write it like \
                 5m..6m",
            ),
            (
                "x --expect good",
                "invalid value 'good' for '--expect <[ROLLOUT:]STATE>': \"good\" is not a state; write healthy, \
                 paused or aborted",
            ),
            (
                "x --proxies many",
                "invalid value 'many' for '--proxies <COUNT>': write a whole number from 1 to 1000",
            ),
            ("x -q", "unexpected argument '-q' found"),
            ("--json", "the following required arguments were not provided: <PATH>..."),
            ("x --at", "a value is required for '--at <[ROLLOUT:]TIME=ACTION>' but none was supplied"),
        ] {
            assert_eq!(parse(line).unwrap_err(), error, "{line}");
        }
    }
}

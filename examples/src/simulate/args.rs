//! The command line.

use super::{
    change::Change,
    duration,
    nearest::nearest,
    script::{Said, Scripted},
};
use lexopt::{Arg, Parser, ValueExt};
use rollout_core::sim::Delay;
use std::{ffi::OsString, ops::RangeInclusive, path::PathBuf, time::Duration};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Plays a canary in virtual time: reads the manifests, really edits their Istio objects in memory, and invents
the pods and proxies. Time 0 is the update; the first deploy is played before it.

usage: simulate [OPTIONS] FILE|FOLDER|- …

The update (none: every Rollout gets a changed template)
  --set [ROLLOUT:]PATH=VALUE     set a value, like provider:spec.template.metadata.labels.version=v2
  --image [ROLLOUT/]CONTAINER=IMAGE
  --update FILE|FOLDER           other manifests of the same Rollouts

The script
  --at [ROLLOUT:]TIME=WHAT       promote, promote-full, skip, pause, resume, abort, retry, undo, proceed,
                                 `set PATH=VALUE`, `image CONTAINER=IMAGE`, or reapply (the user's own
                                 manifests again, as GitOps does); no name: all; repeatable
  --promote-after TIME|never     ends a pause without a duration that the script does not end (10m)

The world
  --replicas N                   instead of spec.replicas, in the whole run
  --ready-after TIME[..TIME]     until a pod is ready (the readiness probe's first delay, or 5s)
  --never-ready [ROLLOUT:]SIDE   pods of stable or canary that are made after the update never get ready
  --lose-pods [ROLLOUT:]SIDE=N@TIME
                                 N pods of that side die at a time; new ones are made; repeatable
  --proxies N                    proxies, each with its own copy of routes, selectors and endpoints (3)
  --proxy-lag TIME[..TIME]       until a proxy has what was written (2s)
  --freeze-mesh FROM..TO         no proxy gets anything in between; repeatable
  --until TIME                   the last moment that is played (24h)
  --seed N                       of what is drawn from a span: `1s..3s` is anything in between (1)

The output
  --objects                      with the changed objects, as unified diffs
  --json                         a line an event, see examples/README.md
  --expect healthy|paused|aborted
                                 how it is to come to rest (healthy): exit code 0 when so, 1 when not,
                                 2 for bad input
";

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Args {
    pub(crate) help: bool,
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) changes: Vec<Change>,
    pub(crate) updates: Vec<PathBuf>,
    pub(crate) script: Vec<Scripted>,
    /// `None`: never.
    pub(crate) promote_after: Option<Duration>,
    pub(crate) world: World,
    pub(crate) objects: bool,
    pub(crate) json: bool,
    pub(crate) expect: Expect,
}

/// How the world is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    pub(crate) replicas: Option<u32>,
    pub(crate) ready_after: Option<Delay>,
    pub(crate) never_ready: Vec<(Option<String>, Side)>,
    pub(crate) lose: Vec<Lose>,
    pub(crate) proxies: u32,
    pub(crate) proxy_lag: Delay,
    pub(crate) freeze: Vec<(Duration, Duration)>,
    pub(crate) until: Duration,
    pub(crate) seed: u64,
}

/// Which pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Stable,
    Canary,
}

/// Pods that die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lose {
    /// Which Rollout's; `None` is all of them.
    pub(crate) rollout: Option<String>,
    pub(crate) side: Side,
    pub(crate) pods: u32,
    pub(crate) at: Duration,
}

/// How it is to come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Healthy,
    Paused,
    Aborted,
}

const OPTIONS: [&str; 18] = [
    "set",
    "image",
    "update",
    "at",
    "promote-after",
    "replicas",
    "ready-after",
    "never-ready",
    "lose-pods",
    "proxies",
    "proxy-lag",
    "freeze-mesh",
    "until",
    "seed",
    "objects",
    "json",
    "expect",
    "help",
];

impl Args {
    /// Reads the command line; all that is wrong with it otherwise.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Vec<String>> {
        let mut args = Self {
            help: false,
            inputs: Vec::new(),
            changes: Vec::new(),
            updates: Vec::new(),
            script: Vec::new(),
            promote_after: Some(Duration::from_secs(600)),
            world: World::default(),
            objects: false,
            json: false,
            expect: Expect::Healthy,
        };
        let mut errors = Vec::new();
        let mut parser = Parser::from_args(words);
        loop {
            match parser.next() {
                Ok(None) => break,
                Ok(Some(Arg::Value(path))) => args.inputs.push(path.into()),
                Ok(Some(Arg::Short('h'))) => args.help = true,
                Ok(Some(Arg::Short(letter))) => {
                    errors.push(format!("there is no option -{letter}; see --help"));
                }
                Ok(Some(Arg::Long(name))) => {
                    let name = name.to_owned();
                    if let Err(error) = args.option(&name, &mut parser) {
                        errors.push(format!("--{name}: {error}"));
                    }
                }
                Err(error) => errors.push(error.to_string()),
            }
        }
        if args.inputs.is_empty() && !args.help && errors.is_empty() {
            errors.push("no manifest is given; write a file, a folder, or - for standard input".to_owned());
        }
        errors.extend(args.replicas_twice());
        errors.extend(args.too_late());
        if errors.is_empty() { Ok(args) } else { Err(errors) }
    }

    /// `--replicas` holds whatever the manifests say: a change of them would do nothing.
    fn replicas_twice(&self) -> Option<String> {
        let replicas = self.world.replicas?;
        let scripted = self.script.iter().filter_map(|scripted| match &scripted.what {
            Said::Change(change) => Some(change),
            Said::Command(_) | Said::Reapply => None,
        });
        let change = self.changes.iter().chain(scripted).find(|change| change.is_of_replicas())?;
        Some(format!(
            "--replicas {replicas} holds for the whole run, so `{change}` does nothing; leave one of them out"
        ))
    }

    /// What would happen after the last moment that is played.
    fn too_late(&self) -> Option<String> {
        let said = self.script.iter().map(|scripted| ("--at", scripted.at));
        let lost = self.world.lose.iter().map(|lose| ("--lose-pods", lose.at));
        let frozen = self.world.freeze.iter().map(|(from, _)| ("--freeze-mesh", *from));
        let until = self.world.until;
        let (option, at) = said.chain(lost).chain(frozen).find(|(_, at)| *at > until)?;
        let (at, until) = (duration::show(at), duration::show(until));
        Some(format!(
            "{option}: {at} is after the last moment that is played, {until}; say --until {at} or later"
        ))
    }

    fn option(&mut self, name: &str, parser: &mut Parser) -> Result<(), String> {
        match name {
            "help" => self.help = true,
            "objects" => self.objects = true,
            "json" => self.json = true,
            _ if !OPTIONS.contains(&name) => {
                let hint = nearest(name, OPTIONS).map(|near| format!("did you mean --{near}?"));
                // A mistyped option's value is no manifest.
                let _ = parser.optional_value();
                return Err(format!("there is no such option; {}", hint.as_deref().unwrap_or("see --help")));
            }
            _ => {
                let value = parser.value().and_then(ValueExt::string);
                let value = value.map_err(|_| "needs a value; see --help".to_owned())?;
                self.valued(name, &value)?;
            }
        }
        Ok(())
    }

    fn valued(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "set" => self.changes.push(Change::parse_set(value)?),
            "image" => self.changes.push(Change::parse_image(value)?),
            "update" => self.updates.push(value.into()),
            "at" => self.script.push(Scripted::parse(value)?),
            "promote-after" => {
                self.promote_after = if value == "never" { None } else { Some(duration::parse(value)?) };
            }
            "expect" => self.expect = Expect::parse(value)?,
            _ => self.world.valued(name, value)?,
        }
        Ok(())
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            replicas: None,
            ready_after: None,
            never_ready: Vec::new(),
            lose: Vec::new(),
            proxies: 3,
            proxy_lag: Delay::from(Duration::from_secs(2)),
            freeze: Vec::new(),
            until: Duration::from_secs(24 * 3600),
            seed: 1,
        }
    }
}

impl World {
    fn valued(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "replicas" => self.replicas = Some(number(value, 0..=MOST_PODS)?),
            "ready-after" => self.ready_after = Some(delay(value)?),
            "never-ready" => {
                let (rollout, side) = about(value);
                self.never_ready.push((rollout, Side::parse(side)?));
            }
            "lose-pods" => self.lose.push(Lose::parse(value)?),
            "proxies" => self.proxies = number(value, 1..=1_000)?,
            "proxy-lag" => self.proxy_lag = delay(value)?,
            "freeze-mesh" => self.freeze.push(span(value)?),
            "until" => self.until = duration::parse(value)?,
            _ => {
                let seed = value.parse().map_err(|_| format!("{value:?} is no whole number from 0"));
                self.seed = seed?;
            }
        }
        Ok(())
    }
}

/// More pods than any one rollout has; the world holds each of them.
pub(crate) const MOST_PODS: u32 = 10_000;

fn number(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{text:?} is no whole number from {} to {}", range.start(), range.end()))
}

/// `[ROLLOUT:]` in front of something.
fn about(text: &str) -> (Option<String>, &str) {
    match text.split_once(':') {
        Some((rollout, rest)) => (Some(rollout.to_owned()), rest),
        None => (None, text),
    }
}

/// A time, or a span from which each is drawn.
fn delay(text: &str) -> Result<Delay, String> {
    match text.split_once("..") {
        Some((from, to)) => {
            let (least, most) = (duration::parse(from)?, duration::parse(to)?);
            if least > most {
                return Err(format!("{text:?} ends before it begins; write it like {to}..{from}"));
            }
            Ok(Delay::between(least, most))
        }
        None => duration::parse(text).map(Delay::from),
    }
}

fn span(text: &str) -> Result<(Duration, Duration), String> {
    let (from, to) =
        text.split_once("..").ok_or_else(|| format!("{text:?} is no span; write it like 5m..6m"))?;
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    if from < to {
        Ok((from, to))
    } else {
        Err(format!("{text:?} ends before it begins; write it like 5m..6m"))
    }
}

impl Side {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "stable" => Ok(Self::Stable),
            "canary" => Ok(Self::Canary),
            _ => Err(format!("{text:?} is no side; write stable or canary")),
        }
    }
}

impl Lose {
    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(side, rest)| Some((side, rest.split_once('@')?)));
        let parts = parts.map(|(side, rest)| (about(side), rest));
        let ((rollout, side), (pods, at)) =
            parts.ok_or_else(|| format!("{text:?} says not what dies; write it like stable=2@5m"))?;
        Ok(Self {
            rollout,
            side: Side::parse(side)?,
            pods: number(pods, 1..=MOST_PODS)?,
            at: duration::parse(at)?,
        })
    }
}

impl Expect {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "healthy" => Ok(Self::Healthy),
            "paused" => Ok(Self::Paused),
            "aborted" => Ok(Self::Aborted),
            _ => Err(format!("{text:?} is no way to come to rest; write healthy, paused or aborted")),
        }
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Paused => "paused",
            Self::Aborted => "aborted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, Vec<String>> {
        Args::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    #[test]
    fn defaults() {
        let args = parse("examples/manifests/weight").unwrap();
        assert_eq!(args.inputs, [PathBuf::from("examples/manifests/weight")]);
        assert_eq!(args.promote_after, Some(Duration::from_secs(600)));
        assert_eq!((args.world.proxies, args.world.proxy_lag), (3, Delay::from(Duration::from_secs(2))));
        assert_eq!(args.expect, Expect::Healthy);
    }

    #[test]
    fn everything_at_once() {
        let args = parse(
            "- --set a:spec.paused=true --image web=nginx --update new --at 12m=abort --at a:13m=retry \
             --promote-after never --replicas 5 --ready-after 30s --never-ready canary --lose-pods a:stable=2@5m \
             --proxies 4 --proxy-lag 500ms..1s --freeze-mesh 5m..6m --until 2h --seed 7 --objects --json \
             --expect aborted",
        )
        .unwrap();
        assert_eq!((args.changes.len(), args.updates.len(), args.script.len()), (2, 1, 2));
        assert_eq!(args.promote_after, None);
        let lose =
            Lose { rollout: Some("a".to_owned()), side: Side::Stable, pods: 2, at: Duration::from_secs(300) };
        let world = World {
            replicas: Some(5),
            ready_after: Some(Delay::from(Duration::from_secs(30))),
            never_ready: vec![(None, Side::Canary)],
            lose: vec![lose],
            proxies: 4,
            proxy_lag: Delay::between(Duration::from_millis(500), Duration::from_secs(1)),
            freeze: vec![(Duration::from_secs(300), Duration::from_secs(360))],
            until: Duration::from_secs(7200),
            seed: 7,
        };
        assert_eq!(args.world, world);
        assert!(args.objects && args.json && args.expect == Expect::Aborted);
    }

    #[test]
    fn says_everything_that_is_wrong() {
        let errors =
            parse("x --replica 3 --lose-pods 2 --freeze-mesh 6m..5m --expect good --proxies many -q");
        assert_eq!(
            errors.unwrap_err(),
            [
                "--replica: there is no such option; did you mean --replicas?",
                "--lose-pods: \"2\" says not what dies; write it like stable=2@5m",
                "--freeze-mesh: \"6m..5m\" ends before it begins; write it like 5m..6m",
                "--expect: \"good\" is no way to come to rest; write healthy, paused or aborted",
                "--proxies: \"many\" is no whole number from 1 to 1000",
                "there is no option -q; see --help",
            ]
        );
        assert_eq!(
            parse("").unwrap_err(),
            ["no manifest is given; write a file, a folder, or - for standard input"]
        );
        assert_eq!(parse("x --at").unwrap_err(), ["--at: needs a value; see --help"]);
    }

    #[test]
    fn help_names_every_option() {
        for option in OPTIONS.iter().filter(|option| **option != "help") {
            assert!(HELP.contains(&format!("--{option}")), "{option}");
        }
    }
}

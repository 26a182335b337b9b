//! The command line.

mod expect;
mod help;
mod world;

pub(crate) use expect::{Expect, Expectations};
pub(crate) use help::HELP;
pub(crate) use world::{Lose, MOST_PODS, Side, World};

use super::{
    change::Change,
    duration,
    nearest::nearest,
    script::{Said, Scripted},
};
use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// What was asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
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
    /// Whether unknown fields of the strategy are errors.
    pub(crate) strict: bool,
    pub(crate) expect: Expectations,
}

const OPTIONS: [&str; 19] = [
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
    "strict",
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
            strict: false,
            expect: Expectations::default(),
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
            "strict" => self.strict = true,
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
            "expect" => self.expect.add(value)?,
            _ => self.world.valued(name, value)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::sim::Delay;

    fn parse(line: &str) -> Result<Args, Vec<String>> {
        Args::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    #[test]
    fn defaults() {
        let args = parse("examples/manifests/weight").unwrap();
        assert_eq!(args.inputs, [PathBuf::from("examples/manifests/weight")]);
        assert_eq!(args.promote_after, Some(Duration::from_secs(600)));
        assert_eq!((args.world.proxies, args.world.proxy_lag), (3, Delay::from(Duration::from_secs(2))));
        assert_eq!(args.expect, Expectations::default());
    }

    #[test]
    fn everything_at_once() {
        let args = parse(
            "- --set a:spec.paused=true --image web=nginx --update new --at 12m=abort --at a:13m=retry \
             --promote-after never --replicas 5 --ready-after 30s --never-ready canary --lose-pods a:stable=2@5m \
             --proxies 4 --proxy-lag 500ms..1s --freeze-mesh 5m..6m --until 2h --seed 7 --objects --json \
             --expect aborted --expect a:paused --strict",
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
        assert!(args.objects && args.json && args.strict);
        assert_eq!(args.expect.of("a", true), Some(Expect::Paused));
        assert_eq!(args.expect.of("b", true), Some(Expect::Aborted));
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

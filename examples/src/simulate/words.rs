//! A happening in words for a release manager: the right-hand side of the timeline.

use super::{
    clock::Clock,
    duration,
    happening::{By, Happening, Kind, Layer, PodChange, Rest},
    names::Names,
};
use rollout_core::{
    EndsBy, Event, Step, WaitReason, Waiting,
    traffic::{ManagedChange, RouteMatch, Routes, Selection, Selectors, StringMatch, WeightChange},
};

/// One line, without the time.
pub(crate) fn words(happening: &Happening, names: &Names, clock: Clock) -> String {
    match &happening.kind {
        Kind::FirstDeploy(revision) => format!("FIRST DEPLOY of {}", names.of(revision)),
        Kind::Update { revision, changes } => {
            format!("UPDATE to {}: {}", names.of(revision), changes.join(", "))
        }
        Kind::Command { what, by, answer } => command(what, *by, answer, names),
        Kind::Fault(what) => format!("! {what}"),
        Kind::Failed(why) => format!("! {why}"),
        Kind::Engine(event) => self::event(event, happening, names, clock),
        Kind::Pods { revision, change, pods } => {
            let what = match change {
                PodChange::Ready => "ready",
                PodChange::Lost => "lost",
                PodChange::Ended => "ended",
            };
            format!("{}: {} {what}", names.of(revision), count(*pods, "pod"))
        }
        Kind::Settled { layer, proxies, after } => {
            let what = match layer {
                Layer::Routes => "routes",
                Layer::Selectors => "selectors",
            };
            let all = match proxies {
                1 => "the proxy has".to_owned(),
                2 => "both proxies have".to_owned(),
                all => format!("all {all} proxies have"),
            };
            format!("settled: {all} the {what} ({} after the write)", duration::show(*after))
        }
        Kind::Waiting(waiting) => format!("… {}", wait(waiting, names, clock)),
        Kind::Object { name, .. } => format!("edited {name}"),
        Kind::Rest(rest) => match rest {
            Rest::Healthy => "DONE: healthy and at rest".to_owned(),
            Rest::Paused => "AT REST: paused, waits for a person".to_owned(),
            Rest::Aborted => "AT REST: aborted".to_owned(),
            Rest::Unfinished => "END: not at rest, or not as the manifest asks".to_owned(),
        },
    }
}

/// `1 pod`, `2 pods`.
pub(crate) fn count(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn command(what: &str, by: By, answer: &Result<(), String>, names: &Names) -> String {
    let by = match by {
        By::Script => String::new(),
        By::Simulation(after) => {
            format!(" (said by the simulation: nobody else did for {})", duration::show(after))
        }
    };
    match answer {
        Ok(()) => format!("> {what}{by}: accepted"),
        Err(why) => format!("> {what}{by}: rejected, {}", names.put_into(why)),
    }
}

fn event(event: &Event, happening: &Happening, names: &Names, clock: Clock) -> String {
    let state = &happening.state;
    match event {
        Event::StepCompleted { step, of, what } => {
            format!("step {}/{of} done: {}", step.saturating_add(1), self::step(what))
        }
        Event::Paused { until } => {
            let until = match until {
                Some(until) => format!("until {}", clock.show(*until)),
                None => "until somebody promotes".to_owned(),
            };
            format!("step {}/{}: pause {until}", state.step.saturating_add(1), state.steps)
        }
        Event::Scaled { revision, pods, mark } => {
            let name = names.of(revision);
            match mark {
                Some(at) => format!("{name} marked: may go to 0 pods from {}", clock.show(*at)),
                None => format!("{name}: {} wanted", count(*pods, "pod")),
            }
        }
        Event::Selected(selectors) => selected(selectors, names),
        Event::Routed(routes) => routed(routes),
        Event::Completed { revision, before: Some(before) } => {
            format!("{} is stable now, in place of {}", names.of(revision), names.of(before))
        }
        Event::Completed { revision, before: None } => format!("{} is stable now", names.of(revision)),
        other => names.put_into(&other.to_string()),
    }
}

/// A step in a manager's words.
pub(crate) fn step(step: &Step) -> String {
    match step {
        Step::SetWeight(weight) => format!("weight {weight}"),
        Step::Pause(Some(time)) => format!("pause {}", duration::show(*time)),
        Step::Pause(None) => "pause until promoted".to_owned(),
        Step::SetHeaderRoute { name, route: None } | Step::SetMirrorRoute { name, route: None } => {
            format!("no route {name}")
        }
        Step::SetHeaderRoute { name, .. } => format!("header route {name}"),
        Step::SetMirrorRoute { name, .. } => format!("mirror route {name}"),
        other => other.to_string(),
    }
}

fn selected(selectors: &Selectors, names: &Names) -> String {
    let behind = |selection: &Selection| match selection {
        Selection::UsersOwn => "the user's own selector".to_owned(),
        Selection::Revision(revision) => names.of(revision),
    };
    let said: Vec<String> = [("stable", &selectors.stable), ("canary", &selectors.canary)]
        .into_iter()
        .filter_map(|(name, selection)| Some(format!("{name} → {}", behind(selection.as_ref()?))))
        .collect();
    format!("selectors: {}", said.join(", "))
}

fn routed(routes: &Routes) -> String {
    let mut said = Vec::new();
    if let WeightChange::To { weight, of } = routes.weight {
        said.push(format!("stable {}, canary {weight}", of.saturating_sub(weight)));
    }
    match &routes.managed {
        ManagedChange::Keep => {}
        ManagedChange::Retain(names) if names.is_empty() => said.push("no managed route".to_owned()),
        ManagedChange::Retain(names) => said.push(format!("only {} in front", names.join(", "))),
        ManagedChange::To(routes) if routes.is_empty() => said.push("no managed route".to_owned()),
        ManagedChange::To(routes) => {
            let routes: Vec<String> =
                routes.iter().map(|route| format!("{} ({})", route.name, matches(&route.matches))).collect();
            said.push(format!("in front {}", routes.join(", ")));
        }
    }
    format!("routes: {}", said.join("; "))
}

fn matches(matches: &RouteMatch) -> String {
    match matches {
        RouteMatch::Header(headers) => headers
            .iter()
            .map(|header| match &header.value {
                StringMatch::Exact(value) => format!("{}: {value}", header.name),
                StringMatch::Prefix(value) => format!("{}: {value}…", header.name),
                StringMatch::Regex(value) => format!("{} ~ {value}", header.name),
            })
            .collect::<Vec<_>>()
            .join(" or "),
        RouteMatch::Mirror { percentage, .. } => format!("copies of {percentage} %"),
    }
}

/// What is waited for, and until when.
pub(crate) fn wait(waiting: &Waiting, names: &Names, clock: Clock) -> String {
    let reason = match &waiting.reason {
        WaitReason::ScaleDownDelay { revision } => {
            format!("{} keeps its pods for the scale-down delay", names.of(revision))
        }
        other => names.put_into(&other.to_string()),
    };
    let until = match &waiting.ends {
        EndsBy::Time(at) => format!("until {}", clock.show(*at)),
        EndsBy::Command(commands) => {
            let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
            format!("until somebody says {}", commands.join(" or "))
        }
        other => names.put_into(&other.to_string()).replacen("when ", "until ", 1),
    };
    format!("{reason}, {until}")
}

//! A happening in words for a release manager: the right-hand side of the timeline.

use super::{
    clock::Clock,
    duration,
    happening::{By, Happening, Kind, Layer, PodChange, Rest},
    names::Names,
};
use rollout_core::{
    CanaryScale, Event, Step, Time, Waiting,
    analysis::RunSeen,
    traffic::{
        ManagedChange, RequestMatch, RouteMatch, Routes, Selection, Selectors, StringMatch, WeightChange,
    },
    waiting::{Ending, EndsBy, WaitReason},
};

/// One line, without the time.
pub(crate) fn words(happening: &Happening, names: &Names, clock: Clock) -> String {
    match &happening.kind {
        Kind::FirstDeploy(revision) => format!("FIRST DEPLOY of {}", names.of(revision)),
        Kind::Update { revision, changes, .. } if changes.is_empty() => {
            format!("NO UPDATE of this one: it stays at {}", names.of(revision))
        }
        Kind::Update { changes, another: false, .. } => format!("CHANGE: {}", changes.join(", ")),
        Kind::Update { revision, changes, .. } => {
            format!("UPDATE to {}: {}", names.of(revision), changes.join(", "))
        }
        Kind::Command { what, by, answer } => command(what, *by, answer, names),
        Kind::Fault(what) => format!("! {what}"),
        Kind::Scaled { revision, pods, scale_down_deadline, before } => {
            scaled(&names.of(revision), *pods, *scale_down_deadline, *before, clock)
        }
        Kind::Fenced => {
            "fenced: a nonce in every object, so that no earlier process's write lands".to_owned()
        }
        Kind::Evicted { revision, pods } => {
            format!("restart: {} of {} evicted", count(*pods, "pod"), names.of(revision))
        }
        Kind::Labelled { revision, field, metadata } => {
            format!("{}: the pods get {metadata} ({field})", names.of(revision))
        }
        Kind::Failed(why) => format!("! {why}"),
        Kind::Engine(event) => self::event(event, happening, names, clock),
        Kind::Pods { revision, change, pods } => {
            let what = match change {
                PodChange::Ready => "ready",
                PodChange::Lost => "lost",
                PodChange::Ended => "gone",
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
        Kind::Waiting { waiting, deadline } => {
            let late = deadline.map(|at| format!(", late from {}", clock.show(at))).unwrap_or_default();
            format!("… {}{late}", wait(waiting, names, clock))
        }
        Kind::Measured(run) => names.put_into(&measured(run, clock)),
        Kind::Object { name, .. } => format!("edited {name}"),
        Kind::Rest(rest) => match rest {
            Rest::Healthy => "AT REST: healthy".to_owned(),
            Rest::Paused => "AT REST: paused, waits for a person".to_owned(),
            Rest::Aborted => "AT REST: aborted".to_owned(),
            Rest::Degraded => "AT REST: degraded, its pods make no progress".to_owned(),
            Rest::ScaledToZero => "AT REST: healthy, scaled to zero".to_owned(),
            Rest::HeldAtZero => {
                "AT REST: scaled to zero, the update goes on when replicas are above 0 again".to_owned()
            }
            Rest::AbortedInTraffic => {
                "END: unfinished, it is aborted, and traffic is still led to the aborted revision".to_owned()
            }
            Rest::Unreadable => "END: unfinished, it waits for what cannot be read".to_owned(),
            Rest::Unfinished => "END: unfinished".to_owned(),
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
            format!(" (by the simulation: nobody said it for {})", duration::show(after))
        }
    };
    match answer {
        Ok(()) => format!("> {what}{by}: accepted"),
        Err(why) => format!("> {what}{by}: rejected, {}", names.put_into(why)),
    }
}

fn scaled(
    name: &str,
    pods: u32,
    scale_down_deadline: Option<Time>,
    before: Option<(u32, Option<Time>)>,
    clock: Clock,
) -> String {
    let resized = before.is_none_or(|(was, _)| was != pods);
    match scale_down_deadline {
        _ if pods == 0 => format!("{name}: to 0 pods"),
        Some(at) if !resized => {
            format!("{name}: marked for scale-down, keeps {} until {}", count(pods, "pod"), clock.show(at))
        }
        Some(at) => format!("{name}: to {}, marked for scale-down at {}", count(pods, "pod"), clock.show(at)),
        None if !resized => format!("{name}: no longer marked for scale-down"),
        None => format!("{name}: to {}", count(pods, "pod")),
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
        Step::SetCanaryScale(CanaryScale::Replicas(pods)) => format!("canary of {}", count(*pods, "pod")),
        Step::SetCanaryScale(CanaryScale::Weight(weight)) => format!("canary of {weight} % of the pods"),
        Step::SetCanaryScale(CanaryScale::MatchTrafficWeight) => "canary's pods by weight".to_owned(),
        Step::Analysis(analysis) => {
            let templates: Vec<&str> = analysis.templates.iter().map(|(name, _)| &**name).collect();
            format!("analysis of {}", templates.join(", "))
        }
        other => other.to_string(),
    }
}

fn selected(selectors: &Selectors, names: &Names) -> String {
    let behind = |selection: &Selection| match selection {
        Selection::Unpinned => "the user's own selector".to_owned(),
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
    if let WeightChange::To(weight) = routes.weight {
        said.push(format!("stable {}, canary {}", weight.rest(), weight.parts()));
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
        RouteMatch::Header(requests) => {
            let requests: Vec<_> = requests.iter().map(request).collect();
            requests.join(" or ")
        }
        RouteMatch::Mirror { percentage, .. } => format!("copies of {percentage} %"),
    }
}

fn request(request: &RequestMatch) -> String {
    let text = |name: &str, value: &StringMatch| match value {
        StringMatch::Exact(value) => format!("{name}: {value}"),
        StringMatch::Prefix(value) => format!("{name}: {value}…"),
        StringMatch::Regex(value) => format!("{name} ~ {value}"),
    };
    let parts = [("method", request.method.as_ref()), ("path", request.path.as_ref())];
    let parts = parts.into_iter().filter_map(|(name, value)| Some(text(name, value?)));
    let headers = request.headers.iter().map(|(name, value)| text(name, value));
    let query = request.query.iter().map(|(name, value)| text(&format!("?{name}"), value));
    headers.chain(parts).chain(query).collect::<Vec<_>>().join(" and ")
}

/// What a run has measured.
fn measured(run: &RunSeen, clock: Clock) -> String {
    let message = if run.message.is_empty() { String::new() } else { format!(": {}", run.message) };
    let metric = run.metric.as_ref().map(|metric| {
        let next =
            metric.next.map(|at| format!(", next measurement at {}", clock.show(at))).unwrap_or_default();
        let mut now = metric.clone();
        now.next = None;
        format!("; {now}{next}")
    });
    format!("analysis {} is {}{message}{}", run.name, run.phase, metric.unwrap_or_default())
}

/// What is waited for, and until when.
pub(crate) fn wait(waiting: &Waiting, names: &Names, clock: Clock) -> String {
    let reason = match &waiting.reason {
        WaitReason::Pods { revision, need, seen } => {
            format!("waits for pods of {}: {seen} of {need} ready", names.of(revision))
        }
        WaitReason::Settling { what, behind, long } => {
            let who = if behind.is_empty() { "every proxy".to_owned() } else { behind.join(", ") };
            let advice = if *long {
                "; this is taking long: check the proxies, or override with `proceed`"
            } else {
                ""
            };
            names.put_into(&format!("not yet: waits for {who} to get the {what}{advice}"))
        }
        // Each measurement has a line of its own.
        WaitReason::Analysis { role, run, .. } => {
            let (role, run) = (*role, run.clone());
            names.put_into(&WaitReason::Analysis { role, run, metric: None }.to_string())
        }
        other => names.put_into(&other.to_string()),
    };
    let until = match &waiting.ends {
        EndsBy::Time(at) => format!(", until {}", clock.show(*at)),
        EndsBy::Command(commands) => {
            let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
            format!(", until somebody says {}", commands.join(" or "))
        }
        EndsBy::Event(
            Ending::PodsReady
            | Ending::StableCarries
            | Ending::Settled
            | Ending::Observed
            | Ending::AnalysisOver
            | Ending::AnalysisAnswered,
        ) => String::new(),
        other => names.put_into(&format!(", {other}").replacen("when ", "until ", 1)),
    };
    format!("{reason}{until}")
}

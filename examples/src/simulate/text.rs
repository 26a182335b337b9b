//! The timeline as text: aligned columns, one line a happening.

use super::{
    clock::Clock,
    happening::{Happening, Kind, Pods, State},
    names::Names,
    play::Play,
    words::words,
};
use rollout_core::{Range, Revision};

/// Everything about one Rollout.
pub(crate) fn rollout(play: &Play<'_>) -> String {
    let recorder = play.world.watcher();
    let mut text = format!("{}\n", play.name);
    for revision in recorder.names.all() {
        text += &format!("  {} is {revision}\n", recorder.names.of(revision));
    }
    text.push('\n');
    text += &timeline(&recorder.happenings, &recorder.names, play.clock);
    text.push('\n');
    text
}

/// The timeline of one Rollout, with the headings of its columns before each section.
pub(crate) fn timeline(happenings: &[Happening], names: &Names, clock: Clock) -> String {
    let routed = happenings.iter().any(|happening| happening.state.traffic.is_some());
    let managed = happenings
        .iter()
        .filter_map(|happening| happening.state.traffic.as_ref())
        .map(|traffic| list(&traffic.managed).chars().count())
        .max()
        .filter(|width| *width > 1);
    let mut text = String::new();
    let mut columns = Columns { routed, managed, revisions: Vec::new() };
    for (index, happening) in happenings.iter().enumerate() {
        if let Kind::FirstDeploy(_) = happening.kind {
            columns.revisions = revisions(happenings, |kind| matches!(kind, Kind::Update { .. }));
            text += &columns.heading(names);
        }
        if matches!(happening.kind, Kind::Update { .. }) && columns.revisions.len() != names.all().len() {
            columns.revisions = names.all().to_vec();
            text.push('\n');
            text += &columns.heading(names);
        }
        if let Kind::Object { name, diff } = &happening.kind {
            text += &object(&name.to_string(), diff);
            continue;
        }
        let same_time = index > 0
            && happenings.get(index - 1).is_some_and(|before| {
                before.at == happening.at && !matches!(before.kind, Kind::Object { .. })
            });
        let time = if same_time { String::new() } else { clock.show(happening.at) };
        let line =
            format!("{time:>9}  {}  {}", columns.state(&happening.state), words(happening, names, clock));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The revisions that have come up until the first happening of a kind.
fn revisions(happenings: &[Happening], end: impl Fn(&Kind) -> bool) -> Vec<Revision> {
    let mut found: Vec<Revision> = Vec::new();
    for happening in happenings.iter().take_while(|happening| !end(&happening.kind)) {
        for pods in &happening.state.pods {
            if !found.contains(&pods.revision) {
                found.push(pods.revision.clone());
            }
        }
    }
    found
}

/// The real edit, set in under its line.
fn object(name: &str, diff: &str) -> String {
    let mut text = format!("{:>11}{name}\n", "");
    for line in diff.lines() {
        text += format!("{:>11}{line}", "").trim_end();
        text.push('\n');
    }
    text
}

struct Columns {
    routed: bool,
    managed: Option<usize>,
    revisions: Vec<Revision>,
}

impl Columns {
    fn heading(&self, names: &Names) -> String {
        let mut line = format!("{:>9}  {:<5}", "time", "step");
        if self.routed {
            line += &format!("  {:>6} {:>6}", "stable", "canary");
        }
        if let Some(width) = self.managed {
            line += &format!("  {:<width$}", "in front", width = width.max(8));
        }
        for revision in &self.revisions {
            line += &format!("  {:<6}", names.of(revision));
        }
        format!("{}\n", line.trim_end())
    }

    fn state(&self, state: &State) -> String {
        let step = if state.steps == 0 {
            "–".to_owned()
        } else {
            format!("{}/{}", state.step.min(state.steps), state.steps)
        };
        let mut line = format!("{step:<5}");
        if self.routed {
            let (stable, canary) = match &state.traffic {
                Some(traffic) => (rest(traffic.canary, traffic.of), traffic.canary),
                None => (Range::exact(0), Range::exact(0)),
            };
            line += &format!("  {:>6} {:>6}", stable.to_string(), canary.to_string());
        }
        if let Some(width) = self.managed {
            let managed = state.traffic.as_ref().map_or_else(String::new, |traffic| list(&traffic.managed));
            line += &format!("  {managed:<width$}", width = width.max(8));
        }
        for revision in &self.revisions {
            let pods = state.pods.iter().find(|pods| pods.revision == *revision);
            line += &format!("  {:<6}", pods.map_or_else(|| "–".to_owned(), self::pods));
        }
        line
    }
}

/// `2/3`: two of three wanted pods are ready; `↓` when it is marked for scale-down.
fn pods(pods: &Pods) -> String {
    if pods.wanted == 0 && pods.ready == 0 {
        return "0".to_owned();
    }
    format!("{}/{}{}", pods.ready, pods.wanted, if pods.mark.is_some() { "↓" } else { "" })
}

/// What is left for stable.
pub(crate) fn rest(canary: Range, of: u32) -> Range {
    Range::new(of.saturating_sub(canary.lo()), of.saturating_sub(canary.hi()))
}

fn list(names: &[std::sync::Arc<str>]) -> String {
    if names.is_empty() { "–".to_owned() } else { names.join(" ") }
}

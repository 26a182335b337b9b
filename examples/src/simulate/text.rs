//! The timeline as text: aligned columns, one line a happening.

use super::{
    clock::Clock,
    happening::{Happening, Kind, Pods, State},
    names::Names,
    play::Play,
    words::{self, words},
};
use rollout_core::{Escaped, Range, Revision, Spec, Step};
use std::sync::Arc;

/// Everything about one Rollout.
pub(crate) fn rollout(play: &Play<'_>) -> String {
    let recorder = play.world.watcher();
    let title = format!("{}: {}", Escaped(&play.name), Escaped(plan(&play.first)));
    let mut text = format!("{title}\n{}\n", "─".repeat(title.chars().count()));
    text += &timeline(&recorder.happenings, &recorder.names, play.clock);
    text.push('\n');
    text
}

/// `2 pods, weight 5 → pause 10m → weight 100`
pub(crate) fn plan(spec: &Spec) -> String {
    let max = spec.strategy.max_weight();
    let mut steps: Vec<String> = spec
        .strategy
        .steps()
        .iter()
        .map(|step| match step {
            Step::SetWeight(weight) if max == 100 => format!("{weight} %"),
            Step::SetWeight(weight) => format!("{weight} of {max}"),
            Step::Pause(Some(time)) => super::duration::show(*time),
            Step::Pause(None) => "until promoted".to_owned(),
            other => words::step(other),
        })
        .collect();
    if spec.strategy.steps().iter().rev().find_map(weight) != Some(max) {
        steps.push(if max == 100 { "100 %".to_owned() } else { format!("{max} of {max}") });
    }
    format!("{}, {}", words::count(spec.replicas, "pod"), steps.join(" → "))
}

fn weight(step: &Step) -> Option<u32> {
    if let Step::SetWeight(weight) = step { Some(*weight) } else { None }
}

/// The timeline of one Rollout, with the headings of its columns before each section.
pub(crate) fn timeline(happenings: &[Happening], names: &Names, clock: Clock) -> String {
    let mut columns = Columns::of(happenings);
    let mut text = String::new();
    let mut time = String::new();
    for happening in happenings {
        match &happening.kind {
            Kind::FirstDeploy(_) => {
                columns.revisions = names.all().iter().take(1).cloned().collect();
                text += &columns.heading(names);
            }
            Kind::Update { .. } if columns.started && columns.revisions.len() == names.all().len() => {
                text.push('\n');
            }
            Kind::Update { .. } => {
                columns.revisions = names.all().to_vec();
                columns.started = true;
                time.clear();
                text.push('\n');
                text += &columns.heading(names);
            }
            Kind::Object { diff, .. } => {
                text += &object(diff);
                continue;
            }
            _ => {}
        }
        let now = clock.show(happening.at);
        let shown = if now == time { "" } else { &now };
        let line = format!(
            "{shown:>9}  {}  {}",
            columns.state(&happening.state),
            Escaped(words(happening, names, clock))
        );
        text += line.trim_end();
        text.push('\n');
        time = now;
    }
    text
}

/// The real edit, set in under its line.
fn object(diff: &str) -> String {
    let mut text = String::new();
    for line in diff.lines() {
        text += format!("{:>11}{}", "", Escaped(line)).trim_end();
        text.push('\n');
    }
    text
}

struct Columns {
    routed: bool,
    /// Width of the managed routes' column, if there are any.
    managed: Option<usize>,
    /// Width of a revision's column.
    pods: usize,
    revisions: Vec<Revision>,
    /// Whether the update has begun.
    started: bool,
}

impl Columns {
    fn of(happenings: &[Happening]) -> Self {
        let states = || happenings.iter().map(|happening| &happening.state);
        let traffic = || states().filter_map(|state| state.traffic.as_ref());
        let managed = traffic().filter(|traffic| !traffic.managed.is_empty());
        let managed = managed.map(|traffic| list(&traffic.managed).chars().count()).max();
        let pods = states().flat_map(|state| &state.pods).map(|pods| self::pods(pods).chars().count()).max();
        Self {
            routed: traffic().next().is_some(),
            managed: managed.map(|width| width.max("in front".len())),
            pods: pods.unwrap_or(0).max(4),
            revisions: Vec::new(),
            started: false,
        }
    }

    fn heading(&self, names: &Names) -> String {
        let mut line = format!("{:>9}  {:<5}", "time", "step");
        if self.routed {
            line += &format!("  {:>6} {:>6}", "stable", "canary");
        }
        if let Some(width) = self.managed {
            line += &format!("  {:<width$}", "in front");
        }
        for revision in &self.revisions {
            line += &format!("  {:<width$}", names.of(revision), width = self.pods);
        }
        let hashes: Vec<String> =
            self.revisions.iter().map(|revision| format!("{} = {revision}", names.of(revision))).collect();
        format!("{line}  {} (pods: ready/wanted, ↓ marked for scale-down)\n", hashes.join(", "))
    }

    fn state(&self, state: &State) -> String {
        let mut line = format!("{:<5}", if self.started { step(state) } else { "–".to_owned() });
        if self.routed {
            let weights =
                state.traffic.as_ref().map(|traffic| (rest(traffic.canary, traffic.of), traffic.canary));
            let (stable, canary) = weights.unwrap_or((Range::exact(0), Range::exact(0)));
            line += &format!("  {:>6} {:>6}", stable.to_string(), canary.to_string());
        }
        if let Some(width) = self.managed {
            let managed = state.traffic.as_ref().map_or_else(String::new, |traffic| list(&traffic.managed));
            line += &format!("  {managed:<width$}");
        }
        for revision in &self.revisions {
            let pods = state.pods.iter().find(|pods| pods.revision == *revision);
            line +=
                &format!("  {:<width$}", pods.map_or_else(|| "–".to_owned(), self::pods), width = self.pods);
        }
        line
    }
}

/// `2/4` while the second of four steps is under way, `end` after the last, `–` when nothing is.
pub(crate) fn step(state: &State) -> String {
    if state.done {
        "–".to_owned()
    } else if state.step >= state.steps {
        "end".to_owned()
    } else {
        format!("{}/{}", state.step + 1, state.steps)
    }
}

/// `2/3`: two of three wanted pods are ready; `↓` when it has a scale-down deadline.
pub(crate) fn pods(pods: &Pods) -> String {
    if pods.wanted == 0 && pods.ready == 0 {
        return "0".to_owned();
    }
    format!("{}/{}{}", pods.ready, pods.wanted, if pods.scale_down_deadline.is_some() { "↓" } else { "" })
}

/// What is left for stable.
pub(crate) fn rest(canary: Range, of: u32) -> Range {
    Range::new(of.saturating_sub(canary.lo()), of.saturating_sub(canary.hi()))
}

fn list(names: &[Arc<str>]) -> String {
    if names.is_empty() { "–".to_owned() } else { Escaped(names.join(" ")).to_string() }
}

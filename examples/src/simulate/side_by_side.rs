//! The timelines of several clusters as one, with a column for each.

use super::{
    happening::{Happening, Kind, State},
    play::Play,
    text::{plan, pods, step},
    words::words,
};
use rollout_core::{Escaped, Revision};

/// Everything about one Rollout in several clusters.
pub(crate) fn clusters(plays: &[&Play<'_>]) -> String {
    let Some(first) = plays.first() else { return String::new() };
    let name = first.member.as_ref().map_or(first.name.as_str(), |member| &member.rollout);
    let title = format!("{} in {} clusters: {}", Escaped(name), plays.len(), Escaped(plan(&first.first)));
    let mut text = format!("{title}\n{}\n", "─".repeat(title.chars().count()));
    let hashes: Vec<String> = first
        .world
        .watcher()
        .names
        .all()
        .iter()
        .map(|revision| format!("{} = {revision}", first.world.watcher().names.of(revision)))
        .collect();
    text += &format!("{} (each cluster: step, weight, ready/wanted pods of each)\n", hashes.join(", "));
    let mut columns: Vec<Column<'_>> = plays.iter().map(|play| Column::of(play)).collect();
    let mut line = format!("{:>9}", "time");
    for column in &columns {
        line += &format!("  {:<width$}", column.name(), width = column.width);
    }
    text += line.trim_end();
    text.push('\n');
    let mut shown = String::new();
    while let Some((now, index)) = next(&columns) {
        let Some(happening) = columns.get_mut(index).and_then(Column::take) else { break };
        let Some(column) = columns.get(index) else { break };
        if matches!(happening.kind, Kind::Object { .. }) {
            continue;
        }
        let time = column.play.clock.show(now);
        let mut line = format!("{:>9}", if time == shown { "" } else { &time });
        for (place, other) in columns.iter().enumerate() {
            // Only the cluster in which something happens is written out again.
            let state = if place == index || time != shown { other.state() } else { String::new() };
            line += &format!("  {state:<width$}", width = other.width);
        }
        let names = &column.play.world.watcher().names;
        line +=
            &format!("  {}: {}", Escaped(column.name()), Escaped(words(happening, names, column.play.clock)));
        text += line.trim_end();
        text.push('\n');
        shown = time;
    }
    text.push('\n');
    text
}

/// The cluster in which something happens next, and when.
fn next(columns: &[Column<'_>]) -> Option<(rollout_core::Time, usize)> {
    let due = columns.iter().enumerate().filter_map(|(index, column)| Some((column.left.first()?.at, index)));
    due.min()
}

struct Column<'p> {
    play: &'p Play<'p>,
    left: &'p [Happening],
    last: Option<&'p State>,
    width: usize,
}

impl<'p> Column<'p> {
    fn of(play: &'p Play<'p>) -> Self {
        let left = &play.world.watcher().happenings[..];
        let mut column = Self { play, left, last: None, width: 0 };
        let revisions = play.world.watcher().names.all();
        let widths = left.iter().map(|happening| shown(&happening.state, revisions).chars().count());
        column.width = widths.max().unwrap_or(0).max(column.name().chars().count());
        column
    }

    fn name(&self) -> &str {
        self.play.member.as_ref().map_or(self.play.name.as_str(), |member| member.cluster.as_str())
    }

    fn take(&mut self) -> Option<&'p Happening> {
        let (first, left) = self.left.split_first()?;
        (self.left, self.last) = (left, Some(&first.state));
        Some(first)
    }

    fn state(&self) -> String {
        let revisions = self.play.world.watcher().names.all();
        self.last.map_or_else(|| "–".to_owned(), |state| shown(state, revisions))
    }
}

/// `2/4 50 1/1 1/1`: the step, the canary's weight, and the pods of each revision.
fn shown(state: &State, revisions: &[Revision]) -> String {
    let mut text = format!("{:<3}", step(state));
    if let Some(traffic) = &state.traffic {
        text += &format!(" {:>3}", traffic.canary.to_string());
    }
    for revision in revisions {
        let of = state.pods.iter().find(|pods| pods.revision == *revision);
        text += &format!(" {}", of.map_or_else(|| "–".to_owned(), pods));
    }
    text
}

//! What came of all runs.

use super::{
    foreign::touched,
    proxy::Variant,
    purpose::purpose,
    run::{Ran, Story},
};
use crate::recorded::judge;
use rollout_core::testing::laws::{self, Laws};
use std::{collections::BTreeMap, fmt};

/// A line for each run, and how often each law's premise held.
pub(crate) struct Table {
    story: Story,
    lines: BTreeMap<(usize, usize), String>,
    laws: Vec<(&'static str, u64)>,
    wrong: Vec<String>,
    /// The highest index at which a controller was killed.
    last: usize,
    /// How many runs with an index were through before it.
    through: BTreeMap<usize, usize>,
    requests: (u64, u64),
}

impl Table {
    /// Of no run yet.
    pub(crate) fn new(story: Story) -> Self {
        Self {
            story,
            lines: BTreeMap::new(),
            laws: Vec::new(),
            wrong: Vec::new(),
            last: 0,
            through: BTreeMap::new(),
            requests: (0, 0),
        }
    }

    /// How many runs with this index were through before they reached it.
    pub(crate) fn through(&self, index: usize) -> usize {
        self.through.get(&index).copied().unwrap_or(0)
    }

    /// One more run.
    pub(crate) fn add(&mut self, at: usize, variant: Variant, ran: Result<Ran, String>) {
        let key = (at, Variant::ALL.iter().position(|other| *other == variant).unwrap_or(0));
        let ran = match ran {
            Ok(ran) => ran,
            Err(why) => {
                println!("{at:>3} {variant:<11?} {why}");
                self.lines.insert(key, format!("{at:>3} {variant:<11?} {}", first_line(&why)));
                self.wrong.push(format!("write {at}, {variant:?}: {why}"));
                return;
            }
        };
        let what = if let Some(write) = &ran.struck {
            self.last = self.last.max(at);
            format!("{:<64}", purpose(write, &ran.history.seen))
        } else {
            *self.through.entry(at).or_default() += 1;
            format!("{:<64}", format!("through with {} writes", ran.counted))
        };
        let mut line =
            format!("{at:>3} {variant:<11?} {what} at rest after {:.1} s", ran.rested_after.as_secs_f32());
        if let Some((sent, failed)) = ran.requests {
            line = format!("{line}; {sent} requests, {failed} failed");
            self.requests = (self.requests.0 + sent, self.requests.1 + failed);
            if failed > 0 {
                self.wrong.push(format!("write {at}, {variant:?}: {failed} requests of {sent} failed"));
            }
        }
        println!("{line}");
        self.lines.insert(key, line);
        self.judge(at, variant, &ran);
    }

    fn judge(&mut self, at: usize, variant: Variant, ran: &Ran) {
        let Some(verdict) = judge(&ran.history, Laws::new(laws::all())) else {
            self.wrong.push(format!("write {at}, {variant:?}: nothing was recorded"));
            return;
        };
        let laws = verdict.recorded.laws();
        let (compared, touched) = touched(&ran.history);
        let found = laws.findings().map(|(name, findings)| (name, findings.premises()));
        for (place, (name, premises)) in found.chain([("foreign_untouched", compared)]).enumerate() {
            match self.laws.get_mut(place) {
                Some((_, sum)) => *sum += premises,
                None => self.laws.push((name, premises)),
            }
        }
        for why in verdict.unexplained.iter().chain(&touched) {
            self.wrong.push(format!("write {at}, {variant:?}: {why}"));
        }
        if let Some(violation) = laws.violation() {
            let again = judge(&ran.history, Laws::new(laws::all()).recording());
            let timeline = again.and_then(|again| again.recorded.laws().timeline().map(ToString::to_string));
            let timeline = timeline.unwrap_or_default();
            println!("write {at}, {variant:?} breaks {violation}");
            self.wrong.push(format!("write {at}, {variant:?} breaks {violation}\n{timeline}"));
        }
    }

    /// Nothing is wrong, every law that must have had something to say had, and the range is whole.
    pub(crate) fn assert_good(&self) {
        let (wrong, story) = (self.wrong.len(), self.story);
        assert!(wrong == 0, "{story:?}: {wrong} of {} runs:\n{}", self.lines.len(), self.wrong.join("\n\n"));
        let must: &[&str] = match self.story {
            Story::Update => &MUST_HOLD,
            Story::Abort => &[
                "aborted_never_rises",
                "abort_wins",
                "no_unserved_write",
                "deadline_excludes_traffic",
                "prefix_safe",
            ],
            Story::FirstDeploy => &["one_layer", "eventually_stable", "prefix_safe"],
        };
        let least = if self.story == Story::Update { 15 } else { 3 };
        assert!(self.last >= least && self.through(self.last + 1) > 0, "{story:?}: {} writes", self.last);
        for must in must {
            let premises =
                self.laws.iter().find(|(name, _)| name == must).map_or(0, |(_, premises)| *premises);
            assert!(premises > 0, "{story:?}: the law {must} had nothing to say");
        }
    }
}

/// Laws whose premise holds in every update.
const MUST_HOLD: [&str; 15] = [
    "foreign_untouched",
    "monotone_steps",
    "no_unserved_write",
    "one_layer",
    "pods_go_alone",
    "deadline_excludes_traffic",
    "up_gate",
    "down_gate",
    "live_select_needs_capacity",
    "weights_sum",
    "stale_writer_is_harmless",
    "pause_not_shortened",
    "promote_once",
    "prefix_safe",
    "eventually_stable",
];

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:?}: {} runs", self.story, self.lines.len())?;
        for line in self.lines.values() {
            writeln!(f, "{line}")?;
        }
        let (last, runs, wrong) = (self.last, self.lines.len(), self.wrong.len());
        writeln!(f, "killed at every write from 1 to {last}; {runs} runs, {wrong} wrong")?;
        if self.requests.0 > 0 {
            writeln!(f, "{} requests, {} failed", self.requests.0, self.requests.1)?;
        }
        writeln!(f, "law, and how often its premise held:")?;
        for (name, premises) in &self.laws {
            writeln!(f, "  {name:<28}{premises:>8}")?;
        }
        Ok(())
    }
}

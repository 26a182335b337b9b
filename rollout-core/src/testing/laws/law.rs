use crate::{
    sim::{Moment, Truth, Watcher},
    testing::history::Timeline,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

/// Checks one law while a history is played.
///
/// A law sees every [`Moment`] in order, and then [`end`](Self::end) once. It records in the [`Findings`] each time its
/// premise holds, and each violation.
pub trait Law: fmt::Debug + Send {
    /// Returns the name, as in the table of [`laws`](super).
    fn name(&self) -> &'static str;

    /// Called after something happened.
    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings);

    /// Called at the end of the history. `rested` says whether the world came to rest after all faults were removed.
    fn end(&mut self, truth: &Truth, rested: bool, findings: &mut Findings) {
        let _ = (truth, rested, findings);
    }
}

/// The findings of one law in one history.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    premises: u64,
    most: u64,
    broken: Option<String>,
}

impl Findings {
    /// Records that the premise of the law held: a weight rose, a selector left live pods, …
    pub fn premise(&mut self) {
        self.premises = self.premises.saturating_add(1);
    }

    /// Records a violation; only the first one counts.
    pub fn broken(&mut self, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(how());
        }
    }

    /// Records a figure whose maximum is of interest, such as the turns that an abort took.
    pub fn measured(&mut self, figure: u64) {
        self.most = self.most.max(figure);
    }

    /// Returns how often the premise held.
    #[must_use]
    pub fn premises(&self) -> u64 {
        self.premises
    }

    /// Returns the largest figure measured.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Returns the violation, if there was one.
    #[must_use]
    pub fn violation(&self) -> Option<&str> {
        self.broken.as_deref()
    }
}

/// Several laws that watch one history, as a [`Watcher`]. They stop judging at the first violation.
#[derive(Debug)]
pub struct Laws {
    all: Vec<(Box<dyn Law>, Findings)>,
    broken: Option<Violation>,
    timeline: Option<Timeline>,
}

/// A violation of a law.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The name of the law.
    pub law: &'static str,
    /// A description of the violation.
    pub how: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.how)
    }
}

impl Laws {
    /// Creates a watcher with these laws.
    #[must_use]
    pub fn new(laws: impl IntoIterator<Item = Box<dyn Law>>) -> Self {
        let laws = laws.into_iter().map(|law| (law, Findings::default())).collect();
        Self { all: laws, broken: None, timeline: None }
    }

    /// Leaves out these laws, by name.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.all.retain(|(law, _)| !names.contains(&law.name()));
        self
    }

    /// Also records what happens: slow, for a history that is known to break a law.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.timeline = Some(Timeline::default());
        self
    }

    /// Returns what happened up to the first violation, if it was recorded.
    #[must_use]
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_ref()
    }

    /// Ends the history; see [`Law::end`].
    pub fn end(&mut self, truth: &Truth, rested: bool) {
        self.judge(|law, findings| law.end(truth, rested, findings));
    }

    /// Returns the first violation.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.broken.as_ref()
    }

    /// Records a violation that no law can observe: the world itself could not continue.
    pub fn broken(&mut self, law: &'static str, how: String) {
        self.broken.get_or_insert(Violation { law, how });
    }

    /// Iterates over each law's name and findings.
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Findings)> {
        self.all.iter().map(|(law, findings)| (law.name(), findings))
    }

    fn judge(&mut self, mut each: impl FnMut(&mut dyn Law, &mut Findings)) {
        if self.broken.is_some() {
            return;
        }
        for (law, findings) in &mut self.all {
            each(&mut **law, findings);
            if let (Some(how), None) = (&findings.broken, &self.broken) {
                self.broken = Some(Violation { law: law.name(), how: how.clone() });
            }
        }
    }
}

impl Watcher for Laws {
    fn see(&mut self, moment: &Moment<'_>) {
        if let Some(timeline) = self.timeline.as_mut().filter(|_| self.broken.is_none()) {
            timeline.see(moment);
        }
        self.judge(|law, findings| law.see(moment, findings));
    }
}

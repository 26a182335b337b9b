use crate::{
    sim::{Moment, Truth, Watcher},
    testing::history::Timeline,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

/// One law, as a checker that watches a history while it happens.
///
/// It is fed every [`Moment`] in order, then [`end`](Self::end) once. What it finds it writes into the
/// [`Findings`]: each time its premise holds, and each time it is broken.
pub trait Law: fmt::Debug + Send {
    /// Its name, as in the table of [`laws`](super).
    fn name(&self) -> &'static str;

    /// Something happened.
    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings);

    /// The history is over. `rested` says whether the world came to rest after all faults were taken away.
    fn end(&mut self, truth: &Truth, rested: bool, findings: &mut Findings) {
        let _ = (truth, rested, findings);
    }
}

/// What one law found in one history.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    premises: u64,
    most: u64,
    broken: Option<String>,
}

impl Findings {
    /// The law had something to say: a weight rose, a selector left live pods, …
    pub fn premise(&mut self) {
        self.premises = self.premises.saturating_add(1);
    }

    /// The law was broken; only the first time counts.
    pub fn broken(&mut self, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(how());
        }
    }

    /// A figure whose maximum is of interest, such as the turns that an abort took.
    pub fn measured(&mut self, figure: u64) {
        self.most = self.most.max(figure);
    }

    /// How often the premise held.
    #[must_use]
    pub fn premises(&self) -> u64 {
        self.premises
    }

    /// The largest figure measured.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    /// How the law was broken, if it was.
    #[must_use]
    pub fn violation(&self) -> Option<&str> {
        self.broken.as_deref()
    }
}

/// Several laws over one history, as a [`Watcher`]. It stops judging at the first violation.
#[derive(Debug)]
pub struct Laws {
    all: Vec<(Box<dyn Law>, Findings)>,
    broken: Option<Violation>,
    timeline: Option<Timeline>,
}

/// That a law was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which law.
    pub law: &'static str,
    /// How.
    pub how: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.how)
    }
}

impl Laws {
    /// These laws.
    #[must_use]
    pub fn new(laws: impl IntoIterator<Item = Box<dyn Law>>) -> Self {
        let laws = laws.into_iter().map(|law| (law, Findings::default())).collect();
        Self { all: laws, broken: None, timeline: None }
    }

    /// Leaves these laws out, by name.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.all.retain(|(law, _)| !names.contains(&law.name()));
        self
    }

    /// Also writes down what happens: slow, for a history that is known to break a law.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.timeline = Some(Timeline::default());
        self
    }

    /// What happened up to the first violation, if it was recorded.
    #[must_use]
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_ref()
    }

    /// The history is over; see [`Law::end`].
    pub fn end(&mut self, truth: &Truth, rested: bool) {
        self.judge(|law, findings| law.end(truth, rested, findings));
    }

    /// The first violation.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.broken.as_ref()
    }

    /// A law that cannot be watched was broken: the world itself could not go on.
    pub fn broken(&mut self, law: &'static str, how: String) {
        self.broken.get_or_insert(Violation { law, how });
    }

    /// Each law's name and what it found.
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

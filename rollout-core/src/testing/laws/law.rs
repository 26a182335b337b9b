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
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Spec, Strategy, sim::{CoreMesh, Moment, Sim, What}};
/// use rollout_core::testing::laws::{Findings, Law, Laws};
///
/// /// No status is stored without a decision of the first process.
/// #[derive(Debug)]
/// struct OneProcess;
///
/// impl Law for OneProcess {
///     fn name(&self) -> &'static str {
///         "one_process"
///     }
///     fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
///         if let What::Stored { by } = moment.what {
///             findings.premise();
///             if by.process > 1 {
///                 findings.broken(|| format!("process {} stored the status", by.process));
///             }
///         }
///     }
/// }
///
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let mut world = Sim::new(spec).build_with(CoreMesh::none(), Laws::new([Box::new(OneProcess) as Box<dyn Law>]));
/// world.run_to_rest(Duration::from_secs(60))?;
/// assert_eq!(world.watcher().violation(), None);
/// world.crash();
/// world.update_to("v2");
/// world.run_to_rest(Duration::from_secs(60))?;
/// assert_eq!(world.watcher().violation().unwrap().to_string(), "one_process: process 2 stored the status");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
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
///
/// ```
/// use rollout_core::testing::laws::Findings;
/// let mut findings = Findings::default();
/// findings.premise();
/// findings.measured(3);
/// findings.measured(2);
/// findings.broken(|| "the weight rose".into());
/// findings.broken(|| "and then it fell".into());
/// assert_eq!((findings.premises(), findings.most()), (1, 3));
/// assert_eq!(findings.violation(), Some("the weight rose"), "the first one");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Findings {
    premises: u64,
    most: u64,
    broken: Option<String>,
}

impl Findings {
    /// Records that the premise of the law held: a weight rose, a selector left live pods, …
    ///
    /// See [`Findings`] for an example.
    pub fn premise(&mut self) {
        self.premises = self.premises.saturating_add(1);
    }

    /// Records a violation; only the first one counts.
    ///
    /// See [`Findings`] for an example.
    pub fn broken(&mut self, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(how());
        }
    }

    /// Records a figure whose maximum is of interest, such as the turns that an abort took.
    ///
    /// See [`Findings`] for an example.
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
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Spec, Strategy, sim::{CoreMesh, Sim}, testing::laws::{Laws, all}};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(3);
/// let mut world = Sim::new(spec).build_with(CoreMesh::none(), Laws::new(all()));
/// world.run_to_rest(Duration::from_secs(60))?;
/// assert_eq!(world.watcher().violation(), None);
/// let (_, stored_first) = world.watcher().findings().find(|(name, _)| *name == "status_first").unwrap();
/// assert!(stored_first.premises() > 0, "a law whose premise never holds proves nothing");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Laws {
    all: Vec<(Box<dyn Law>, Findings)>,
    broken: Option<Violation>,
    timeline: Option<Timeline>,
}

/// A violation of a law.
///
/// See [`Law`] for an example.
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
    ///
    /// See [`Laws`] for an example.
    #[must_use]
    pub fn new(laws: impl IntoIterator<Item = Box<dyn Law>>) -> Self {
        let laws = laws.into_iter().map(|law| (law, Findings::default())).collect();
        Self { all: laws, broken: None, timeline: None }
    }

    /// Leaves out these laws, by name.
    ///
    /// ```
    /// use rollout_core::testing::laws::{Laws, all};
    /// let laws = Laws::new(all()).without(&["capacity", "no_wedge"]);
    /// assert_eq!(laws.findings().count(), all().len() - 2);
    /// ```
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.all.retain(|(law, _)| !names.contains(&law.name()));
        self
    }

    /// Also records what happens: slow, for a history that is known to break a law.
    ///
    /// See [`Timeline`] for an example.
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
    ///
    /// See [`Recorded::end`](crate::testing::Recorded::end) for an example.
    pub fn end(&mut self, truth: &Truth, rested: bool) {
        self.judge(|law, findings| law.end(truth, rested, findings));
    }

    /// Returns the first violation.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.broken.as_ref()
    }

    /// Records a violation that no law can observe: the world itself could not continue.
    ///
    /// ```
    /// use rollout_core::testing::laws::{Laws, all};
    /// let mut laws = Laws::new(all());
    /// laws.broken("no_wedge", "100 decisions followed each other".into());
    /// laws.broken("no_wedge", "and 100 more".into());
    /// let violation = laws.violation().unwrap().to_string();
    /// assert_eq!(violation, "no_wedge: 100 decisions followed each other", "the first one");
    /// ```
    pub fn broken(&mut self, law: &'static str, how: String) {
        self.broken.get_or_insert(Violation { law, how });
    }

    /// Iterates over each law's name and findings.
    ///
    /// See [`Laws`] for an example.
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

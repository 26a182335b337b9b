//! The memory of a process about one rollout, and the order in which it works.

mod ages;
mod fence;
mod order;
mod outcome;
mod resume;
mod retry;
#[cfg(feature = "_mutants")]
mod switched_order;
mod turn;
mod unavailable;

pub use fence::Rival;
pub use outcome::{Failure, Outcome};
pub use resume::Resume;
pub use turn::{Next, Turn};

use crate::{Observed, Spec, Status, Time};
use ages::Ages;
use alloc::{string::String, vec::Vec};
use core::{mem, time::Duration};
use fence::Fence;
use retry::Retry;
use unavailable::UnavailableRows;

/// A process's in-memory state about one rollout between turns. Losing it is safe: a new process fences off earlier
/// ones first, and its waits start over.
///
/// It tracks how long each observed state has been unchanged, for a data plane that cannot be asked; how long a stable
/// revision has had no ready pod; whether writes of an earlier process can still take effect; and the back-off after
/// failures. `elapsed` is always the time since the process started, by a clock that only runs forward.
///
/// Each turn has these steps:
///
/// 1. [`take_live`](Self::take_live) says whether to read everything from the API server and nothing from a cache; the
///    `live` of [`Resume`] announces this early. Without a cache, ignore both. Observe.
/// 2. [`see`](Self::see) fills in what only the memory of a process can tell.
/// 3. [`begin`](Self::begin) decides, and the [`Turn`] says what to do, one thing at a time.
/// 4. [`end`](Self::end) says when the next turn begins.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Driver, Next, Observed, Outcome, Resume, Spec, Status, Strategy, Time, waiting::WakeReason};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(1);
/// let (mut driver, mut status) = (Driver::new("controller-1"), Status::default());
///
/// let mut observed = Observed::new().revisions([]);
/// driver.see(&mut observed, Duration::ZERO);
/// let mut turn = driver.begin(&spec, &status, &observed, Time::from_secs(0));
/// let mut done = Vec::new();
/// loop {
///     match turn.next() {
///         Next::Fence(nonce) => done.push(format!("wrote {nonce} to every object")),
///         Next::Store(new) => status = new.clone(),
///         Next::VerifyOwnership | Next::Publish(_) | Next::Report => {}
///         Next::Act(action) => done.push(format!("{action:?}")),
///         Next::Done => break,
///     }
///     turn.done(Ok(Outcome::Changed));
/// }
/// // The first turn with actions only fences; the next one, which reads live, stores and acts.
/// assert_eq!(done, ["wrote controller-1-1 to every object"]);
/// assert_eq!(driver.end(turn, Duration::ZERO), Resume::Now { live: true });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Driver {
    fence: Fence,
    live: bool,
    ages: Ages,
    unavailable: UnavailableRows,
    retry: Retry,
    /// Whether a turn was started and not ended.
    at_work: bool,
}

impl Driver {
    /// Creates a driver that knows nothing yet. `process` must be unique among all processes that may ever work on the
    /// rollout. Start the name with the time at which the process started, in a form that sorts: of two concurrent
    /// processes, the older one should yield (see [`Rival`]).
    ///
    /// ```
    /// use rollout_core::Driver;
    /// let driver = Driver::new("2026-01-31T12:00:00Z-controller-7c9f");
    /// assert_eq!(driver.nonce(), None, "there is no fence yet");
    /// ```
    #[must_use]
    pub fn new(process: impl Into<String>) -> Self {
        Self {
            fence: Fence::new(process.into()),
            live: false,
            ages: Ages::default(),
            unavailable: UnavailableRows::default(),
            retry: Retry::default(),
            at_work: false,
        }
    }

    /// Returns whether the next observation must be read live, and resets the answer. Call it once before each turn.
    ///
    /// ```
    /// use rollout_core::Driver;
    /// let mut driver = Driver::new("controller-1");
    /// driver.read_live();
    /// assert!(driver.take_live());
    /// assert!(!driver.take_live(), "only for one turn");
    /// ```
    #[must_use]
    pub fn take_live(&mut self) -> bool {
        mem::take(&mut self.live)
    }

    /// Requires the next observation to be read live.
    ///
    /// See [`take_live`](Self::take_live) for an example.
    pub fn read_live(&mut self) {
        self.live = true;
    }

    /// Fills in what only the memory of a process can tell: the ages of states that are not known to be settled, how
    /// long a revision has been without a ready pod, and whether the fence still holds.
    ///
    /// Returns the other process if one has replaced this process's nonce. If that happens repeatedly, the process
    /// whose name sorts first should stop working on the rollout for a while.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Observed, traffic::{Seen, Settled}};
    /// let mut driver = Driver::new("controller-1");
    /// for secs in [0, 20] {
    ///     let mut observed = Observed::new().traffic(Seen::new());
    ///     assert_eq!(driver.see(&mut observed, Duration::from_secs(secs)), None, "no other process");
    ///     let settled = observed.traffic.unwrap().routes_settled;
    ///     assert_eq!(settled, Settled::Unknown { age: Duration::from_secs(secs) });
    /// }
    /// ```
    pub fn see(&mut self, observed: &mut Observed, elapsed: Duration) -> Option<Rival> {
        self.ages.fill(observed, elapsed);
        self.unavailable.fill(observed, elapsed);
        let traffic = observed.traffic.iter().flat_map(|seen| &seen.nonces);
        let workloads = observed.revisions.iter().flatten().filter_map(|seen| seen.nonce.as_ref());
        self.fence.found(&traffic.chain(workloads).map(|nonce| &**nonce))
    }

    /// Decides on the observed state, at `now` by the wall clock. Neither `stored` nor `observed` may be older than
    /// this process's last write, or attempt to write.
    ///
    /// If the previous turn was never [ended](Self::end), the outcome of its writes counts as unknown, and the next
    /// turn with actions fences again.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Next, Observed, Spec, Status, Strategy, Time};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let mut driver = Driver::new("controller-1");
    /// let mut turn = driver.begin(&spec, &Status::default(), &Observed::new().revisions([]), Time::from_secs(0));
    /// assert_eq!(turn.next(), Next::Fence("controller-1-1"), "before the first write of a process");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn begin(&mut self, spec: &Spec, stored: &Status, observed: &Observed, now: Time) -> Turn {
        if mem::replace(&mut self.at_work, true) {
            self.fence.lost();
        }
        Turn::begin(spec, stored, observed, now, &mut self.fence)
    }

    /// Ends a turn and returns when the next one is due.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Failure, Next, Observed, Resume, Spec, Status, Strategy, Time};
    /// # let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// # let (mut driver, observed) = (Driver::new("controller-1"), Observed::new().revisions([]));
    /// let mut turn = driver.begin(&spec, &Status::default(), &observed, Time::from_secs(0));
    /// while turn.next() != Next::Done {
    ///     turn.done(Err(Failure::Refused("quota exceeded".into())));
    /// }
    /// let retry = Resume::After { delay: Duration::from_secs(2), live: true };
    /// assert_eq!(driver.end(turn, Duration::from_secs(100)), retry);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn end(&mut self, turn: Turn, elapsed: Duration) -> Resume {
        self.at_work = false;
        let ended = turn.end();
        let fenced = ended.fenced_with.is_some();
        match (ended.fenced_with, ended.failure) {
            (Some(nonce), None) => self.fence.written(nonce),
            (nonce, Some(failure)) => {
                let resume = self.failed(&failure, elapsed);
                if let Some(nonce) = nonce {
                    self.fence.tried(nonce);
                }
                return resume;
            }
            (None, None) => {}
        }
        if fenced {
            // Nothing that failed earlier has been retried.
            self.live = true;
            return self.earliest(elapsed);
        }
        if let Some(failure) = self.retry.did(if ended.changed { ended.actions } else { Vec::new() }) {
            return self.failed(&failure, elapsed);
        }
        self.retry.went_well();
        match (ended.changed, ended.wake) {
            (true, _) => Resume::Now { live: false },
            (false, Some(wake)) => Resume::At(wake),
            (false, None) => Resume::OnChange,
        }
    }

    /// Records a failure outside a turn, such as a failed read, and returns when to try again.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Failure, Resume};
    /// let mut driver = Driver::new("controller-1");
    /// let forbidden = Failure::Refused("services is forbidden".into());
    /// let delays = [0, 2, 6].map(|secs| driver.failed(&forbidden, Duration::from_secs(secs)));
    /// let after = |secs| Resume::After { delay: Duration::from_secs(secs), live: true };
    /// assert_eq!(delays, [after(2), after(4), after(8)]);
    /// assert_eq!(driver.not_before(), Duration::from_secs(14), "since the process started");
    /// ```
    pub fn failed(&mut self, failure: &Failure, elapsed: Duration) -> Resume {
        self.live = true;
        if matches!(failure, Failure::Ambiguous(_)) {
            self.fence.lost();
        }
        self.retry.failed(failure, elapsed);
        self.earliest(elapsed)
    }

    /// Returns whether the last attempt failed.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Failure};
    /// let mut driver = Driver::new("controller-1");
    /// let _resume = driver.failed(&Failure::Conflict, Duration::ZERO);
    /// assert!(driver.is_failing(), "though a conflict is retried at once");
    /// driver.went_well();
    /// assert!(!driver.is_failing());
    /// ```
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.retry.is_failing()
    }

    /// Clears earlier failures without a turn, for example when there is nothing to do.
    ///
    /// See [`is_failing`](Self::is_failing) for an example.
    pub fn went_well(&mut self) {
        self.retry.went_well();
    }

    /// Returns the earliest start of the next turn, as time since the process started, whatever changes. Your loop must
    /// respect it: [`begin`](Self::begin) does not check.
    ///
    /// See [`failed`](Self::failed) and [`rest_until`](Self::rest_until) for examples.
    #[must_use]
    pub fn not_before(&self) -> Duration {
        self.retry.not_before()
    }

    /// Postpones the next turn at least until this time since the process started.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Driver;
    /// let mut driver = Driver::new("controller-1");
    /// driver.rest_until(Duration::from_secs(60));
    /// driver.rest_until(Duration::from_secs(30));
    /// assert_eq!(driver.not_before(), Duration::from_secs(60), "it never moves closer");
    /// ```
    pub fn rest_until(&mut self, elapsed: Duration) {
        self.retry.rest_until(elapsed);
    }

    /// Returns the nonce that every object carries while the fence holds. Put it on every object that you create.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Next, Observed, Outcome, Spec, Status, Strategy, Time};
    /// # let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// # let (mut driver, observed) = (Driver::new("controller-1"), Observed::new().revisions([]));
    /// let mut turn = driver.begin(&spec, &Status::default(), &observed, Time::from_secs(0));
    /// while let Next::Fence(_nonce) = turn.next() {
    ///     turn.done(Ok(Outcome::Changed)); // Written into every object.
    /// }
    /// driver.end(turn, Duration::ZERO);
    /// assert_eq!(driver.nonce(), Some("controller-1-1"));
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.fence.nonce()
    }

    fn earliest(&self, elapsed: Duration) -> Resume {
        let delay = self.retry.not_before().saturating_sub(elapsed);
        if delay.is_zero() {
            Resume::Now { live: self.live }
        } else {
            Resume::After { delay, live: self.live }
        }
    }
}

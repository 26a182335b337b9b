use alloc::{
    format,
    string::{String, ToString},
};

/// Tracks whether writes of an earlier process can still take effect.
///
/// A process starts without a fence. It has one after it wrote its nonce to every object and read the objects again. It
/// loses the fence with every write whose outcome is unknown, and when it finds a foreign nonce.
#[derive(Debug, Clone)]
pub(super) struct Fence {
    /// The prefix of all its nonces.
    process: String,
    /// The number of nonces used so far.
    nonces: u64,
    nonce: Option<String>,
    /// The nonce of a fence that was started but not completed.
    tried: Option<String>,
}

/// Another process that works on the same rollout: it replaced a nonce of this one.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Driver, Next, Observed, Outcome, RevisionSeen, Spec, Status, Strategy, Time};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let mut driver = Driver::new("2026-01-31T12:00:00Z-a");
/// let observed = |nonce: &str| {
///     Observed::new().revisions([RevisionSeen::new("v1".into()).nonce(Some(nonce.into()))])
/// };
/// let mut turn = driver.begin(&spec, &Status::default(), &observed("none"), Time::from_secs(0));
/// while let Next::Fence(_) = turn.next() {
///     turn.done(Ok(Outcome::Changed));
/// }
/// driver.end(turn, Duration::ZERO);
/// let rival = driver.see(&mut observed("2026-01-31T12:05:00Z-b-1"), Duration::ZERO).expect("a newer process");
/// assert_eq!(rival.ours, "2026-01-31T12:00:00Z-a-1");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rival {
    /// The nonce that this process wrote.
    pub ours: String,
    /// The nonce that replaced it.
    pub other: String,
}

impl Fence {
    pub(super) fn new(process: String) -> Self {
        Self { process, nonces: 0, nonce: None, tried: None }
    }

    /// Returns the nonce that every object carries, if no foreign write can take effect any more.
    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Creates a nonce that was never used.
    pub(super) fn new_nonce(&mut self) -> String {
        self.nonces = self.nonces.saturating_add(1);
        format!("{}-{}", self.process, self.nonces)
    }

    /// Records that the nonce was written to every object.
    pub(super) fn written(&mut self, nonce: String) {
        (self.nonce, self.tried) = (Some(nonce), None);
    }

    /// Records that the nonce may not have been written to every object.
    pub(super) fn tried(&mut self, nonce: String) {
        self.tried = Some(nonce);
    }

    /// Records that the outcome of a write is unknown.
    pub(super) fn lost(&mut self) {
        self.nonce = None;
    }

    /// Records the nonces read from the objects; a foreign one breaks the fence.
    pub(super) fn found<'n>(&mut self, nonces: &(impl Iterator<Item = &'n str> + Clone)) -> Option<Rival> {
        let tried = self.tried.take();
        let held = self.nonce.is_some();
        if nonces.clone().any(|nonce| self.nonce() != Some(nonce)) {
            let ours = self.nonce.take().or(tried)?;
            // A nonce of this process is one of its own late writes. An incomplete fence may have met what an earlier
            // process left behind, so only a newer process is a rival then.
            let is_rival = |nonce: &&str| {
                let (ours, other) = (process(&ours), process(nonce));
                if held { other != ours } else { other > ours }
            };
            let other = nonces.clone().find(is_rival)?.to_string();
            return Some(Rival { ours, other });
        }
        None
    }
}

/// Returns the part of a nonce that names its process.
fn process(nonce: &str) -> &str {
    nonce.rsplit_once('-').map_or(nonce, |(process, _)| process)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence() -> Fence {
        let mut fence = Fence::new("b".into());
        let nonce = fence.new_nonce();
        fence.written(nonce);
        fence
    }

    #[test]
    fn it_holds_until_another_nonce_is_found_or_an_outcome_is_not_known() {
        let nonces: [(&[&str], bool); 3] = [(&[], true), (&["b-1"], true), (&["b-1", "a-7"], false)];
        for (found, holds) in nonces {
            let mut fence = fence();
            fence.found(&found.iter().copied());
            assert_eq!(fence.nonce().is_some(), holds, "{found:?}");
        }
        let mut fence = fence();
        fence.lost();
        assert_eq!(fence.nonce(), None);
        assert_eq!(fence.new_nonce(), "b-2", "none is used twice");
    }

    #[test]
    fn a_rival_is_another_process() {
        let met = |fence: &mut Fence, nonce| fence.found(&[nonce].into_iter()).map(|rival| rival.other);
        assert_eq!(met(&mut fence(), "a-7"), Some("a-7".to_string()));
        let mut own = fence();
        assert_eq!(met(&mut own, "b-9"), None, "a late write of its own");
        assert_eq!(own.nonce(), None, "breaks the fence all the same");
        let tried = || {
            let mut fence = Fence::new("b".into());
            let nonce = fence.new_nonce();
            fence.tried(nonce);
            fence
        };
        assert_eq!(met(&mut tried(), "a-7"), None, "left by an earlier process");
        assert_eq!(met(&mut tried(), "b-9"), None, "a late write of its own");
        assert_eq!(met(&mut tried(), "c-1"), Some("c-1".to_string()));
        assert_eq!(met(&mut Fence::new("b".into()), "c-1"), None, "nothing of its own was replaced");
    }
}

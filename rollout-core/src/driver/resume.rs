use crate::Wake;
use core::time::Duration;

/// When the next turn of a rollout begins, unless something changes before.
///
/// What happens meanwhile begins one earlier, and is harmless, but never before
/// [`Driver::not_before`](super::Driver::not_before).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot wait in a new way must not compile")]
pub enum Resume {
    /// At once: something was written, or what was read is no longer so.
    Now {
        /// Whether everything has to be read live, not from a cache.
        live: bool,
    },
    /// At this time, for this reason.
    At(Wake),
    /// After this time: something failed, and goes on failing.
    After {
        /// How long, from now on.
        delay: Duration,
        /// Whether everything has to be read live, not from a cache.
        live: bool,
    },
    /// When something changes: nothing is due.
    OnChange,
}

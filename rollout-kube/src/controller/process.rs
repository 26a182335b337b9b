use rollout_core::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a unique name for this process that begins with its start time. In containers all processes have the same
/// id, so the time is as precise as possible.
pub(super) fn name(began: Time) -> String {
    let within = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos() % 1_000_000;
    let nanos = i128::from(began.as_millis()) * 1_000_000 + i128::from(within);
    format!("{nanos:x}-{:x}", std::process::id())
}

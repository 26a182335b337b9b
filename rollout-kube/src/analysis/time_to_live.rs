//! How long a finished run is kept.

use rollout_core::{Time, analysis::Phase, analysis::RunStatus};
use serde_json::Value;
use std::time::Duration;

/// Returns when a run is to be deleted, by its `ttlStrategy`; `None` if it is kept.
pub(super) fn ends(spec: &Value, status: &RunStatus) -> Option<Time> {
    let completed = status.completed_at.filter(|_| status.phase.is_done())?;
    let seconds = |field: &str| spec.get("ttlStrategy")?.get(field)?.as_i64();
    let own = match status.phase {
        Phase::Successful => seconds("secondsAfterSuccess"),
        Phase::Failed => seconds("secondsAfterFailure"),
        Phase::Error | Phase::Inconclusive | Phase::Pending | Phase::Running => None,
    };
    let seconds = own.or_else(|| seconds("secondsAfterCompletion"))?;
    // Strictly later than the time, which is counted in whole seconds.
    let seconds = u64::try_from(seconds.saturating_add(1)).unwrap_or(0);
    Some(completed + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_more_specific_time_counts_and_it_must_be_over() {
        let ttl = json!({"secondsAfterCompletion": 60, "secondsAfterSuccess": 10});
        let spec = json!({"ttlStrategy": ttl});
        let of = |phase: &str| {
            let status = json!({"phase": phase, "completedAt": "1970-01-01T00:01:40Z"});
            ends(&spec, &RunStatus::read(&status)).map(Time::as_secs)
        };
        assert_eq!((of("Successful"), of("Failed"), of("Error")), (Some(111), Some(161), Some(161)));
        assert_eq!(of("Running"), None);
        let failed = RunStatus::read(&json!({"phase": "Failed", "completedAt": "1970-01-01T00:01:40Z"}));
        let after_success = json!({"ttlStrategy": {"secondsAfterSuccess": 10}});
        assert_eq!(ends(&after_success, &failed), None, "nothing is said about this end");
        assert_eq!(ends(&json!({}), &failed), None);
        let negative = json!({"ttlStrategy": {"secondsAfterCompletion": -7}});
        assert_eq!(ends(&negative, &failed).map(Time::as_secs), Some(100));
        let invalid = RunStatus::read(&json!({"phase": "Error"}));
        assert_eq!(ends(&spec, &invalid), None, "without the time of its end, it is kept");
    }
}

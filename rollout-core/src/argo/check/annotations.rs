//! The annotations of a Rollout with which it goes beyond Argo Rollouts.

use super::{notes::Notes, pace};
use crate::{
    Finding, Severity,
    argo::{
        fleet, header_conditions, header_conditions::HEADER_CONDITIONS_ANNOTATION, path::child, wire::Rollout,
    },
    fleet::FLEET_ANNOTATION,
    pace::{GRADUAL_ABORT_ANNOTATION, WINDOWS_ANNOTATION},
};
use alloc::{format, string::String, vec::Vec};

/// The annotation of a Rollout whose splits are sticky: the name of a cookie. A user who has met the canary keeps meeting
/// it while its weight does not fall, and the share of the canary stays its weight. A traffic backend carries it out;
/// for Istio, `rollout-istio` does.
///
/// ```
/// use rollout_core::argo::{STICKY_ANNOTATION, ignored_by_argo_rollouts, wire::Rollout};
/// use serde_json::json;
/// let rollout = json!({"metadata": {"annotations": {STICKY_ANNOTATION: "web-canary"}}});
/// let ignored = ignored_by_argo_rollouts(&Rollout::from_value(&rollout));
/// assert!(ignored[0].what.ends_with("each request is split anew"));
/// ```
pub const STICKY_ANNOTATION: &str = "rollout-core/sticky-cookie";

/// What Argo Rollouts, which does not know an annotation, does instead.
const INSTEAD: [(&str, &str); 5] = [
    (WINDOWS_ANNOTATION, "each step begins as soon as the one before it is done"),
    (GRADUAL_ABORT_ANNOTATION, "an abort takes all weight from the canary at once"),
    (HEADER_CONDITIONS_ANNOTATION, "the header alone decides, so the canary gets more requests"),
    (STICKY_ANNOTATION, "each request is split anew"),
    (FLEET_ANNOTATION, "each cluster releases by itself, and none waits for another"),
];

const PREFIX: &str = "rollout-core/";
/// Others that a user may write.
const FOR_USERS: [&str; 2] = ["rollout-core/command", "rollout-core/proceed"];
/// Those that a controller writes.
const WRITTEN: [&str; 2] = ["rollout-core/fence", "rollout-core/receipt"];

pub(super) fn check(rollout: &Rollout, notes: &mut Notes) {
    unknown(rollout, notes);
    pace::check(rollout, notes);
    let conditions = header_conditions::read(rollout).err().into_iter().flatten();
    for finding in conditions.chain(fleet::read(rollout).err().into_iter().flatten()) {
        notes.findings.push(finding);
    }
}

/// Warns of annotations that look as if they were for this engine: nobody reads them.
fn unknown(rollout: &Rollout, notes: &mut Notes) {
    let annotations = rollout.metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
    let known: Vec<&str> = INSTEAD.iter().map(|(key, _)| *key).chain(FOR_USERS).collect();
    let ours = annotations.into_iter().flatten().map(|(key, _)| key.as_str());
    for key in ours.filter(|key| key.starts_with(PREFIX) && !known.contains(key) && !WRITTEN.contains(key)) {
        let what = "is no annotation of a Rollout that the engine knows";
        let instead = format!("write one of these, or remove it: {}", known.join(", "));
        notes.warning(child("metadata.annotations", key), what, instead);
    }
}

/// Returns a warning for each annotation that the engine obeys and Argo Rollouts ignores, with what Argo Rollouts would
/// do.
///
/// ```
/// use rollout_core::argo::{ignored_by_argo_rollouts, wire::Rollout};
/// use serde_json::json;
/// let rollout = json!({"metadata": {"annotations": {"rollout-core/step-windows": "Mon-Thu 09:00-16:00"}}});
/// let ignored = ignored_by_argo_rollouts(&Rollout::from_value(&rollout));
/// assert_eq!(ignored[0].path, "metadata.annotations[rollout-core/step-windows]");
/// assert!(ignored[0].what.ends_with("each step begins as soon as the one before it is done"));
/// ```
#[must_use]
pub fn ignored_by_argo_rollouts(rollout: &Rollout) -> Vec<Finding> {
    let there = INSTEAD.iter().filter(|(key, _)| rollout.annotation(key).is_some());
    let findings = there.map(|(key, instead)| {
        let what = format!("Argo Rollouts ignores this annotation: there, {instead}");
        Finding::new(Severity::Warning, child("metadata.annotations", key), what, String::new())
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use crate::argo::check;
    use alloc::{string::ToString, vec::Vec};
    use serde_json::json;

    #[test]
    fn an_annotation_that_nobody_reads_is_told_with_those_that_exist() {
        let report = check(&json!({"metadata": {"annotations": {
            "rollout-core/step-window": "09:00-17:00", "rollout-core/receipt": "{}", "team": "shop",
            "rollout-core/command": "{}"
        }}}));
        let all = report.warnings().map(ToString::to_string);
        let told: Vec<_> = all.filter(|told| told.contains("annotation")).collect();
        let [only] = &told[..] else { panic!("{told:?}") };
        assert!(only.contains("rollout-core/step-window` is no annotation of a Rollout"), "{only}");
        assert!(only.contains("rollout-core/command"), "{only}");
    }
}

//! The annotations of a Rollout with which it goes beyond Argo Rollouts.

use super::notes::Notes;
use crate::{
    Finding, Severity,
    argo::{path::child, wire::Rollout},
    pace::{
        GRADUAL_ABORT_ANNOTATION, GradualAbort, InvalidGradualAbort, InvalidWindows, WINDOWS_ANNOTATION,
        Windows,
    },
};
use alloc::{format, string::String, vec::Vec};

/// What Argo Rollouts, which does not know an annotation, does instead.
const INSTEAD: [(&str, &str); 2] = [
    (WINDOWS_ANNOTATION, "each step begins as soon as the one before it is done"),
    (GRADUAL_ABORT_ANNOTATION, "an abort takes all weight from the canary at once"),
];

/// Returns the windows of a Rollout; always, without the annotation.
pub(in crate::argo) fn windows(rollout: &Rollout) -> Result<Windows, InvalidWindows> {
    annotation(rollout, WINDOWS_ANNOTATION).map_or(Ok(Windows::always()), str::parse)
}

/// Returns the gradual abort of a Rollout, if it has the annotation.
pub(in crate::argo) fn gradual_abort(rollout: &Rollout) -> Result<Option<GradualAbort>, InvalidGradualAbort> {
    annotation(rollout, GRADUAL_ABORT_ANNOTATION).map(str::parse).transpose()
}

pub(super) fn check(rollout: &Rollout, notes: &mut Notes) {
    if let Err(invalid) = windows(rollout) {
        notes.ours(path(WINDOWS_ANNOTATION), invalid.what(), InvalidWindows::INSTEAD);
    }
    match gradual_abort(rollout) {
        Err(invalid) => {
            notes.ours(path(GRADUAL_ABORT_ANNOTATION), invalid.what(), InvalidGradualAbort::INSTEAD);
        }
        Ok(Some(_)) if rollout.canary().is_some_and(|canary| canary.traffic_routing.is_none()) => {
            let what = "has no effect: without `trafficRouting`, an abort replaces pods one by one";
            notes.warning(path(GRADUAL_ABORT_ANNOTATION), what, "remove the annotation");
        }
        Ok(_) => {}
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
    let there = INSTEAD.iter().filter(|(key, _)| annotation(rollout, key).is_some());
    let findings = there.map(|(key, instead)| {
        let what = format!("Argo Rollouts ignores this annotation: there, {instead}");
        Finding::new(Severity::Warning, path(key), what, String::new())
    });
    findings.collect()
}

fn annotation<'r>(rollout: &'r Rollout, key: &str) -> Option<&'r str> {
    let annotations = rollout.metadata.as_ref()?.annotations.as_ref()?;
    annotations.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
}

fn path(key: &str) -> String {
    child("metadata.annotations", key)
}

#[cfg(test)]
mod tests {
    use crate::argo::check;
    use alloc::{
        string::{String, ToString},
        vec::Vec,
    };
    use serde_json::{Value, json};

    fn findings(annotations: &Value, routed: bool) -> Vec<String> {
        let routing =
            if routed { json!({"istio": {"virtualService": {"name": "web"}}}) } else { Value::Null };
        let report = check(&json!({
            "metadata": {"annotations": annotations},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"canary": {"trafficRouting": routing, "stableService": "a", "canaryService": "b"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "web"}]}
                }
            }
        }));
        let ours = report.findings.iter().filter(|finding| finding.path.starts_with("metadata"));
        ours.map(ToString::to_string).collect()
    }

    #[test]
    fn a_text_that_cannot_be_read_is_an_error_with_the_form_to_write() {
        let both = json!({"rollout-core/step-windows": "office hours", "rollout-core/gradual-abort": "20"});
        assert_eq!(
            findings(&both, true),
            [
                "metadata.annotations[rollout-core/step-windows]: \"office\" is no day of the week (Mon, Tue, Wed, Thu, \
             Fri, Sat, Sun); write windows such as \
             \"Mon-Fri 09:00-17:00; Sat 10:00-12:00 +01:00\" (UTC without an offset)",
                "metadata.annotations[rollout-core/gradual-abort]: \"20\" is no gradual abort; write a share of all traffic \
             and a time, such as \"20% every 30s\"",
            ]
        );
    }

    #[test]
    fn a_gradual_abort_without_traffic_routing_has_no_effect() {
        let gradual = json!({"rollout-core/gradual-abort": "20% every 30s", "rollout-core/step-windows": "09:00-17:00"});
        assert_eq!(findings(&gradual, true), [""; 0]);
        let warned = findings(&gradual, false);
        assert!(warned.len() == 1 && warned[0].contains("has no effect"), "{warned:?}");
    }
}

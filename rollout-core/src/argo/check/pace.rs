//! The annotations that say when a release may move, and how fast an abort goes.

use super::notes::Notes;
use crate::{
    argo::{path::child, wire::Rollout},
    pace::{
        GRADUAL_ABORT_ANNOTATION, GradualAbort, InvalidGradualAbort, InvalidWindows, WINDOWS_ANNOTATION,
        Windows,
    },
};
use alloc::string::String;

/// Returns the windows of a Rollout; always, without the annotation.
pub(in crate::argo) fn windows(rollout: &Rollout) -> Result<Windows, InvalidWindows> {
    rollout.annotation(WINDOWS_ANNOTATION).map_or(Ok(Windows::always()), str::parse)
}

/// Returns the gradual abort of a Rollout, if it has the annotation.
pub(in crate::argo) fn gradual_abort(rollout: &Rollout) -> Result<Option<GradualAbort>, InvalidGradualAbort> {
    rollout.annotation(GRADUAL_ABORT_ANNOTATION).map(str::parse).transpose()
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

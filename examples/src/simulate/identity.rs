//! Whether an object is one of those that are read, by its `kind` and its `apiVersion`.

use super::nearest::nearest;
use rollout_core::{Finding, argo::Document};
use serde_json::Value;

/// What an object is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// One of those that are read.
    Ours,
    /// Something else, in words.
    Other(String),
    /// No object of Kubernetes.
    Nothing,
    /// Most likely one of those that are read, written wrongly.
    Wrong(Finding),
}

/// What is read: kind, group, and the versions that are served, the one to write first.
const READ: [(&str, &str, &[&str]); 6] = [
    ("Rollout", "argoproj.io", &["v1alpha1"]),
    ("Service", "", &["v1"]),
    ("AnalysisTemplate", "argoproj.io", &["v1alpha1"]),
    ("ClusterAnalysisTemplate", "argoproj.io", &["v1alpha1"]),
    ("VirtualService", "networking.istio.io", &["v1", "v1beta1", "v1alpha3"]),
    ("DestinationRule", "networking.istio.io", &["v1", "v1beta1", "v1alpha3"]),
];

/// Looks what an object is.
pub(crate) fn identify(object: &Document) -> Identity {
    let text = |field: &str| object.value().get(field).and_then(Value::as_str);
    let (kind, version) = (text("kind"), text("apiVersion"));
    let (group, served) = version.map_or(("", ""), split);
    let Some(kind) = kind else {
        let of_ours = READ.iter().find(|(_, known, _)| !known.is_empty() && *known == group);
        return match of_ours {
            Some((kind, ..)) => {
                wrong("kind", "the object has no kind", format!("write `kind: {kind}`, or what it is"))
            }
            None => Identity::Nothing,
        };
    };
    if let Some((_, own, versions)) = READ.iter().find(|(known, ..)| *known == kind) {
        let first = versions.first().copied().unwrap_or_default();
        let right = if own.is_empty() { first.to_owned() } else { format!("{own}/{first}") };
        let instead = format!("write `apiVersion: {right}`");
        return match version {
            None => wrong("apiVersion", &format!("this {kind} has no apiVersion"), instead),
            Some(_) if group == *own && versions.contains(&served) => Identity::Ours,
            Some(version) if group == *own => {
                wrong("apiVersion", &format!("{version:?} is not served"), instead)
            }
            Some(_) if is_of_others(group, own) => Identity::Other(format!("{kind} of {group}")),
            Some(version) => wrong("apiVersion", &format!("there is no {kind} in {version:?}"), instead),
        };
    }
    let near = READ.iter().filter(|(_, own, _)| *own == group).map(|(known, ..)| *known);
    if version.is_some()
        && let Some(near) = nearest(kind, near)
    {
        let what = format!("there is no kind {kind:?} in {:?}", version.unwrap_or_default());
        return wrong("kind", &what, format!("did you mean `kind: {near}`?"));
    }
    let workload = matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
    let canary = object.value().pointer("/spec/strategy/canary").is_some();
    if workload && (group == "argoproj.io" || canary) {
        let what = format!("a {kind} has no canary strategy");
        return wrong("kind", &what, "write `kind: Rollout` and `apiVersion: argoproj.io/v1alpha1`");
    }
    Identity::Other(kind.to_owned())
}

fn wrong(path: &str, what: &str, instead: impl Into<String>) -> Identity {
    Identity::Wrong(Finding::error(path, what, instead))
}

/// Group and version.
fn split(version: &str) -> (&str, &str) {
    version.split_once('/').unwrap_or(("", version))
}

/// Whether a group is one of somebody else, which may have a kind of the same name: it has a domain, is none of
/// Kubernetes, and is not ours with a mistake in it.
fn is_of_others(group: &str, own: &str) -> bool {
    let of_kubernetes = !group.contains('.') || group.ends_with(".k8s.io") && !group.contains(".x-k8s.");
    !of_kubernetes && (own.is_empty() || nearest(group, [own]).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::argo::read;

    #[test]
    fn what_objects_are() {
        let is = |text: &str| match identify(&read(text, "a").documents.remove(0)) {
            Identity::Ours => "ours".to_owned(),
            Identity::Other(words) => words,
            Identity::Nothing => "nothing".to_owned(),
            Identity::Wrong(wrong) => wrong.to_string(),
        };
        let rollout = "write `apiVersion: argoproj.io/v1alpha1`";
        let istio = "write `apiVersion: networking.istio.io/v1`";
        for (kind, version, words) in [
            ("Rollout", "argoproj.io/v1alpha1", "ours".to_owned()),
            ("Service", "v1", "ours".to_owned()),
            ("VirtualService", "networking.istio.io/v1alpha3", "ours".to_owned()),
            ("DestinationRule", "networking.istio.io/v1", "ours".to_owned()),
            ("Rollout", "argoproj.io/v1", format!("apiVersion: \"argoproj.io/v1\" is not served; {rollout}")),
            ("Rollout", "apps/v1", format!("apiVersion: there is no Rollout in \"apps/v1\"; {rollout}")),
            ("Rollout", "v1", format!("apiVersion: there is no Rollout in \"v1\"; {rollout}")),
            ("Rollout", "argoprj.io/v1alpha1", format!("apiVersion: there is no Rollout in \"argoprj.io/v1alpha1\"; {rollout}")),
            ("Rollout", "rollouts.kruise.io/v1beta1", "Rollout of rollouts.kruise.io".to_owned()),
            ("Service", "serving.knative.dev/v1", "Service of serving.knative.dev".to_owned()),
            ("Service", "apps/v1", "apiVersion: there is no Service in \"apps/v1\"; write `apiVersion: v1`".to_owned()),
            ("VirtualService", "networking.istio.io/v1alpha9", format!("apiVersion: \"networking.istio.io/v1alpha9\" is not served; {istio}")),
            ("VirtualService", "appmesh.k8s.aws/v1beta2", "VirtualService of appmesh.k8s.aws".to_owned()),
            ("Rolout", "argoproj.io/v1alpha1", "kind: there is no kind \"Rolout\" in \"argoproj.io/v1alpha1\"; did you mean `kind: Rollout`?".to_owned()),
            ("Deployment", "argoproj.io/v1alpha1", "kind: a Deployment has no canary strategy; write `kind: Rollout` and `apiVersion: argoproj.io/v1alpha1`".to_owned()),
            ("AnalysisTemplate", "argoproj.io/v1alpha1", "ours".to_owned()),
            ("ClusterAnalysisTemplate", "argoproj.io/v1alpha1", "ours".to_owned()),
            ("AnalysisRun", "argoproj.io/v1alpha1", "AnalysisRun".to_owned()),
            ("ServiceAccount", "v1", "ServiceAccount".to_owned()),
            ("Gateway", "networking.istio.io/v1", "Gateway".to_owned()),
        ] {
            assert_eq!(is(&format!("kind: {kind}\napiVersion: {version}\n")), words, "{kind} {version}");
        }
        assert_eq!(is("kind: Rollout\n"), format!("apiVersion: this Rollout has no apiVersion; {rollout}"));
        assert_eq!(
            is("apiVersion: argoproj.io/v1alpha1\n"),
            "kind: the object has no kind; write `kind: Rollout`, or what it is"
        );
        assert_eq!(is("version: 3\n"), "nothing");
    }
}

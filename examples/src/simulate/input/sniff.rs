//! A look at a document without reading it: most of what lies in a folder is none of ours.

use super::stream::MOST_BYTES;
use rollout_core::argo::read;
use std::{fs::File, io::Read, path::Path};

/// What a document seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// An object of a kind that says nothing about a canary.
    Other(String),
    /// One that lies beside every canary in a mesh, and needs no word.
    Beside(String),
    /// Something that must be read.
    Ours,
    /// It says of no kind what it is.
    Unknown,
}

/// Kinds that are read; a list may hold some.
const READ: [&str; 6] = [
    "Rollout",
    "Service",
    "VirtualService",
    "DestinationRule",
    "AnalysisTemplate",
    "ClusterAnalysisTemplate",
];

/// Groups in which a kind that is unknown is a mistake.
const GROUPS: [&str; 3] = ["argoproj.io/", "argoproj/", "networking.istio.io/"];

/// Looks at the fields at the left edge.
pub(crate) fn look(text: &str) -> Look {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let value = value.split(" #").next().unwrap_or(value).trim();
        Some(value.trim_matches(['"', '\'']).to_owned())
    };
    let (kind, version) = (field("kind"), field("apiVersion"));
    let Some(kind) = kind.filter(|kind| !kind.is_empty()) else {
        return if names_one(text) { Look::Ours } else { Look::Unknown };
    };
    let version = version.unwrap_or_default();
    let known = READ.contains(&kind.as_str()) || kind.ends_with("List");
    let typo = READ.iter().any(|name| kind.eq_ignore_ascii_case(name) || near(&kind, name));
    if known || typo || workload_of(&kind, &version, text) {
        return Look::Ours;
    }
    if version.starts_with("networking.istio.io/") { Look::Beside(kind) } else { Look::Other(kind) }
}

/// Whether a text whose fields are not at the left edge names a kind that is read, or a list.
fn names_one(text: &str) -> bool {
    let follows_kind = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        before.trim_end_matches([' ', '"', '\'', ':']).ends_with("kind")
    };
    READ.iter().chain(&["List"]).any(|name| text.match_indices(name).any(|(at, _)| follows_kind(at)))
}

fn near(kind: &str, name: &str) -> bool {
    super::super::nearest::nearest(kind, [name]).is_some()
}

/// Whether it is a workload of Kubernetes that says what only a Rollout says.
fn workload_of(kind: &str, version: &str, text: &str) -> bool {
    let workload = matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
    workload && (GROUPS.iter().any(|group| version.starts_with(group)) || text.contains("canary:"))
}

/// Whether a file holds only a part of a Rollout, as a patch of Kustomize does.
pub(super) fn is_patch(path: &Path) -> bool {
    let mut text = String::new();
    let read_all = File::open(path).and_then(|file| file.take(MOST_BYTES as u64).read_to_string(&mut text));
    if read_all.is_err() {
        return false;
    }
    let documents = read(&text, "").documents;
    documents.iter().any(|document| document.kind() == Some("Rollout") && is_part(document.value()))
}

/// Whether a Rollout lacks everything that makes one.
pub(crate) fn is_part(rollout: &serde_json::Value) -> bool {
    let has = |field: &str| rollout.pointer(field).is_some();
    !["/spec/template", "/spec/selector", "/spec/workloadRef"].into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_seems_to_be() {
        let other = |kind: &str| Look::Other(kind.to_owned());
        for (text, look_of) in [
            ("kind: ConfigMap\napiVersion: v1\n", other("ConfigMap")),
            ("apiVersion: v1\nkind: \"Secret\" # a\ndata: [", other("Secret")),
            ("kind: Gateway\napiVersion: networking.istio.io/v1\n", Look::Beside("Gateway".to_owned())),
            ("kind: Rollout\n", Look::Ours),
            ("kind: Rolout\n", Look::Ours),
            ("kind: rollout\n", Look::Ours),
            ("kind: List\n", Look::Ours),
            ("kind: Deployment\napiVersion: apps/v1\n", other("Deployment")),
            ("kind: Deployment\napiVersion: argoproj.io/v1alpha1\n", Look::Ours),
            ("kind: Deployment\napiVersion: apps/v1\nspec: {strategy: {canary: {}}}\n", Look::Ours),
            ("{\"kind\": \"Rollout\"}", Look::Ours),
            ("{\"kind\": \"ConfigMap\"}", Look::Unknown),
            ("version: 3\n", Look::Unknown),
            ("", Look::Unknown),
        ] {
            assert_eq!(look(text), look_of, "{text}");
        }
    }
}

//! `canaryMetadata` and `stableMetadata`: what pods get while their revision has a role.

use super::happening::Kind;
use rollout_core::Event;
use serde_json::Value;

/// The labels and annotations of each role, in words; none where a manifest has none.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    canary: Option<String>,
    stable: Option<String>,
}

const CANARY: &str = "canaryMetadata";
const STABLE: &str = "stableMetadata";

impl Roles {
    /// As a manifest says.
    pub(crate) fn of(manifest: &Value) -> Self {
        let of = |field: &str| {
            let metadata = manifest.pointer("/spec/strategy/canary")?.get(field)?;
            let all: Vec<String> = ["labels", "annotations"]
                .into_iter()
                .filter_map(|part| metadata.get(part)?.as_object())
                .flatten()
                .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
                .collect();
            (!all.is_empty()).then(|| all.join(", "))
        };
        Self { canary: of(CANARY), stable: of(STABLE) }
    }

    /// What pods get when the engine has reported this. In a first deploy, they have the role of stable.
    pub(crate) fn given_with(&self, event: &Event, is_first: bool) -> Option<Kind> {
        let (revision, field, metadata) = match event {
            Event::Started { revision, .. } if is_first => (revision, STABLE, self.stable.clone()?),
            Event::Started { revision, .. } => (revision, CANARY, self.canary.clone()?),
            Event::Completed { revision, before: Some(_) } => (revision, STABLE, self.stable.clone()?),
            _ => return None,
        };
        Some(Kind::Labelled { revision: revision.clone(), field, metadata })
    }
}

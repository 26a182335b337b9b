//! `antiAffinity`: the pods of an update avoid the nodes of stable's, and nobody else's.

use super::{APART, Judge, items, text};
use serde_json::Value;

const LISTS: &str = "/spec/template/spec/affinity/podAntiAffinity";

/// The revision whose nodes the pods of a ReplicaSet avoid.
pub(super) fn avoids(set: &Value) -> Option<String> {
    let lists =
        ["required", "preferred"].map(|how| format!("{LISTS}/{how}DuringSchedulingIgnoredDuringExecution"));
    let terms = lists.iter().flat_map(|list| items(set, list));
    let of = terms.map(|term| term.get("podAffinityTerm").unwrap_or(term));
    let mut revisions = of.filter_map(|term| term.pointer("/labelSelector/matchExpressions/0/values/0"));
    revisions.find_map(Value::as_str).map(str::to_owned)
}

impl Judge {
    /// A ReplicaSet that a controller has written. A new one of an update avoids the revision that is stable then; none
    /// ever avoids itself.
    pub(super) fn keeps_apart(&mut self, hash: &str, object: &Value, is_new: bool) {
        let app = text(object, "/metadata/labels/app");
        let avoids = avoids(object);
        let stable = self.stable.get(app).cloned().unwrap_or_default();
        let is_update = is_new && self.apart.contains(app) && !stable.is_empty() && stable != hash;
        if avoids.is_none() && !is_update {
            return;
        }
        let is_right = avoids.as_deref() != Some(hash) && (!is_update || avoids.as_ref() == Some(&stable));
        self.must(APART, is_right, || format!("{app}: {hash} avoids {avoids:?}, and {stable} is stable"));
    }
}

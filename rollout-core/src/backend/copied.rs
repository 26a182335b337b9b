//! Objects that a mesh of several clusters copies into its own API server.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use serde_json::Value;

/// The labels of a copy, by which it names its origin; the first that is there counts.
const LABELS: [&str; 2] = ["mspider.io/origin-cluster", "mspider.io/synced-from"];

/// The origin of an object that a copier made: in a hosted mesh, the proxies read the objects of the mesh's own API
/// server, and a copier fills it with those of one cluster.
///
/// ```
/// use rollout_core::backend::CopiedFrom;
/// use serde_json::json;
/// let copy = json!({"metadata": {"labels": {"mspider.io/origin-cluster": "west"}}});
/// let from = CopiedFrom::of(&copy).unwrap();
/// assert_eq!(
///     from.to_string(),
///     "is a copy of the one in \"west\": the proxies read what is copied from there, and the copier writes over what is \
///      changed here"
/// );
/// assert_eq!(CopiedFrom::of(&json!({"metadata": {"labels": {"app": "web"}}})), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedFrom {
    /// The origin, as the copier names it: usually a cluster.
    pub origin: String,
}

impl CopiedFrom {
    /// What to do.
    pub const INSTEAD: &'static str =
        "let the Rollout of that cluster drive it there, or remove the label if no copier does this";

    /// Returns the origin of an object; `None` if it is no copy.
    #[must_use]
    pub fn of(object: &Value) -> Option<Self> {
        let labels = object.pointer("/metadata/labels")?;
        let origin = LABELS.into_iter().find_map(|label| labels.get(label)?.as_str())?;
        Some(Self { origin: origin.to_owned() })
    }
}

impl fmt::Display for CopiedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is a copy of the one in {:?}: the proxies read what is copied from there, and the copier writes over what \
             is changed here",
            self.origin
        )
    }
}

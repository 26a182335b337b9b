use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// A route that the engine adds in front of the user's own and removes when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct ManagedRoute {
    /// The name, one of `trafficRouting.managedRoutes`.
    pub name: Arc<str>,
    /// The requests that match, and what happens to them.
    pub matches: RouteMatch,
}

impl ManagedRoute {
    /// Returns whether the route copies requests instead of sending them to the canary.
    #[must_use]
    pub fn is_mirror(&self) -> bool {
        matches!(self.matches, RouteMatch::Mirror { .. })
    }
}

/// The requests that a managed route matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "an editor that cannot write a new kind must not compile")]
pub enum RouteMatch {
    /// Requests with any of these headers go to the canary.
    Header(Vec<HeaderMatch>),
    /// Requests that match any of these are copied to the canary.
    Mirror {
        /// The conditions.
        matches: Vec<MirrorMatch>,
        /// The percentage of them that is copied.
        percentage: i32,
    },
}

/// A header condition that sends a request to the canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct HeaderMatch {
    /// The header's name.
    pub name: String,
    /// The condition on its value.
    pub value: StringMatch,
}

/// The conditions for mirroring a request; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct MirrorMatch {
    /// The request's method.
    pub method: Option<StringMatch>,
    /// The request's path.
    pub path: Option<StringMatch>,
    /// The request's headers.
    pub headers: BTreeMap<String, StringMatch>,
}

/// A way to compare text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "an editor that cannot write a new kind must not compile")]
pub enum StringMatch {
    /// The whole text is equal.
    Exact(String),
    /// The text starts with this prefix.
    Prefix(String),
    /// The text matches a regular expression, in the proxy's dialect.
    Regex(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn only_a_mirror_copies() {
        let of = |matches| ManagedRoute { name: "route".into(), matches };
        assert!(of(RouteMatch::Mirror { matches: vec![], percentage: 100 }).is_mirror());
        assert!(!of(RouteMatch::Header(vec![])).is_mirror());
    }
}

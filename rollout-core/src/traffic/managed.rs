use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// A route that the engine adds in front of the user's own, and removes when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct ManagedRoute {
    /// Its name, one of `trafficRouting.managedRoutes`.
    pub name: Arc<str>,
    /// Which requests it takes, and what it does with them.
    pub matches: RouteMatch,
}

impl ManagedRoute {
    /// Whether it copies requests instead of leading them.
    #[must_use]
    pub fn is_mirror(&self) -> bool {
        matches!(self.matches, RouteMatch::Mirror { .. })
    }
}

/// Which requests a managed route takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "an editor that cannot write a new kind must not compile")]
pub enum RouteMatch {
    /// Requests with any of these headers go to the canary.
    Header(Vec<HeaderMatch>),
    /// Requests that match any of these are copied to the canary.
    Mirror {
        /// What is copied.
        matches: Vec<MirrorMatch>,
        /// How many of them, in per cent.
        percentage: i32,
    },
}

/// One header that leads a request to the canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct HeaderMatch {
    /// The header's name.
    pub name: String,
    /// What its value must be.
    pub value: StringMatch,
}

/// One kind of request that is copied; what is given must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
pub struct MirrorMatch {
    /// The request's method.
    pub method: Option<StringMatch>,
    /// The request's path.
    pub path: Option<StringMatch>,
    /// The request's headers.
    pub headers: BTreeMap<String, StringMatch>,
}

/// How a text is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "an editor that cannot write a new kind must not compile")]
pub enum StringMatch {
    /// The whole text.
    Exact(String),
    /// How it starts.
    Prefix(String),
    /// A regular expression, in the proxy's dialect.
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

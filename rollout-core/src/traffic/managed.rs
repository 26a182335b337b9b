use alloc::{collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// A route that the engine adds in front of the user's own and removes when it is done.
///
/// ```
/// use rollout_core::traffic::{ManagedRoute, RequestMatch, RouteMatch, StringMatch};
/// let beta = RequestMatch::header("x-beta", StringMatch::Exact("yes".into()));
/// let route = ManagedRoute { name: "beta".into(), matches: RouteMatch::Header(vec![beta]) };
/// assert!(!route.is_mirror(), "the canary answers these requests");
/// ```
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
    ///
    /// ```
    /// use rollout_core::traffic::{ManagedRoute, RequestMatch, RouteMatch};
    /// let matches = RouteMatch::Mirror { matches: vec![RequestMatch::default()], percentage: 10 };
    /// let route = ManagedRoute { name: "mirror".into(), matches };
    /// assert!(route.is_mirror(), "stable answers, and a copy goes to the canary");
    /// ```
    #[must_use]
    pub fn is_mirror(&self) -> bool {
        matches!(self.matches, RouteMatch::Mirror { .. })
    }
}

/// The requests that a managed route matches.
///
/// See [`ManagedRoute`] and [`RequestMatch`] for examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "an editor that cannot write a new kind must not compile")]
pub enum RouteMatch {
    /// Requests that match any of these go to the canary.
    Header(Vec<RequestMatch>),
    /// Requests that match any of these are copied to the canary.
    Mirror {
        /// The conditions.
        matches: Vec<RequestMatch>,
        /// The percentage of them that is copied.
        percentage: i32,
    },
}

/// Conditions on a request; all that are given must hold.
///
/// ```
/// use rollout_core::traffic::{RequestMatch, RouteMatch, StringMatch};
/// let get = RequestMatch {
///     method: Some(StringMatch::Exact("GET".into())),
///     path: Some(StringMatch::Prefix("/search".into())),
///     ..RequestMatch::default()
/// };
/// let routes = RouteMatch::Mirror { matches: vec![get.clone()], percentage: 10 };
/// assert!(get.headers.is_empty(), "without a condition on headers, all of these requests match");
/// # assert!(matches!(routes, RouteMatch::Mirror { percentage: 10, .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "an editor that cannot write a new field must not compile")]
#[serde(default, deny_unknown_fields)]
pub struct RequestMatch {
    /// The request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<StringMatch>,
    /// The request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<StringMatch>,
    /// The request's headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
    /// The parameters in the query of the request's URL.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, StringMatch>,
}

impl RequestMatch {
    /// Returns a condition on one header.
    ///
    /// ```
    /// use rollout_core::traffic::{RequestMatch, StringMatch};
    /// let beta = RequestMatch::header("x-beta", StringMatch::Exact("yes".into()));
    /// assert!(beta.headers.contains_key("x-beta") && beta.path.is_none());
    /// ```
    #[must_use]
    pub fn header(name: impl Into<String>, value: StringMatch) -> Self {
        Self { headers: BTreeMap::from([(name.into(), value)]), ..Self::default() }
    }

    /// Returns a condition on one cookie: a regular expression on the header that holds all cookies of a request.
    /// A request can have no other condition on this header.
    ///
    /// ```
    /// use rollout_core::traffic::{RequestMatch, StringMatch};
    /// let team = RequestMatch::cookie("team", &StringMatch::Exact("a.b".into()));
    /// assert_eq!(team.headers["cookie"], StringMatch::Regex(r"(?:.*;\s*)?team=a\.b(?:;.*)?".into()));
    /// ```
    #[must_use]
    pub fn cookie(name: &str, value: &StringMatch) -> Self {
        let value = match value {
            StringMatch::Exact(text) => quoted(text),
            StringMatch::Prefix(text) => format!("{}[^;]*", quoted(text)),
            StringMatch::Regex(regex) => format!("(?:{regex})"),
        };
        let all = format!(r"(?:.*;\s*)?{}={value}(?:;.*)?", quoted(name));
        Self::header("cookie", StringMatch::Regex(all))
    }
}

/// Returns a regular expression for this text.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

/// A way to compare text.
///
/// In JSON, the kind of comparison is the key:
///
/// ```
/// use rollout_core::traffic::StringMatch;
/// assert_eq!(serde_json::to_value(StringMatch::Prefix("/api".into()))?, serde_json::json!({"Prefix": "/api"}));
/// # Ok::<(), serde_json::Error>(())
/// ```
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

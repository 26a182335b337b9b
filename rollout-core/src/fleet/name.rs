use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::fmt;
use serde::{Deserialize, Serialize};

/// The name of a cluster of the mesh: Istio's cluster id.
///
/// At most 63 letters, digits, `-`, `_` and `.`; the first and the last are letters or digits. Cloning is cheap.
///
/// ```
/// use rollout_core::fleet::ClusterName;
/// assert_eq!(ClusterName::new("eu-west.1")?.as_str(), "eu-west.1");
/// assert!(ClusterName::new("../a").is_err());
/// # Ok::<(), rollout_core::fleet::NotAClusterName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(Arc<str>);

/// An error: a text is not the name of a cluster.
///
/// ```
/// use rollout_core::fleet::ClusterName;
/// let error = ClusterName::new("").unwrap_err();
/// assert!(error.to_string().starts_with("is empty; "));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {instead}", instead = Self::INSTEAD)]
#[non_exhaustive]
pub struct NotAClusterName {
    /// What is wrong.
    pub what: &'static str,
}

impl NotAClusterName {
    /// What to write instead.
    pub const INSTEAD: &'static str = "write the cluster's id in the mesh: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends";
}

impl ClusterName {
    /// Reads a name.
    ///
    /// See [`ClusterName`] for an example.
    ///
    /// # Errors
    /// The text is empty or too long, or contains another character.
    pub fn new(name: &str) -> Result<Self, NotAClusterName> {
        let wrong = |what| Err(NotAClusterName { what });
        if name.is_empty() {
            return wrong("is empty");
        }
        if name.len() > 63 {
            return wrong("is longer than 63 characters");
        }
        let letter = |c: char| c.is_ascii_alphanumeric();
        if !name.chars().all(|c| letter(c) || matches!(c, '-' | '_' | '.')) {
            return wrong("contains a character that a cluster's name cannot have");
        }
        if !name.starts_with(letter) || !name.ends_with(letter) {
            return wrong("begins or ends with a sign");
        }
        Ok(Self(name.into()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClusterName {
    type Error = NotAClusterName;

    fn try_from(name: String) -> Result<Self, NotAClusterName> {
        Self::new(&name)
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

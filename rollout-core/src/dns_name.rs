use alloc::{string::String, sync::Arc};
use core::fmt;

/// The maximum length of a name in bytes.
const LONGEST: usize = 253;
/// The maximum length in bytes of a name without dots, where Kubernetes requires a single label.
const LONGEST_LABEL: usize = 63;
/// The number of characters of an invalid text that are shown.
const SHOWN: usize = 80;

/// A name that an object or a namespace can have in Kubernetes: lowercase letters, digits, `-` and `.`.
///
/// Text that a tenant writes into a Rollout ends up in request paths; a valid name cannot escape from its path segment.
/// Names are therefore parsed where they are read, and again where a request is made.
///
/// ```
/// use rollout_core::DnsName;
/// assert_eq!(DnsName::parse("web-canary")?.as_str(), "web-canary");
/// let error = DnsName::parse("web?dryRun=All\n").unwrap_err();
/// assert_eq!(error.to_string(), r#""web?dryRun=All\n" is not a DNS name"#);
/// # Ok::<(), rollout_core::NotADnsName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Arc<str>);

impl DnsName {
    /// The advice for a text that is not a valid name.
    ///
    /// ```
    /// use rollout_core::{DnsName, Finding};
    /// let error = DnsName::parse("Web").unwrap_err();
    /// let finding = Finding::error("spec.name", error.to_string(), DnsName::INSTEAD);
    /// assert!(finding.to_string().starts_with(r#"spec.name: "Web" is not a DNS name; write lowercase letters"#));
    /// ```
    pub const INSTEAD: &str =
        "write lowercase letters, digits, '-' and '.', beginning and ending with a letter or a digit";

    /// Parses a name of one or more labels separated by dots, as most objects have it. Kubernetes limits only the total
    /// length: `<rollout>-<hash>` may be longer than a label.
    ///
    /// ```
    /// use rollout_core::DnsName;
    /// assert!(DnsName::parse("reviews.example").is_ok());
    /// assert!(DnsName::parse("../secrets").is_err());
    /// assert!(DnsName::parse(&"a".repeat(254)).is_err(), "253 bytes at most");
    /// ```
    ///
    /// # Errors
    /// The text is not a valid name.
    pub fn parse(text: &str) -> Result<Self, NotADnsName> {
        let is_name = text.len() <= LONGEST && text.split('.').all(is_part);
        if is_name { Ok(Self(text.into())) } else { Err(NotADnsName::new(text)) }
    }

    /// Parses a name of one label, as Services and namespaces have it.
    ///
    /// ```
    /// use rollout_core::DnsName;
    /// assert!(DnsName::label("web").is_ok());
    /// assert!(DnsName::label("web.shop").is_err());
    /// assert!(DnsName::label(&"a".repeat(64)).is_err(), "63 bytes at most");
    /// ```
    ///
    /// # Errors
    /// The text is not a valid name, or contains a dot.
    pub fn label(text: &str) -> Result<Self, NotADnsName> {
        let is_label = text.len() <= LONGEST_LABEL && is_part(text);
        if is_label { Ok(Self(text.into())) } else { Err(NotADnsName::new(text)) }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DnsName> for Arc<str> {
    fn from(name: DnsName) -> Self {
        name.0
    }
}

impl AsRef<str> for DnsName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn is_part(part: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = part.bytes().next().into_iter().chain(part.bytes().next_back());
    !part.is_empty()
        && ends.into_iter().all(is_alphanumeric)
        && part.bytes().all(|byte| is_alphanumeric(byte) || byte == b'-')
}

/// An error for a text that is not a valid name. It shows the beginning of the text, with control characters escaped.
///
/// ```
/// use rollout_core::DnsName;
/// let error = DnsName::parse(&"W".repeat(1_000)).unwrap_err().to_string();
/// assert!(error.len() < 120 && error.ends_with("…\" is not a DNS name"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is not a DNS name")]
pub struct NotADnsName {
    shown: String,
}

impl NotADnsName {
    fn new(text: &str) -> Self {
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self { shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names() {
        for name in
            ["a", "0", "a-b", "web.shop", "a--b", &"a".repeat(63), &"a".repeat(253), &"a.".repeat(127)[..253]]
        {
            let parsed = DnsName::parse(name).unwrap();
            assert_eq!((parsed.as_str(), parsed.as_ref(), &*parsed.to_string()), (name, name, name));
            let plain: Arc<str> = parsed.into();
            assert_eq!(&*plain, name);
        }
        assert!(DnsName::label(&"a".repeat(64)).is_err() && DnsName::label(&"a".repeat(63)).is_ok());
        assert!(DnsName::label("web").is_ok() && DnsName::label("web.shop").is_err());
    }

    #[test]
    fn what_could_leave_its_place_in_a_path_is_none() {
        let long = ["a".repeat(254), "a.".repeat(127)];
        let texts = [
            "",
            ".",
            "..",
            "a..b",
            "../../tb/services/web",
            "ow/status",
            "ow?dryRun=All&a=",
            "ow%2fstatus",
            "a#b",
            "A",
            "-a",
            "a-",
            ".a",
            "a.",
            "a b",
            "a\n",
            "ä",
            "a\u{0}",
            "a_b",
            &long[0],
            &long[1],
        ];
        for text in texts {
            assert!(DnsName::parse(text).is_err() && DnsName::label(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_on_one_line() {
        let shown = DnsName::parse(&"\u{1b}[31m\n".repeat(100_000)).unwrap_err().to_string();
        assert!(shown.len() < 1000 && !shown.contains(['\n', '\u{1b}']), "{shown}");
    }
}

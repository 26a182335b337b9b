use http::Uri;
use std::{fmt, str::FromStr};

/// The address of a replica of a control plane: `http://127.0.0.1:15014`, `https://istiod.example:8443`.
///
/// ```
/// use rollout_kube::Address;
/// let local: Address = "http://127.0.0.1:15014/".parse()?;
/// assert!(local.may_have_token());
/// let far: Address = "http://istiod.istio-system:15014".parse()?;
/// assert!(!far.may_have_token(), "somebody on the network could read it");
/// assert!(far.in_the_clear(true).may_have_token());
/// assert!("istiod:15014".parse::<Address>().is_err());
/// # Ok::<(), rollout_kube::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    /// Whether a token may be sent in the clear, where others on the network could read it.
    in_the_clear: bool,
    is_private: bool,
}

/// A text that is not an address of a control plane.
///
/// ```
/// use rollout_kube::Address;
/// let error = "istiod:15014".parse::<Address>().unwrap_err();
/// assert!(error.to_string().starts_with(r#""istiod:15014" is not an address of istiod: write http://HOST:PORT"#));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidAddress {
    text: String,
}

impl Address {
    /// Returns the address as written, without a trailing slash.
    ///
    /// ```
    /// use rollout_kube::Address;
    /// assert_eq!("http://127.0.0.1:15014/".parse::<Address>()?.as_str(), "http://127.0.0.1:15014");
    /// # Ok::<(), rollout_kube::InvalidAddress>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Sets whether a token may be sent over plain HTTP through a network. Default: no, only over HTTPS or to this
    /// machine.
    ///
    /// See [`Address`] for an example.
    #[must_use]
    pub fn in_the_clear(mut self, may: bool) -> Self {
        self.in_the_clear = may;
        self
    }

    /// Returns whether a token may be sent to this address.
    ///
    /// See [`Address`] for an example.
    #[must_use]
    pub fn may_have_token(&self) -> bool {
        self.is_private || self.in_the_clear
    }

    /// Returns whether nobody on the network can read what is sent: HTTPS, or a loopback address.
    ///
    /// ```
    /// use rollout_kube::Address;
    /// let address: Address = "http://istiod.istio-system:15014".parse()?;
    /// assert!(!address.in_the_clear(true).is_private(), "permission to send a token hides nothing");
    /// assert!("https://istiod.example:8443".parse::<Address>()?.is_private());
    /// # Ok::<(), rollout_kube::InvalidAddress>(())
    /// ```
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.is_private
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress { text: text.to_owned() };
        let text = text.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let host = uri.host().ok_or_else(invalid)?.trim_matches(['[', ']']);
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) || uri.query().is_some()
        {
            return Err(invalid());
        }
        let is_loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_private = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback,
            _ => return Err(invalid()),
        };
        Ok(Self { text: text.to_owned(), in_the_clear: false, is_private })
    }
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an address of istiod: write http://HOST:PORT or https://HOST:PORT, such as \
             http://127.0.0.1:15014",
            self.text
        )
    }
}

impl std::error::Error for InvalidAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_over_https_or_to_this_machine() {
        for (text, may) in [
            ("http://127.0.0.1:15014", true),
            ("http://127.9.9.9:15014", true),
            ("http://[::1]:15014/", true),
            ("http://localhost:15014", true),
            ("https://istiod.istio-system:15017", true),
            ("http://istiod.istio-system:15014", false),
            ("http://10.0.0.1:15014", false),
            ("http://localhost.example.com:15014", false),
            ("http://127.0.0.1.example.com", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.may_have_token(), may, "{text}");
            assert!(address.in_the_clear(true).may_have_token());
        }
        for text in [
            "",
            "istiod",
            "127.0.0.1:15014",
            "ftp://127.0.0.1",
            "/debug",
            "http://",
            "http://a@b:1",
            "http://a?b",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:15014"), "{error}");
        }
    }
}

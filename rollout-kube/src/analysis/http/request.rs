//! A request to a metric provider, built from what a tenant wrote.

use super::OAuth2;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery};
use serde_json::Value;
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// A request.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct HttpRequest {
    pub(in crate::analysis) method: Method,
    pub(in crate::analysis) uri: Uri,
    pub(in crate::analysis) headers: HeaderMap,
    pub(in crate::analysis) body: Bytes,
    /// Whether any certificate will do.
    pub(in crate::analysis) is_insecure: bool,
    /// What the token of the header `Authorization` is got for.
    pub(in crate::analysis) oauth2: Option<Arc<OAuth2>>,
}

/// An answer, of any status.
#[derive(Debug)]
pub(in crate::analysis) struct HttpAnswer {
    pub(in crate::analysis) status: StatusCode,
    /// How long the provider wants to be left alone.
    pub(in crate::analysis) retry_after: Option<Duration>,
    pub(in crate::analysis) body: Vec<u8>,
}

/// Headers that belong to the connection: a tenant does not write them.
const OF_THE_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl HttpRequest {
    /// Begins a request to an address.
    ///
    /// # Errors
    /// The text is no HTTP address.
    pub(in crate::analysis) fn new(method: Method, url: &str) -> Result<Self, String> {
        let invalid = |what: &str| format!("{url:?} is not an address that can be asked: {what}");
        let uri: Uri = escaped(url).parse().map_err(|_| invalid("write http://HOST:PORT/PATH"))?;
        let authority = uri.authority().ok_or_else(|| invalid("write http://HOST:PORT/PATH"))?;
        if authority.as_str().contains('@') {
            return Err(invalid(
                "write the user and the password in `authentication.basicAuth`, or in a header",
            ));
        }
        if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.host().is_empty() {
            return Err(invalid("write http://HOST:PORT/PATH or https://HOST:PORT/PATH"));
        }
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Ok(Self { method, uri, headers, body, is_insecure: false, oauth2: None })
    }

    /// Sets headers, as a metric has them: a list of `key` and `value`.
    ///
    /// # Errors
    /// One is no header, or belongs to the connection.
    pub(in crate::analysis) fn headers(mut self, headers: Option<&Value>) -> Result<Self, String> {
        for header in headers.and_then(Value::as_array).into_iter().flatten() {
            let text = |field: &str| header.get(field).and_then(Value::as_str).unwrap_or_default();
            let name = HeaderName::try_from(text("key"));
            let name = name.map_err(|_| format!("{:?} is not the name of a header", text("key")))?;
            if OF_THE_CONNECTION.contains(&name) {
                return Err(format!("the header `{name}` cannot be set; leave it out"));
            }
            // The value may be a secret: it is not in the message.
            let value = HeaderValue::try_from(text("value"));
            let value = value.map_err(|_| {
                format!(
                    "the value of the header `{name}` has a line break or a control character; leave it out"
                )
            })?;
            self.headers.insert(name, value);
        }
        Ok(self)
    }

    /// Sets one header to a text that this program has made.
    pub(in crate::analysis) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value) {
            value.set_sensitive(name == header::AUTHORIZATION);
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets one header to a text that a log does not show.
    pub(in crate::analysis) fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets fields of a form as the body.
    pub(in crate::analysis) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = Bytes::from(form(fields));
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Puts fields of a form into the address instead.
    pub(in crate::analysis) fn query(mut self, fields: &[(&str, &str)]) -> Self {
        let query = match self.uri.query() {
            Some(before) => format!("{before}&{}", form(fields)),
            None => form(fields),
        };
        let target = format!("{}?{query}", self.uri.path());
        let mut parts = self.uri.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(target).ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            self.uri = uri;
        }
        self
    }

    /// Returns the address that a redirect of this request means.
    pub(super) fn relative(&self, to: &str) -> Option<Uri> {
        if to.starts_with("http://") || to.starts_with("https://") {
            return escaped(to).parse().ok();
        }
        let scheme = self.uri.scheme_str()?;
        if to.starts_with("//") {
            return escaped(&format!("{scheme}:{to}")).parse().ok();
        }
        let authority = self.uri.authority()?;
        let folder = self.uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = if to.starts_with('/') { to.to_owned() } else { format!("{folder}/{to}") };
        escaped(&format!("{scheme}://{authority}{path}")).parse().ok()
    }

    /// Returns this request to another address. Another host gets no headers: they may hold secrets.
    ///
    /// # Errors
    /// The address cannot be asked.
    pub(super) fn redirected(mut self, to: &Uri) -> Result<Self, String> {
        let next = Self::new(self.method.clone(), &to.to_string())?;
        let is_same = next.uri.scheme() == self.uri.scheme() && next.uri.authority() == self.uri.authority();
        if !is_same {
            self.headers.clear();
        }
        Ok(Self { uri: next.uri, ..self })
    }
}

/// Returns the value of the header `Authorization` for a user and a password.
pub(in crate::analysis) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        crate::store::encode(value, &mut text);
    }
    text
}

/// Encodes what people write into addresses although it may not be there, such as spaces; drops the fragment.
fn escaped(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url).trim();
    let mut text = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn get(url: &str) -> Result<HttpRequest, String> {
        HttpRequest::new(Method::GET, url)
    }

    #[test]
    fn an_address_is_checked_and_escaped() {
        let request = get(" http://web:80/a b?q=up{a=\"b\"}#part ").unwrap();
        assert_eq!(request.uri.to_string(), "http://web:80/a%20b?q=up%7Ba=%22b%22%7D");
        let request = request.query(&[("query", "a & b")]);
        assert_eq!(request.uri.query(), Some("q=up%7Ba=%22b%22%7D&query=a%20%26%20b"));
        for (url, instead) in [
            ("web:80", "write http://"),
            ("", "write http://"),
            ("/path", "write http://"),
            ("ftp://web/", "write http://HOST:PORT/PATH or https"),
            ("file:///etc/passwd", "write http://"),
            ("http://me:secret@web/", "authentication.basicAuth"),
        ] {
            let error = get(url).unwrap_err();
            assert!(error.contains(instead), "{url}: {error}");
        }
    }

    #[test]
    fn headers_are_checked_and_their_values_are_in_no_message() {
        let with = |key: &str, value: &str| {
            get("http://web/").unwrap().headers(Some(&json!([{"key": key, "value": value}])))
        };
        assert_eq!(with("X-Scope", "a").unwrap().headers["x-scope"], "a");
        for (key, value) in [("a b", "s3cret"), ("Transfer-Encoding", "s3cret"), ("a", "s3cret\r\nb: c")] {
            let error = with(key, value).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_redirect_keeps_headers_only_on_the_same_host() {
        let request = get("http://web/a/b?c").unwrap().header(header::AUTHORIZATION, "Bearer t");
        let to = |to: &str| request.clone().redirected(&request.relative(to).unwrap()).unwrap();
        for (place, uri, keeps) in [
            ("/x", "http://web/x", true),
            ("x", "http://web/a/x", true),
            ("http://web/x", "http://web/x", true),
            ("https://web/x", "https://web/x", false),
            ("//other/x", "http://other/x", false),
            ("http://web:81/x", "http://web:81/x", false),
        ] {
            let next = to(place);
            assert_eq!((next.uri.to_string().as_str(), !next.headers.is_empty()), (uri, keeps), "{place}");
        }
        assert!(!format!("{request:?}").contains("Bearer"), "a log shows no token");
    }
}

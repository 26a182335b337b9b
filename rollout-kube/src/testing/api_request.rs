use super::{kinds::Traits, selector::Selector};
use serde_json::Value;

/// The kind of objects that can be evicted.
const PODS: &str = "/api/v1/pods";

/// A request: a verb and the objects that it is about.
#[derive(Debug, Clone)]
pub(super) struct ApiRequest {
    pub(super) verb: Verb,
    /// `/apis/apps/v1/replicasets`
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) is_status: bool,
    /// Whether it evicts a pod.
    pub(super) is_eviction: bool,
    pub(super) traits: Traits,
    pub(super) labels: Selector,
    pub(super) version: u64,
    /// The page size of a list; 0 for one page.
    pub(super) limit: usize,
    /// The continue token: where the next page begins.
    pub(super) next: String,
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct Sent {
    /// The content type.
    pub(super) content: String,
    /// `None` if it is not JSON.
    pub(super) value: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Replace,
    Patch,
    Delete,
}

impl ApiRequest {
    /// Parses method, path and query; returns `None` if that is not a request for objects.
    pub(super) fn parse(method: &str, uri: &str) -> Option<Self> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut parts = path.trim_matches('/').split('/');
        let root = match parts.next()? {
            "api" => format!("/api/{}", parts.next()?),
            "apis" => format!("/apis/{}/{}", parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut plural = parts.next()?;
        let mut namespace = "";
        if plural == "namespaces" {
            namespace = parts.next()?;
            plural = parts.next()?;
        }
        let name = parts.next().unwrap_or_default();
        let parameter = |wanted: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == wanted).map(|(_, value)| decode(value)).next_back()
        };
        let verb = match method {
            "GET" if parameter("watch").is_some_and(|watch| watch == "true" || watch == "1") => Verb::Watch,
            "GET" if name.is_empty() => Verb::List,
            "GET" => Verb::Get,
            "POST" => Verb::Create,
            "PUT" => Verb::Replace,
            "PATCH" => Verb::Patch,
            "DELETE" => Verb::Delete,
            _ => return None,
        };
        let number =
            |wanted: &str| parameter(wanted).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        let kind = format!("{root}/{plural}");
        let subresource = parts.next();
        let (is_status, is_eviction) = (subresource == Some("status"), subresource == Some("eviction"));
        let is_known = is_status || is_eviction && verb == Verb::Create && kind == PODS;
        if subresource.is_some() && !is_known || parts.next().is_some() {
            return None;
        }
        Some(Self {
            verb,
            traits: Traits::of(&kind),
            kind,
            namespace: namespace.to_owned(),
            name: decode(name),
            is_status,
            is_eviction,
            labels: Selector::parse(&parameter("labelSelector").unwrap_or_default()),
            version: number("resourceVersion"),
            limit: usize::try_from(number("limit")).unwrap_or(0),
            next: parameter("continue").unwrap_or_default(),
        })
    }

    pub(super) fn plural(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the `apiVersion` of the objects.
    pub(super) fn api_version(&self) -> &str {
        let root = self.kind.rsplit_once('/').map_or("", |(root, _)| root);
        root.trim_start_matches("/apis/").trim_start_matches("/api/")
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

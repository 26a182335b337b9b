//! Header and mirror routes.

use crate::{
    Finding, Severity,
    argo::{
        reader::Reader,
        wire::{self, CanaryStep, Wire},
    },
    traffic::{ManagedRoute, RequestMatch, RouteMatch, StringMatch},
};
use alloc::{collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use serde_json::Value;

/// A managed route's name and its content; `None` removes the route.
type Managed = (Arc<str>, Option<Arc<ManagedRoute>>);

/// Reads a `setHeaderRoute` or `setMirrorRoute` step as it is written and returns the name and content of its route.
/// Without a `match` there is no content, because the step removes the route.
///
/// ```
/// use rollout_core::argo::managed_route;
/// let step = serde_json::json!({"setHeaderRoute": {"name": "testers", "match": [
///     {"headerName": "x-tester", "headerValue": {"exact": "yes"}},
/// ]}});
/// let (name, route) = managed_route(&step)?;
/// assert_eq!((&*name, route.is_some()), ("testers", true));
/// assert!(managed_route(&serde_json::json!({"setWeight": 5})).is_err());
/// # Ok::<(), rollout_core::Finding>(())
/// ```
///
/// # Errors
/// The step is of another kind, or a match is incomplete. The finding's path starts at the step.
pub fn managed_route(step: &Value) -> Result<Managed, Finding> {
    let mut reader = Reader::default();
    let step = CanaryStep::read(step, &mut reader).unwrap_or_default();
    let mut wrong = reader.findings.into_list().into_iter();
    if let Some(wrong) = wrong.find(|finding| finding.severity == Severity::Error) {
        return Err(wrong);
    }
    let incomplete = |path: &str, instead| Finding::error(path, "a match is not complete", instead);
    match (&step.set_header_route, &step.set_mirror_route) {
        (Some(route), _) => {
            let instead = "write headerName, and headerValue with one of exact, prefix, regex";
            let is_named = |header: &wire::HeaderRoutingMatch| header.header_name.is_some();
            let route = header(route, None).filter(|_| route.matches.iter().flatten().all(is_named));
            route.ok_or_else(|| incomplete("setHeaderRoute.match", instead))
        }
        (None, Some(route)) => {
            let instead = "write method, path or headers, each with one of exact, prefix, regex";
            mirror("setMirrorRoute", route, &mut Vec::new())
                .ok_or_else(|| incomplete("setMirrorRoute.match", instead))
        }
        (None, None) => {
            let what = "a managed step is neither setHeaderRoute nor setMirrorRoute";
            Err(Finding::error("", what, "write one of them"))
        }
    }
}

/// Converts a header route, whose requests must also meet `conditions`; without `match`, the route is removed.
pub(super) fn header(route: &wire::SetHeaderRoute, conditions: Option<&RequestMatch>) -> Option<Managed> {
    let one = |header: &wire::HeaderRoutingMatch| {
        let value = text(header.header_value.as_ref()?)?;
        let mut matches = conditions.cloned().unwrap_or_default();
        matches.headers.insert(header.header_name.clone().unwrap_or_default(), value);
        Some(matches)
    };
    let matches: Vec<_> = route.matches.iter().flatten().map(one).collect::<Option<_>>()?;
    let name: Arc<str> = route.name.as_deref().unwrap_or_default().into();
    let route = managed(&name, matches.is_empty(), RouteMatch::Header(matches));
    Some((name, route))
}

/// Converts a mirror route; without `match`, the route is removed.
pub(super) fn mirror(
    path: &str,
    route: &wire::SetMirrorRoute,
    unsupported: &mut Vec<Finding>,
) -> Option<Managed> {
    let mut matches = Vec::new();
    for (index, request) in route.matches.iter().flatten().enumerate() {
        for (name, value) in request.headers.iter().flatten() {
            if text(value).is_none() {
                let path = format!("{path}.match[{index}].headers.{name}");
                unsupported
                    .push(Finding::not_driven(path, "a header that is not compared in exactly one way"));
            }
        }
        matches.push(request_match(request));
    }
    let matches: Vec<_> = matches.into_iter().collect::<Option<_>>()?;
    let name: Arc<str> = route.name.as_deref().unwrap_or_default().into();
    let percentage = route.percentage.unwrap_or(100);
    let route = managed(&name, matches.is_empty(), RouteMatch::Mirror { matches, percentage });
    Some((name, route))
}

fn managed(name: &Arc<str>, is_removed: bool, matches: RouteMatch) -> Option<Arc<ManagedRoute>> {
    (!is_removed).then(|| Arc::new(ManagedRoute { name: name.clone(), matches }))
}

fn request_match(request: &wire::MirrorRoutingMatch) -> Option<RequestMatch> {
    let optional = |value: &Option<wire::StringMatchField>| match value {
        Some(value) => text(value).map(Some),
        None => Some(None),
    };
    let header = |(name, value): (&String, &wire::StringMatchField)| Some((name.clone(), text(value)?));
    Some(RequestMatch {
        method: optional(&request.method)?,
        path: optional(&request.path)?,
        headers: request.headers.iter().flatten().map(header).collect::<Option<_>>()?,
        query: BTreeMap::new(),
    })
}

/// Converts a text comparison; `None` unless it is given in exactly one way. An empty text does not count.
pub(in crate::argo) fn text(value: &wire::StringMatchField) -> Option<StringMatch> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&value.exact), given(&value.prefix), given(&value.regex)) {
        (Some(text), None, None) => Some(StringMatch::Exact(text)),
        (None, Some(text), None) => Some(StringMatch::Prefix(text)),
        (None, None, Some(text)) => Some(StringMatch::Regex(text)),
        _ => None,
    }
}

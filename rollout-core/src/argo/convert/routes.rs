use super::conversion::Unsupported;
use crate::{
    Step,
    argo::wire,
    traffic::{HeaderMatch, ManagedRoute, MirrorMatch, RouteMatch, StringMatch},
};
use alloc::{format, string::String, sync::Arc, vec::Vec};

/// A header route; without `match` it is taken away.
pub(super) fn header(route: &wire::SetHeaderRoute) -> Option<Step> {
    let one = |header: &wire::HeaderMatch| {
        let value = text(header.header_value.as_ref()?)?;
        Some(HeaderMatch { name: header.header_name.clone().unwrap_or_default(), value })
    };
    let matches: Vec<_> = route.matches.iter().flatten().map(one).collect::<Option<_>>()?;
    let name: Arc<str> = route.name.as_deref().unwrap_or_default().into();
    let route = managed(&name, matches.is_empty(), RouteMatch::Header(matches));
    Some(Step::SetHeaderRoute { name, route })
}

/// A mirror route; without `match` it is taken away.
pub(super) fn mirror(
    path: &str,
    route: &wire::SetMirrorRoute,
    unsupported: &mut Vec<Unsupported>,
) -> Option<Step> {
    let mut matches = Vec::new();
    for (index, request) in route.matches.iter().flatten().enumerate() {
        for (name, value) in request.headers.iter().flatten() {
            if text(value).is_none() {
                let path = format!("{path}.match[{index}].headers.{name}");
                unsupported.push(Unsupported::new(path, "a header that is not compared in exactly one way"));
            }
        }
        matches.push(request_match(request));
    }
    let matches: Vec<_> = matches.into_iter().collect::<Option<_>>()?;
    let name: Arc<str> = route.name.as_deref().unwrap_or_default().into();
    let percentage = route.percentage.unwrap_or(100);
    let route = managed(&name, matches.is_empty(), RouteMatch::Mirror { matches, percentage });
    Some(Step::SetMirrorRoute { name, route })
}

fn managed(name: &Arc<str>, is_removed: bool, matches: RouteMatch) -> Option<Arc<ManagedRoute>> {
    (!is_removed).then(|| Arc::new(ManagedRoute { name: name.clone(), matches }))
}

fn request_match(request: &wire::MirrorMatch) -> Option<MirrorMatch> {
    let optional = |value: &Option<wire::StringMatch>| match value {
        Some(value) => text(value).map(Some),
        None => Some(None),
    };
    let header = |(name, value): (&String, &wire::StringMatch)| Some((name.clone(), text(value)?));
    Some(MirrorMatch {
        method: optional(&request.method)?,
        path: optional(&request.path)?,
        headers: request.headers.iter().flatten().map(header).collect::<Option<_>>()?,
    })
}

/// How a text is compared; `None` unless in exactly one way. An empty text is none.
fn text(value: &wire::StringMatch) -> Option<StringMatch> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&value.exact), given(&value.prefix), given(&value.regex)) {
        (Some(text), None, None) => Some(StringMatch::Exact(text)),
        (None, Some(text), None) => Some(StringMatch::Prefix(text)),
        (None, None, Some(text)) => Some(StringMatch::Regex(text)),
        _ => None,
    }
}

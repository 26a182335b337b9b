//! What routes, subsets and Services say. A route is called as its app, and the subsets, or Services, are called after
//! the app and their role.

use serde_json::Value;
use std::collections::BTreeMap;

/// The subset, or the Service, of an app that stable or canary requests go to.
pub(crate) fn subset(app: &str, role: &str) -> String {
    format!("{app}-{role}")
}

/// The managed route of an app, by which requests with a header go to its canary.
pub(crate) fn header(app: &str) -> String {
    format!("{app}-header")
}

/// The app whose canary this managed route leads to.
pub(crate) fn header_of(route: &Value) -> Option<&str> {
    route["name"].as_str()?.strip_suffix("-header")
}

/// The canary's part of a route, and stable's.
pub(crate) fn weights(route: &Value) -> Option<(u64, u64)> {
    let app = route["name"].as_str()?;
    let to = route["route"].as_array()?;
    let weight = |role| {
        let leads_there = |to: &&Value| {
            let destination = &to["destination"];
            let name = if destination["subset"].is_null() { "host" } else { "subset" };
            destination[name] == *subset(app, role)
        };
        let found = to.iter().find(leads_there)?;
        Some(found["weight"].as_u64().unwrap_or(0))
    };
    Some((weight("canary")?, weight("stable")?))
}

/// The canary's part of a route in percent; less than one counts as one, and all but less than one as 99.
pub(crate) fn percent((canary, stable): (u64, u64)) -> u64 {
    if stable == 0 { 100 } else { (100 * canary).div_ceil(canary + stable).min(99) }
}

/// The revisions that stable and canary lead to, by app; without a name where a subset matches all.
pub(crate) fn leads(rule: &Value) -> BTreeMap<String, (String, String)> {
    let mut leads: BTreeMap<String, (String, String)> = BTreeMap::new();
    for subset in rule["spec"]["subsets"].as_array().into_iter().flatten() {
        let hash = subset["labels"]["rollouts-pod-template-hash"].as_str().unwrap_or_default();
        match subset["name"].as_str().unwrap_or_default().rsplit_once('-') {
            Some((app, "stable")) => hash.clone_into(&mut leads.entry(app.to_owned()).or_default().0),
            Some((app, "canary")) => hash.clone_into(&mut leads.entry(app.to_owned()).or_default().1),
            _ => {}
        }
    }
    leads
}

/// The app, the role and the revision of a Service; without a name where it selects all pods.
pub(crate) fn selects(service: &Value) -> Option<(&str, &str, &str)> {
    let (app, role) = service["metadata"]["name"].as_str()?.rsplit_once('-')?;
    let hash = service["spec"]["selector"]["rollouts-pod-template-hash"].as_str().unwrap_or_default();
    Some((app, role, hash))
}

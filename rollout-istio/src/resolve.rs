//! The resolution of hosts to Services, as in Istio.

const DOMAIN: &str = "svc.cluster.local";

/// Returns the full host that a destination in an object of `namespace` refers to: a short name belongs to the object's
/// own namespace; a name with a dot is complete.
///
/// Therefore `web.other` is not Service `web` of namespace `other`, but a host that only a `ServiceEntry` can define.
///
/// ```
/// use rollout_istio::resolve;
/// assert_eq!(resolve("web", "shop"), "web.shop.svc.cluster.local");
/// assert_eq!(resolve("web.other", "shop"), "web.other");
/// ```
#[must_use]
pub fn resolve(host: &str, namespace: &str) -> String {
    if host.contains(['.', ':']) || host == "*" || host.is_empty() {
        return host.to_owned();
    }
    format!("{host}.{namespace}.{DOMAIN}")
}

/// Returns the name and the namespace of the Kubernetes Service that a destination in an object of `namespace` leads
/// to; `None` if the host is not that of a Service. The cluster may have any domain.
///
/// ```
/// use rollout_istio::service_of;
/// assert_eq!(service_of("web", "shop"), Some(("web".into(), "shop".into())));
/// assert_eq!(service_of("web.other.svc.cluster.local", "shop"), Some(("web".into(), "other".into())));
/// assert_eq!(service_of("web.other", "shop"), None);
/// ```
#[must_use]
pub fn service_of(host: &str, namespace: &str) -> Option<(String, String)> {
    let whole = resolve(host, namespace);
    let mut labels = whole.splitn(4, '.');
    let (name, namespace) = (labels.next()?, labels.next()?);
    let is_service = labels.next() == Some("svc") && labels.next().is_some_and(|domain| !domain.is_empty());
    is_service.then(|| (name.to_owned(), namespace.to_owned()))
}

/// Returns whether two hosts, each with the namespace of the object that names it, are the same.
pub(crate) fn is_same(one: (&str, &str), other: (&str, &str)) -> bool {
    match (service_of(one.0, one.1), service_of(other.0, other.1)) {
        (None, None) => resolve(one.0, one.1) == resolve(other.0, other.1),
        (one, other) => one == other,
    }
}

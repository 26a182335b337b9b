//! The interpretation of names of objects and hosts.

use rollout_core::traffic::ObjectRef;

const GROUP: &str = "networking.istio.io";

pub(crate) fn virtual_service(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(GROUP, "VirtualService", namespace, name)
}

pub(crate) fn destination_rule(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(GROUP, "DestinationRule", namespace, name)
}

pub(crate) fn is_virtual_service(object: &ObjectRef) -> bool {
    *object.kind == *"VirtualService" && *object.group == *GROUP
}

pub(crate) fn is_destination_rule(object: &ObjectRef) -> bool {
    *object.kind == *"DestinationRule" && *object.group == *GROUP
}

/// Returns the object that `name` primarily refers to: the part after the last dot is a namespace.
pub(crate) fn primary_name(namespace: &str, name: &str) -> ObjectRef {
    let (namespace, name) = split(namespace, name);
    virtual_service(namespace, name)
}

fn split<'a>(namespace: &'a str, name: &'a str) -> (&'a str, &'a str) {
    let short = name.strip_suffix(".cluster.local").unwrap_or(name);
    short.rsplit_once('.').map_or((namespace, short), |(name, namespace)| (namespace, name))
}

/// Returns whether `name` may refer to this object, as its primary or fallback name.
pub(crate) fn may_name(namespace: &str, name: &str, object: &ObjectRef) -> bool {
    let (first_namespace, first) = split(namespace, name);
    let is = |namespace: &str, name: &str| *object.namespace == *namespace && *object.name == *name;
    is_virtual_service(object) && (is(first_namespace, first) || is(namespace, name))
}

/// Returns the object that `name` refers to if the primary one does not exist: one whose name contains the dots.
pub(crate) fn fallback_name(namespace: &str, name: &str) -> Option<ObjectRef> {
    name.contains('.').then(|| virtual_service(namespace, name))
}

/// Returns the first label of a host.
pub(crate) fn first_label(host: &str) -> &str {
    host.split_once('.').map_or(host, |(first, _)| first)
}

/// Returns the namespace in a host: `name.namespace`, `name.namespace.svc…`.
pub(crate) fn namespace_of(host: &str) -> Option<&str> {
    host.split('.').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_dot_splits() {
        assert_eq!(primary_name("shop", "a"), virtual_service("shop", "a"));
        assert_eq!(primary_name("shop", "a.other"), virtual_service("other", "a"));
        assert_eq!(primary_name("shop", "a.b.other"), virtual_service("other", "a.b"));
        assert_eq!(primary_name("shop", "a.other.cluster.local"), virtual_service("other", "a"));
        assert_eq!(primary_name("shop", "a.cluster.local"), virtual_service("shop", "a"));
    }

    #[test]
    fn s67_a_name_with_a_period_may_be_a_whole_name() {
        assert_eq!(fallback_name("shop", "a"), None);
        assert_eq!(fallback_name("shop", "shop.example"), Some(virtual_service("shop", "shop.example")));
    }

    #[test]
    fn hosts() {
        assert_eq!(first_label("a.shop.svc.cluster.local"), "a");
        assert_eq!(namespace_of("a.shop.svc.cluster.local"), Some("shop"));
        assert_eq!((first_label("a"), namespace_of("a")), ("a", None));
    }
}

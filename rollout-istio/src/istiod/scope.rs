//! The visibility of hosts to proxies: Sidecar resources and `exportTo`.

use super::wire::Spec;
use std::collections::HashMap;

/// The namespace whose Sidecar applies to every namespace that has none of its own.
const ROOT: &str = "istio-system";

/// The Sidecar resources of a mesh, by namespace.
#[derive(Debug, Default)]
pub(super) struct Scope {
    sidecars: HashMap<String, Vec<Sidecar>>,
}

#[derive(Debug)]
struct Sidecar {
    /// Whether it applies to only some pods of the namespace.
    is_selective: bool,
    /// The namespaces whose hosts are imported, as they are written.
    imports: Vec<String>,
}

impl Scope {
    pub(super) fn add(&mut self, namespace: &str, spec: &Spec) {
        // A Sidecar without egress listeners restricts nothing.
        let hosts = spec.egress.as_ref().filter(|hosts| !hosts.is_empty());
        let imports = hosts.map_or_else(
            || vec!["*".to_owned()],
            |hosts| {
                let namespace = |host: &String| host.split_once('/').map_or("*", |(part, _)| part).to_owned();
                hosts.iter().map(namespace).collect()
            },
        );
        let sidecar = Sidecar { is_selective: spec.has_selector, imports };
        self.sidecars.entry(namespace.to_owned()).or_default().push(sidecar);
    }

    /// Returns whether a sidecar in `namespace` may know any of `homes`: it may, unless every Sidecar that could apply
    /// to it excludes them, and one applies to all pods.
    pub(super) fn may_see(&self, namespace: &str, homes: &[&str]) -> bool {
        let Some(all) = self.sidecars.get(namespace).or_else(|| self.sidecars.get(ROOT)) else { return true };
        let imports = |from: &String| match from.as_str() {
            "*" => true,
            "." => homes.contains(&namespace),
            from => homes.contains(&from),
        };
        all.iter().all(|sidecar| sidecar.is_selective)
            || all.iter().any(|sidecar| sidecar.imports.iter().any(imports))
    }
}

/// Returns whether an object in `home` with these exports is visible in `namespace`.
pub(super) fn is_exported(exports: &[String], home: &str, namespace: &str) -> bool {
    exports.is_empty()
        || exports.iter().any(|to| match to.as_str() {
            "*" => true,
            "." => home == namespace,
            to => to == namespace,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(sidecars: &[(&str, bool, &[&str])]) -> Scope {
        let mut scope = Scope::default();
        for (namespace, selective, hosts) in sidecars {
            let egress = Some(hosts.iter().map(|host| (*host).to_owned()).collect());
            let spec = Spec { egress, has_selector: *selective, ..Spec::default() };
            scope.add(namespace, &spec);
        }
        scope
    }

    #[test]
    fn a_sidecar_that_imports_other_namespaces_alone_does_not_see_the_host() {
        for (sidecars, sees) in [
            (&[][..], true),
            (&[("far", false, &["./*", "istio-system/*"][..])][..], false),
            (&[("far", false, &["./*", "shop/*"])], true),
            (&[("far", false, &["*/provider.shop.svc.cluster.local"])], true),
            (&[("far", false, &[])], true),
            (&[("far", true, &["./*"])], true),
            (&[("far", true, &["./*"]), ("far", false, &["./*"])], false),
            (&[("far", true, &["shop/*"]), ("far", false, &["./*"])], true),
            (&[("istio-system", false, &["./*"])], false),
            (&[("istio-system", false, &["./*"]), ("far", false, &["*/*"])], true),
        ] {
            assert_eq!(scope(sidecars).may_see("far", &["shop"]), sees, "{sidecars:?}");
        }
        assert!(scope(&[("shop", false, &["./*"])]).may_see("shop", &["shop"]));
    }

    #[test]
    fn what_is_exported_to_its_own_namespace_is_not_seen_elsewhere() {
        let to = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        for (exports, seen) in
            [(&[][..], true), (&["*"], true), (&["."], false), (&["~"], false), (&[".", "far"], true)]
        {
            assert_eq!(is_exported(&to(exports), "shop", "far"), seen, "{exports:?}");
        }
        assert!(is_exported(&to(&["."]), "shop", "shop"));
    }
}

//! Whether requests can reach the pods at all, as Istio and Kubernetes resolve hosts, subsets, ports and selectors.
//! Looked at before anything is played: of what cannot be reached, no request is counted as answered.

use super::{diagnostics::Findings, given::Given, parts::Parts};
use rollout_core::{
    Finding,
    argo::{Document, Severity},
    backend::ObjectEditor,
    traffic::ObjectRef,
};
use rollout_istio::VirtualServiceRef;
use serde_json::{Map, Value};

/// The label that is ours to write.
const HASH: &str = "rollouts-pod-template-hash";

/// When the pods look so: in words behind a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Given,
    AfterUpdate,
    /// The objects as they are after the update, and the pods that serve until it is released.
    DuringRelease,
}

impl When {
    fn words(self) -> &'static str {
        match self {
            Self::Given => "",
            Self::AfterUpdate => " after the update",
            Self::DuringRelease => " until the release is over",
        }
    }
}

/// The labels of pods, as far as anybody knows them.
#[derive(Debug, Clone, Copy)]
struct Labels<'a> {
    template: &'a Map<String, Value>,
    /// What is set besides while a revision is the canary, or stable: the field, and the labels.
    by_role: [(&'static str, Option<&'a Map<String, Value>>); 2],
}

impl<'a> Labels<'a> {
    /// The value that pods have while their revision has each role.
    fn values(&self, label: &str) -> impl Iterator<Item = Option<&'a Value>> {
        let own = self.template.get(label);
        self.by_role.into_iter().map(move |(_, labels)| labels.and_then(|labels| labels.get(label)).or(own))
    }

    /// The field that sets a label, if one does.
    fn set_by(&self, label: &str) -> Option<&'static str> {
        let sets = |(_, labels): &(_, Option<&Map<String, Value>>)| {
            labels.is_some_and(|labels| labels.get(label).is_some())
        };
        self.by_role.into_iter().find(sets).map(|(field, _)| field)
    }
}

/// Notes what leads past the pods of this template of a Rollout. What nobody knows about the pods is not checked.
pub(crate) fn check(
    (template, rollout): (Option<&Value>, &Value),
    parts: &Parts,
    given: Given<'_>,
    when: When,
    findings: &mut Findings,
) {
    let none = Map::new();
    let by_role = ["canaryMetadata", "stableMetadata"].map(|field| {
        let labels = rollout.pointer(&format!("/spec/strategy/canary/{field}/labels"));
        (field, labels.and_then(Value::as_object))
    });
    let labels = template.map(|template| Labels {
        template: template.pointer("/metadata/labels").and_then(Value::as_object).unwrap_or(&none),
        by_role,
    });
    for name in parts.services.objects() {
        if let Some(service) = given.get(&name) {
            behind_service(service, &name, labels, when, findings);
        }
    }
    let Some(istio) = &parts.istio else { return };
    let config = istio.config();
    let namespace = &*config.namespace;
    let rule = config.destination_rule.as_ref().and_then(|rule| {
        let name = istio.objects().into_iter().find(|name| &*name.kind == "DestinationRule")?;
        Some((rule, given.get(&name)?))
    });
    let mut ours = Vec::new();
    if let Some((rule, document)) = rule {
        let subsets = [(&*rule.subsets.stable, true), (&*rule.subsets.canary, when == When::AfterUpdate)];
        for subset in subsets.into_iter().filter(|(_, is_used)| *is_used).map(|(subset, _)| subset) {
            in_subset(document, subset, labels, when, findings);
        }
        let host = document.value().pointer("/spec/host").and_then(Value::as_str).unwrap_or_default();
        ours.push(Ours {
            host: Host::of(namespace, host),
            name: host,
            rule: Some((&rule.name, [&rule.subsets.stable, &rule.subsets.canary])),
        });
        if let Some(service) = Host::of(namespace, host).service().and_then(|name| given.get(&name)) {
            behind_service(
                service,
                &Host::of(namespace, host).service().unwrap_or_else(|| service_of(namespace, host)),
                labels,
                when,
                findings,
            );
        }
    }
    let services = [&config.services.stable, &config.services.canary];
    for name in services.into_iter().flatten() {
        ours.push(Ours { host: Host::of(namespace, name), name, rule: None });
    }
    for entry in &config.virtual_services {
        let first = entry.object(namespace);
        let name = match istio.otherwise(&first) {
            Some(other) if given.get(&first).is_none() => other,
            _ => first,
        };
        let Some(document) = given.get(&name) else { continue };
        routes(document, &name, entry, &ours, given, findings);
    }
}

/// A host that is one of the Rollout's own destinations.
struct Ours<'a> {
    host: Host<'a>,
    name: &'a str,
    /// The DestinationRule of its subsets, and these.
    rule: Option<(&'a str, [&'a str; 2])>,
}

/// A host as Istio resolves it: without a dot in the namespace of the object that names it, else as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host<'a> {
    Service {
        namespace: &'a str,
        name: &'a str,
    },
    /// With dots, and no full name of a Service.
    Short {
        name: &'a str,
        namespace: &'a str,
    },
    Elsewhere(&'a str),
}

impl<'a> Host<'a> {
    fn of(namespace: &'a str, host: &'a str) -> Self {
        let mut labels = host.split('.');
        let (name, of, svc) = (labels.next().unwrap_or_default(), labels.next(), labels.next());
        match (of, svc) {
            (None, _) => Self::Service { namespace, name },
            (Some(namespace), Some("svc")) if labels.next().is_some() => Self::Service { namespace, name },
            (Some(namespace), None | Some("svc")) => Self::Short { name, namespace },
            _ => Self::Elsewhere(host),
        }
    }

    fn service(&self) -> Option<ObjectRef> {
        match self {
            Self::Service { namespace, name } => Some(service_of(namespace, name)),
            Self::Short { .. } | Self::Elsewhere(_) => None,
        }
    }

    fn name(&self) -> &'a str {
        match self {
            Self::Service { name, .. } | Self::Short { name, .. } | Self::Elsewhere(name) => name,
        }
    }
}

fn service_of(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new("", "Service", namespace, name)
}

/// A Service must lead to these pods.
fn behind_service(
    service: &Document,
    name: &ObjectRef,
    labels: Option<Labels<'_>>,
    when: When,
    findings: &mut Findings,
) {
    let spec = |field: &str| service.value().pointer(&format!("/spec/{field}"));
    if spec("type").and_then(Value::as_str) == Some("ExternalName") {
        let to = spec("externalName").and_then(Value::as_str).unwrap_or("another host");
        let what =
            format!("the Service {:?} leads to {to:?}, never to a pod: its type is ExternalName", name.name);
        let instead = "leave `type` out, and write a selector of the pods' labels";
        return once(service.finding(Severity::Error, "spec.type", &what, instead), findings);
    }
    let selector = spec("selector").and_then(Value::as_object);
    for (label, value) in selector.into_iter().flatten() {
        if let Some(mut found) = unmatched(
            service,
            ("spec.selector", label, value),
            labels,
            &format!("the Service {:?}", name.name),
            when,
        ) {
            let reference = format!("Service {:?} has unmatch label {label:?} in rollout", &*name.name);
            if let Some(located) = &mut found.located {
                located.reference = reference;
            }
            once(found, findings);
        }
    }
}

/// A subset must hold these pods.
fn in_subset(rule: &Document, subset: &str, labels: Option<Labels<'_>>, when: When, findings: &mut Findings) {
    let subsets = rule.value().pointer("/spec/subsets").and_then(Value::as_array);
    for (index, found) in subsets.into_iter().flatten().enumerate() {
        if found.get("name").and_then(Value::as_str) != Some(subset) {
            continue;
        }
        let path = format!("spec.subsets[{index}].labels");
        for (label, value) in found.get("labels").and_then(Value::as_object).into_iter().flatten() {
            if let Some(found) =
                unmatched(rule, (&path, label, value), labels, &format!("the subset {subset:?}"), when)
            {
                once(found, findings);
            }
        }
    }
}

/// What leads past the pods as they are given is not said of those after the update again.
fn once(found: Finding, findings: &mut Findings) {
    if !findings.marks(&found) {
        findings.located(found);
    }
}

fn unmatched(
    object: &Document,
    (path, label, value): (&str, &str, &Value),
    labels: Option<Labels<'_>>,
    who: &str,
    when: When,
) -> Option<Finding> {
    let labels = labels?;
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let path = if plain { format!("{path}.{label}") } else { format!("{path}[{label}]") };
    if let Some(field) = labels.set_by(label)
        && labels.values(label).any(|of_role| of_role == Some(value))
    {
        let value = value.as_str().unwrap_or("?");
        let what = format!(
            "{who} selects {label}={value}, and `{field}` sets that label: pods come to it and leave it when the label \
             is written, and no weight waits for that"
        );
        let instead =
            format!("take `{label}` out of it: the engine tells revisions apart by a label of its own");
        return (when == When::Given).then(|| object.finding(Severity::Warning, &path, &what, &instead));
    }
    if label == HASH || labels.template.get(label) == Some(value) {
        return None;
    }
    let value = value.as_str().unwrap_or("?");
    let have = match labels.template.get(label).and_then(Value::as_str) {
        Some(other) => format!("the pods have {label}={other}"),
        None => "the pods have no such label".to_owned(),
    };
    let what = format!("{who} selects {label}={value}, but {have}{}: it leads to none of them", when.words());
    let instead = match when {
        When::Given | When::AfterUpdate => {
            format!("take `{label}` out of it, or write what the template's labels say")
        }
        When::DuringRelease => format!("take `{label}` out of it: old and new pods must both match it"),
    };
    Some(object.finding(Severity::Error, &path, &what, &instead))
}

/// The destinations of the weighed routes must be those of the Rollout.
fn routes(
    document: &Document,
    name: &ObjectRef,
    entry: &VirtualServiceRef,
    ours: &[Ours<'_>],
    given: Given<'_>,
    findings: &mut Findings,
) {
    for protocol in ["http", "tls", "tcp"] {
        let rules = document.value().pointer(&format!("/spec/{protocol}")).and_then(Value::as_array);
        for (index, rule) in rules.into_iter().flatten().enumerate() {
            let named = rule.get("name").and_then(Value::as_str);
            let is_meant = protocol != "http"
                || entry.routes.is_empty()
                || entry.routes.iter().any(|route| Some(&**route) == named);
            let routes = rule.get("route").and_then(Value::as_array).filter(|_| is_meant);
            for (place, route) in routes.into_iter().flatten().enumerate() {
                let path = format!("spec.{protocol}[{index}].route[{place}].destination");
                if let Some(to) = route.get("destination") {
                    destination(document, (name, &path, to), ours, given, findings);
                }
            }
        }
    }
}

fn destination(
    document: &Document,
    (object, path, to): (&ObjectRef, &str, &Value),
    ours: &[Ours<'_>],
    given: Given<'_>,
    findings: &mut Findings,
) {
    let text = |field: &str| to.get(field).and_then(Value::as_str);
    let (Some(written), subset) = (text("host"), text("subset").filter(|subset| !subset.is_empty())) else {
        return;
    };
    let host = Host::of(&object.namespace, written);
    let is_ours = |one: &&Ours<'_>| match (&one.rule, subset) {
        (Some((_, subsets)), Some(subset)) => subsets.contains(&subset),
        (Some(_), None) => false,
        (None, _) => one.host.name() == host.name(),
    };
    let Some(meant) = ours.iter().find(is_ours) else { return };
    let mut say = |severity, field: &str, what: &str, instead: &str| {
        findings.located(document.finding(severity, &format!("{path}.{field}"), what, instead));
    };
    let Host::Service { namespace, name } = &meant.host else { return };
    let full = format!("{name}.{namespace}.svc.cluster.local");
    let right = if *object.namespace == **namespace { (*name).to_owned() } else { full.clone() };
    if host != meant.host {
        let instead = format!("write `host: {right}`");
        if let Host::Short { name: short, namespace: of } = &host
            && (short, of) == (name, namespace)
        {
            let what = format!(
                "{written:?} is neither a short name nor a full one: Istio takes a host with a dot as it stands"
            );
            return say(Severity::Warning, "host", &what, &format!("write `host: {full}`"));
        }
        let what = match (&meant.rule, subset) {
            (Some((rule, _)), Some(subset)) => {
                format!(
                    "the host {written:?} has no subset {subset:?}: the DestinationRule {rule:?} is of the host {:?}",
                    meant.name
                )
            }
            _ => match &host {
                Host::Service { namespace: there, .. } => format!(
                    "the host {written:?} is in namespace {there}, and the Service of the Rollout in {namespace}"
                ),
                Host::Short { .. } | Host::Elsewhere(_) => {
                    format!("the host {written:?} is not the Service of the Rollout, {full}")
                }
            },
        };
        return say(Severity::Error, "host", &what, &instead);
    }
    let service = host.service().and_then(|name| given.get(&name));
    let ports = service.and_then(|service| service.value().pointer("/spec/ports")).and_then(Value::as_array);
    let numbers: Vec<u64> =
        ports.into_iter().flatten().filter_map(|port| port.get("port")?.as_u64()).collect();
    let wanted = to.pointer("/port/number").and_then(Value::as_u64);
    if let Some(wanted) = wanted.filter(|wanted| !numbers.is_empty() && !numbers.contains(wanted)) {
        let there: Vec<String> = numbers.iter().take(8).map(ToString::to_string).collect();
        let what = format!("the Service {name:?} has no port {wanted}");
        say(
            Severity::Error,
            "port.number",
            &what,
            &format!("write a port that it has: {}", there.join(", ")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_as_istio_resolves_them() {
        let shop = |name| Host::Service { namespace: "shop", name };
        for (host, is) in [
            ("web", shop("web")),
            ("web.shop.svc.cluster.local", shop("web")),
            ("web.other.svc.cluster.local", Host::Service { namespace: "other", name: "web" }),
            ("web.shop", Host::Short { name: "web", namespace: "shop" }),
            ("web.shop.svc", Host::Short { name: "web", namespace: "shop" }),
            ("shop.example.com", Host::Elsewhere("shop.example.com")),
        ] {
            assert_eq!(Host::of("shop", host), is, "{host}");
        }
    }
}

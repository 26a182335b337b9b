use super::{Decision, Findings, Law, Ledger};
use crate::{
    sim::{Content, Moment, What},
    testing::reading::Asked,
    traffic::{Destination, ManagedChange, Selection},
};
use alloc::{format, string::ToString};

/// A managed route leads to the revision whose position asks for it, or to stable, never to another: at every proxy,
/// and in every plan.
#[derive(Debug, Default)]
pub(super) struct HeaderStaysRight {
    ledger: Ledger,
}

impl Law for HeaderStaysRight {
    fn name(&self) -> &'static str {
        "header_stays_right"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        self.ledger.see(moment);
        if let Some(decision) = Decision::of(moment) {
            written(&decision, findings);
            repointed(&decision, findings);
        } else if let What::DeliveredObject { proxy, object, from } = moment.what {
            self.met(moment, (proxy, object, from), findings);
        }
    }
}

/// Checks that an added route is asked for and that the canary destination leads to the revision that asks.
fn written(decision: &Decision<'_>, findings: &mut Findings) {
    if !decision.adds_managed() {
        return;
    }
    findings.premise();
    let status = &decision.plan.status;
    let asked = Asked::routed(decision.spec, status).managed;
    let Some(ManagedChange::To(wanted)) = decision.route().map(|routes| &routes.managed) else { return };
    if let Some(route) = wanted.iter().find(|route| !asked.contains(route)) {
        findings.broken(|| format!("the managed route {} is written, and no step asks for it", route.name));
    }
    if decision.leads_to(Destination::Canary) != status.canary.as_ref() {
        findings.broken(|| {
            "a managed route is added, and canary does not lead to the revision under way".to_string()
        });
    }
}

/// Checks that no destination with a managed route of another revision is pointed elsewhere.
fn repointed(decision: &Decision<'_>, findings: &mut Findings) {
    let Some(Selection::Revision(to)) = decision.select().and_then(|to| to.canary.as_ref()) else { return };
    if decision.plan.status.stable.as_ref() == Some(to) || decision.leads_to(Destination::Canary) == Some(to)
    {
        return;
    }
    for object in decision.routes().iter().filter(|object| !object.managed.is_empty()) {
        findings.premise();
        if object.written_for.as_ref().is_some_and(|of| of != to) {
            findings
                .broken(|| format!("canary is pointed at {to} under the managed routes of another revision"));
        }
    }
}

impl HeaderStaysRight {
    fn met(&self, moment: &Moment<'_>, delivered: (usize, usize, u64), findings: &mut Findings) {
        let (proxy, object, from) = delivered;
        let Some(proxy) = moment.truth.proxies.get(proxy) else { return };
        let to = proxy.objects.get(object).map_or(0, |(to, _)| *to);
        let mut leads = None;
        for (_, content) in &proxy.objects {
            if let Content::Selectors { canary: Some(Selection::Revision(revision)), .. } = content {
                leads = Some(revision);
            }
        }
        let Some(leads) = leads else { return };
        for (_, content) in &proxy.objects {
            let Content::Routes { routes, .. } = content else { continue };
            let headers =
                routes.managed.iter().filter_map(|seen| seen.route.as_ref()).any(|route| !route.is_mirror());
            if !headers {
                continue;
            }
            findings.premise();
            let right = routes.written_for.as_ref().is_none_or(|of| of == leads)
                || moment.truth.status.stable.as_ref() == Some(leads);
            let ours = self.ledger.blames((object, from, to), Some(leads), false);
            if !right && ours {
                findings.broken(|| {
                    let of = routes.written_for.as_ref().map_or("nobody", |of| of.as_str());
                    format!("at {}, the header route of {of} leads to {leads}", proxy.name)
                });
            }
        }
    }
}

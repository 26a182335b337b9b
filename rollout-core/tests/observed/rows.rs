//! Each field, with a situation in which it matters.

use crate::situation::{
    NOW, Situation, behind, by_header, by_ratio, falls, gone, lane, pods, rises, scaling_down, unavailable,
};
use core::time::Duration;
use rollout_core::{
    Range,
    traffic::{ManagedSeen, RoutesSeen, Seen, Selection, Settled, Version},
};

/// One field: where it matters, how it is left out, and what happens before the last reading.
pub(crate) struct Row {
    pub(crate) of: &'static str,
    pub(crate) field: &'static str,
    pub(crate) there: Situation,
    pub(crate) leave_out: fn(&mut Situation),
    pub(crate) between: fn(&mut Situation),
}

pub(crate) fn row(
    of: &'static str,
    field: &'static str,
    there: Situation,
    leave_out: fn(&mut Situation),
) -> Row {
    Row { of, field, there, leave_out, between: |_| {} }
}

pub(crate) fn of_observed() -> Vec<Row> {
    let unpinned = falls().with(|it| {
        it.seen().behind.stable = vec![Selection::Unpinned];
        it.observed.user_selector = Some(Range::exact(6));
    });
    vec![
        row("Observed", "revisions", rises(), |it| it.observed.revisions = None),
        row("Observed", "user_selector", unpinned, |it| it.observed.user_selector = None),
        row("Observed", "traffic", rises(), |it| it.observed.traffic = None),
        row("Observed", "proceed", behind(), |it| it.observed.proceed = None),
        row("Observed", "gone", gone(), |it| it.observed.gone = None),
    ]
}

pub(crate) fn of_revisions() -> Vec<Row> {
    let old = scaling_down().with(|it| {
        it.spec.revision_history_limit = 1;
        it.observed.revisions = Some(vec![pods("v2", 4, 4), pods("a", 1, 0), pods("z", 3, 0)]);
    });
    let unnumbered = |it: &mut Situation| (0..3).for_each(|at| it.revision(at).number = 0);
    let replaced = rises().with(|it| {
        it.seen().endpoints[1].1 = Settled::UNKNOWN;
        it.revision(1).changes = 1;
    });
    let is_replaced = |it: &mut Situation| it.revision(1).changes *= 2;
    vec![
        row("RevisionSeen", "number", old, unnumbered),
        row("RevisionSeen", "wanted", rises(), |it| it.revision(1).wanted = 0),
        row("RevisionSeen", "ready", rises(), |it| it.revision(1).ready = Range::UNKNOWN),
        row("RevisionSeen", "available", by_ratio(), |it| it.revision(1).available = Range::UNKNOWN),
        row(
            "RevisionSeen",
            "scale_down_deadline",
            rises().with(|it| it.revision(1).scale_down_deadline = Some(NOW)),
            |it| {
                it.revision(1).scale_down_deadline = None;
            },
        ),
        row("RevisionSeen", "live", unavailable(), |it| it.revision(0).live = None),
        Row {
            between: is_replaced,
            ..row("RevisionSeen", "changes", replaced, |it| it.revision(1).changes = 0)
        },
    ]
}

pub(crate) fn of_traffic() -> Vec<Row> {
    let over = || {
        scaling_down().with(|it| {
            it.revision(0).scale_down_deadline = None;
            it.revision(1).ready = Range::exact(2);
            it.seen().behind.stable = vec![Selection::Revision("v1".into())];
            it.seen().routes = vec![RoutesSeen::new(Range::exact(100))];
        })
    };
    let elsewhere = || rises().with(|it| it.seen().behind.canary = vec![Selection::Revision("v1".into())]);
    let asked = elsewhere().with(|it| {
        it.revision(1).ready = Range::exact(0);
        it.seen().used_elsewhere.canary = true;
    });
    let selectors = rises().with(|it| {
        it.seen().selectors_settled = Settled::UNKNOWN;
        it.seen().selectors_content = 1;
    });
    let routes = scaling_down().with(|it| {
        it.spec.strategy = rises().spec.strategy;
        it.revision(0).scale_down_deadline = None;
        it.seen().routes_settled = Settled::UNKNOWN;
        it.seen().routes_content = 1;
    });
    vec![
        row("Seen", "version", behind(), |it| it.seen().version = Version::NONE),
        row(
            "Seen",
            "behind.stable",
            scaling_down().with(|it| it.seen().behind.stable = vec![Selection::Revision("v1".into())]),
            |it| {
                it.seen().behind.stable.clear();
            },
        ),
        row("Seen", "behind.canary", elsewhere(), |it| it.seen().behind.canary.clear()),
        row("Seen", "routes", rises(), |it| it.seen().routes.clear()),
        row(
            "Seen",
            "used_elsewhere.stable",
            over().with(|it| it.seen().used_elsewhere.stable = true),
            |it| {
                it.seen().used_elsewhere.stable = false;
            },
        ),
        row("Seen", "used_elsewhere.canary", asked, |it| it.seen().used_elsewhere.canary = false),
        Row {
            between: |it| it.seen().routes_content *= 2,
            ..row("Seen", "routes_content", routes, |it| it.seen().routes_content = 0)
        },
        Row {
            between: |it| it.seen().selectors_content *= 2,
            ..row("Seen", "selectors_content", selectors, |it| it.seen().selectors_content = 0)
        },
        row("Seen", "routes_settled", scaling_down(), |it| {
            it.seen().routes_settled = Seen::new().routes_settled;
        }),
        row("Seen", "selectors_settled", scaling_down(), |it| {
            it.seen().selectors_settled = Seen::new().selectors_settled;
        }),
        row(
            "Seen",
            "proxies_known_in",
            scaling_down().with(|it| it.seen().proxies_known_in = Duration::from_secs(30)),
            |it| {
                it.seen().proxies_known_in = Duration::ZERO;
            },
        ),
        Row {
            // A pod has just come or gone.
            between: |it| it.revision(1).changes += 1,
            ..row("Seen", "endpoints", rises(), |it| it.seen().endpoints.clear())
        },
    ]
}

pub(crate) fn of_routes() -> Vec<Row> {
    let lane_left = falls().with(|it| it.seen().routes[0].managed = vec![ManagedSeen::new(lane())]);
    let disordered = by_header().with(|it| it.seen().routes[0].in_order = false);
    let tcp = by_header().with(|it| {
        it.seen().routes[0].managed.clear();
        it.seen().routes[0].takes_managed = false;
    });
    let others = rises().with(|it| {
        it.seen().routes = vec![RoutesSeen::new(Range::exact(50))];
        it.seen().behind.canary = vec![Selection::Unpinned];
        it.seen().routes[0].written_for = Some("v0".into());
    });
    vec![
        row("RoutesSeen", "weight", unavailable(), |it| it.seen().routes[0].weight = Range::UNKNOWN),
        row("RoutesSeen", "managed", lane_left, |it| it.seen().routes[0].managed.clear()),
        row("RoutesSeen", "in_order", disordered, |it| it.seen().routes[0].in_order = true),
        row("RoutesSeen", "takes_managed", tcp, |it| it.seen().routes[0].takes_managed = true),
        row("RoutesSeen", "written_for", others, |it| it.seen().routes[0].written_for = None),
        row("ManagedSeen", "route", by_header(), |it| it.seen().routes[0].managed[0].route = None),
    ]
}

pub(crate) fn rows() -> Vec<Row> {
    [of_observed(), of_revisions(), of_traffic(), of_routes()].into_iter().flatten().collect()
}

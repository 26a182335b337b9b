//! Violations, planted in a history that obeys every law: each is found by the law that it is about.

use super::foreign::touched;
use crate::recorded::{History, judge};
use rollout_core::{
    AbortReason, Aborted, Action, Range,
    testing::{
        Record,
        laws::{self, Laws},
    },
    traffic::{Weight, WeightChange},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Puts a violation into a history.
type Plant = fn(&mut History);

/// Each planted violation breaks its law; the history without them breaks none.
pub(crate) fn all_are_found(history: &History) {
    let plants: [(&str, Plant); 8] = [
        ("no_unserved_write", no_endpoints_for_the_canary),
        ("deadline_excludes_traffic", no_mark_before_zero),
        ("weights_sum", more_than_all),
        ("one_layer", both_layers),
        ("pods_go_alone", pods_go_with_traffic),
        ("aborted_never_rises", aborted_and_rises),
        ("monotone_steps", passed_too_early),
        ("eventually_stable", weight_is_left),
    ];
    for (law, plant) in plants {
        assert_eq!(broken(history, law), None, "{law}: nothing was planted yet");
        let mut planted = history.clone();
        plant(&mut planted);
        let how = broken(&planted, law);
        println!("{law}: {how:?}");
        assert!(how.is_some(), "{law} does not see what was planted");
    }
    let (compared, wrong) = touched(history);
    assert!(compared > 0 && wrong.is_empty(), "{compared} compared: {wrong:?}");
    let mut planted = history.clone();
    another_host(&mut planted);
    assert_ne!(touched(&planted).1, Vec::<String>::new(), "foreign_untouched does not see what was planted");
}

/// How a law is broken.
fn broken(history: &History, law: &str) -> Option<String> {
    let only = laws::all().into_iter().filter(|one| one.name() == law);
    let verdict = judge(history, Laws::new(only)).unwrap();
    verdict.recorded.laws().violation().map(|violation| violation.how.clone())
}

fn each_record(history: &mut History, mut change: impl FnMut(&mut Record)) {
    for records in history.decisions.values_mut() {
        for (_, record) in records {
            change(record);
        }
    }
}

/// The new pods never come to be endpoints, as any proxy has it.
fn no_endpoints_for_the_canary(history: &mut History) {
    let old = history.seen.iter().find(|seen| seen.kind == "ReplicaSet").unwrap().name.clone();
    let slices = history.seen.iter_mut().filter(|seen| seen.kind == "EndpointSlice");
    for slice in slices {
        for endpoint in Arc::make_mut(&mut slice.value)
            .get_mut("endpoints")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let pod = endpoint.pointer("/targetRef/name").and_then(Value::as_str).unwrap_or_default();
            if !pod.starts_with(&old) {
                endpoint["conditions"]["ready"] = json!(false);
            }
        }
    }
}

/// What goes to 0 pods was not seen to have a scale-down deadline.
fn no_mark_before_zero(history: &mut History) {
    each_record(history, |record| {
        let zeroes = record.plan.actions.iter().any(|action| matches!(action, Action::Scale { pods: 0, .. }));
        for seen in record.observed.revisions.iter_mut().flatten().filter(|_| zeroes) {
            seen.scale_down_deadline = None;
        }
    });
}

/// A weight is written out of another total.
fn more_than_all(history: &mut History) {
    each_record(history, |record| {
        for action in &mut record.plan.actions {
            if let Action::Route(routes) = action
                && routes.weight == WeightChange::To(Weight::new(5, 100))
            {
                routes.weight = WeightChange::To(Weight::new(5, 4));
            }
        }
    });
}

/// One plan writes selectors and routes.
fn both_layers(history: &mut History) {
    let mut select = None;
    each_record(history, |record| {
        let found = record.plan.actions.iter().find(|action| matches!(action, Action::Select(_))).cloned();
        select = select.take().or(found);
    });
    let Some(select) = select else { return };
    each_record(history, |record| {
        if record.plan.actions.iter().any(|action| matches!(action, Action::Route(_))) {
            record.plan.actions.push(select.clone());
        }
    });
}

/// Old pods go in a plan that writes traffic.
fn pods_go_with_traffic(history: &mut History) {
    each_record(history, |record| {
        let is_route = |action: &Action| matches!(action, Action::Route(_));
        let least = record.observed.revisions.iter().flatten().find(|seen| seen.wanted > 0).cloned();
        if let Some(seen) = least.filter(|_| record.plan.actions.iter().any(is_route)) {
            let fewer = Action::Scale {
                revision: seen.revision,
                pods: seen.wanted - 1,
                scale_down_deadline: seen.scale_down_deadline,
            };
            record.plan.actions.push(fewer);
        }
    });
}

/// The update had been given up when it was given its weights.
fn aborted_and_rises(history: &mut History) {
    each_record(history, |record| {
        record.plan.status.aborted = Some(Aborted::new(record.now, AbortReason::Command).into());
    });
}

/// A step is passed at another weight than it asks for.
fn passed_too_early(history: &mut History) {
    each_record(history, |record| {
        for routes in record.observed.traffic.iter_mut().flat_map(|seen| &mut seen.routes) {
            routes.weight = Range::exact(1);
        }
    });
}

/// The last write of routes also changes for which host they are.
fn another_host(history: &mut History) {
    let last = history.seen.iter_mut().rfind(|seen| seen.kind == "VirtualService").unwrap();
    Arc::make_mut(&mut last.value)["spec"]["hosts"] = json!(["somebody-elses"]);
}

/// The canary keeps a weight in the end.
fn weight_is_left(history: &mut History) {
    let last = history.seen.iter_mut().rfind(|seen| seen.kind == "VirtualService").unwrap();
    let route = &mut Arc::make_mut(&mut last.value)["spec"]["http"][0]["route"];
    (route[0]["weight"], route[1]["weight"]) = (json!(50), json!(50));
}

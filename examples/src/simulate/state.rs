//! How everything stands, from the world's truth.

use super::happening::{Pods, State, Traffic};
use rollout_core::{
    Range,
    sim::{Content, Truth},
    traffic::Selection,
};

/// How everything stands now.
pub(crate) fn of(truth: &Truth) -> State {
    let steps = u32::try_from(truth.spec.strategy.steps().len()).unwrap_or(u32::MAX);
    let first = truth.status.stable.is_none();
    let pods = truth.workloads.iter().map(|workload| Pods {
        revision: workload.revision.clone(),
        wanted: workload.wanted,
        ready: workload.counted(),
        scale_down_deadline: workload.scale_down_deadline,
    });
    State {
        step: if first { steps } else { truth.status.step },
        steps,
        done: truth.status.is_done() && truth.status.stable.as_ref() == Some(&truth.spec.target),
        traffic: truth.spec.strategy.routing().map(|_| traffic(truth)),
        pods: pods.collect(),
    }
}

fn traffic(truth: &Truth) -> Traffic {
    let mut weight: Option<Range> = None;
    let mut traffic = Traffic {
        canary: Range::exact(0),
        of: truth.spec.strategy.max_weight(),
        managed: Vec::new(),
        behind_stable: Vec::new(),
        behind_canary: Vec::new(),
    };
    let add = |list: &mut Vec<Selection>, selection: &Option<Selection>| {
        if let Some(selection) = selection.as_ref().filter(|selection| !list.contains(selection)) {
            list.push(selection.clone());
        }
    };
    for object in &truth.traffic {
        match &object.content {
            Content::Routes { routes, .. } => {
                weight = Some(weight.map_or(routes.weight, |weight| weight.union(routes.weight)));
                for managed in &routes.managed {
                    if !traffic.managed.contains(&managed.name) {
                        traffic.managed.push(managed.name.clone());
                    }
                }
            }
            Content::Selectors { stable, canary } => {
                add(&mut traffic.behind_stable, stable);
                add(&mut traffic.behind_canary, canary);
            }
            _ => {}
        }
    }
    traffic.canary = weight.unwrap_or(traffic.canary);
    traffic
}

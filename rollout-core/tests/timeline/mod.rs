//! Prints what happens in a world, line by line.

#![expect(clippy::wildcard_enum_match_arm, reason = "the rest is printed as it is")]

use rollout_core::{
    Time,
    sim::{Content, Moment, Watcher, What},
};
use std::fmt::Write;

#[derive(Debug)]
pub(crate) struct Timeline {
    zero: Time,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { zero: Time::from_secs(1_767_225_600) }
    }

    pub(crate) fn restart(&mut self, zero: Time) {
        self.zero = zero;
        println!("--- time 0");
    }
}

impl Watcher for Timeline {
    fn see(&mut self, moment: &Moment<'_>) {
        let at = moment.truth.now.since(self.zero).as_millis();
        let (minutes, seconds, millis) = (at / 60_000, at / 1_000 % 60, at % 1_000);
        let at = format!("{minutes:>3}:{seconds:02}.{millis:03}");
        match moment.what {
            What::Decided { process, plan, stored, observed, .. } => {
                println!("{at} p{process} decides: step {} {}", plan.status.step, brief(moment));
                if plan.status != *stored {
                    println!("             status {:?}", plan.status);
                }
                for action in &plan.actions {
                    println!("             action {action:?}");
                }
                for waiting in &plan.waiting {
                    println!("             waits: {waiting}");
                }
                if let Some(wake) = plan.wake {
                    println!("             wake {} {}", wake.at, wake.why);
                }
                if let Some(traffic) = &observed.traffic {
                    println!(
                        "             settled: routes {:?} selectors {:?} endpoints {:?}",
                        traffic.routes_settled, traffic.selectors_settled, traffic.endpoints
                    );
                }
            }
            What::Acted { by, action, took_effect, answer } => {
                let late = if by.late { " LATE" } else { "" };
                println!("{at} p{}{late} {action:?} → {took_effect} {answer:?}", by.process);
            }
            What::Stored { by } => println!("{at} p{} stored", by.process),
            What::Fenced { by, answer } => println!("{at} p{} fenced {answer:?}", by.process),
            What::Published { events, .. } => {
                for event in events {
                    println!("{at} * {event}");
                }
            }
            What::DeliveredObject { proxy, object, .. } => println!("{at} proxy {proxy} has object {object}"),
            What::DeliveredEndpoints { proxy, revision } => {
                println!("{at} proxy {proxy} has endpoints of {revision}");
            }
            other => println!("{at} {other:?}"),
        }
    }
}

fn brief(moment: &Moment<'_>) -> String {
    let mut text = String::new();
    for workload in &moment.truth.workloads {
        let _ = write!(text, "{} {}/{} ", workload.revision, workload.ready(), workload.wanted);
    }
    for object in &moment.truth.traffic {
        match &object.content {
            Content::Routes { routes, .. } => {
                let _ = write!(text, "canary {} managed {} ", routes.weight, routes.managed.len());
            }
            Content::Selectors { stable, canary } => {
                let _ = write!(text, "stable {stable:?} canary {canary:?} ");
            }
            _ => {}
        }
    }
    text
}

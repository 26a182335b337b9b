//! What is shown with plain values holds for real objects: the same history, once over each, leads to the
//! same decisions. `ONLY=123` plays one of them and prints what happened over each.
#![expect(clippy::expect_used, reason = "a test may stop where it stands")]

mod support;

use rollout_core::{
    sim::{CoreMesh, Moment, What},
    testing::{
        history::{Histories, play_over},
        laws::{Findings, Law, Laws},
    },
    traffic::Version,
};
use std::{
    env,
    sync::{Arc, Mutex},
};
use support::played::Played;

/// How many are drawn; those without routing have no objects and are left out.
const HISTORIES: u64 = 1_000;

/// Writes down every decision: when, on which status and which traffic, and what was decided.
#[derive(Debug, Clone, Default)]
struct Decisions(Arc<Mutex<Vec<String>>>);

impl Law for Decisions {
    fn name(&self) -> &'static str {
        "decisions"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let What::Decided { process, stored, observed, plan, now, .. } = moment.what else { return };
        findings.premise();
        let mut traffic = observed.traffic.clone();
        if let Some(seen) = &mut traffic {
            // How objects are versioned, and the order of nonces, is each mesh's own.
            (seen.version, seen.routes_content, seen.selectors_content) = (Version::NONE, 0, 0);
            seen.nonces.clear();
        }
        let line = format!(
            "{now} {process} {stored:?} {traffic:?} → {:?} {:?} {:?}",
            plan.status, plan.actions, plan.wake
        );
        self.0.lock().expect("nobody panics").push(line);
    }
}

#[test]
fn plain_values_and_real_objects_lead_to_the_same_decisions() {
    let drawn = Histories::new();
    let only = env::var("ONLY").ok().map(|text| text.parse::<u64>().expect("a number"));
    let (mut compared, mut decisions, mut different) = (0, 0, Vec::new());
    for number in only.map_or(0..HISTORIES, |only| only..only + 1) {
        let mut history = drawn.draw(number).expect("every number has a history");
        // A foreign destination keeps its own total.
        history.recipe.max_weight = 100;
        if !history.recipe.routed {
            continue;
        }
        let (plain, real) = (Decisions::default(), Decisions::default());
        let core = CoreMesh::like(&mut Played::new(&history).mesh());
        let laws = |decisions: &Decisions| {
            let laws = Laws::new([Box::new(decisions.clone()) as Box<dyn Law>]);
            if only.is_some() { laws.recording() } else { laws }
        };
        let both = [
            play_over(&history, core, laws(&plain)),
            play_over(&history, Played::new(&history).mesh(), laws(&real)),
        ];
        for (mesh, timeline) in ["plain", "real"].iter().zip(both.iter().filter_map(Laws::timeline)) {
            println!("===== {mesh}\n{timeline}");
        }
        let (plain, real) = (plain.0.lock().expect("nobody panics"), real.0.lock().expect("nobody panics"));
        compared += 1;
        decisions += plain.len();
        let first = plain.iter().zip(real.iter()).find(|(plain, real)| plain != real);
        if let Some((plain, real)) = first.filter(|_| different.len() < 3) {
            println!("{number} differs:\n  plain {plain}\n  real  {real}");
        }
        if *plain != *real {
            different.push(number);
        }
    }
    println!("{compared} histories, {decisions} decisions, different: {different:?}");
    assert!(different.is_empty(), "{different:?}");
    assert!(compared > 100 || only.is_some());
}

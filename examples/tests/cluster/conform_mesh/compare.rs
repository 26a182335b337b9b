//! One sequence, played on both meshes.

use super::{
    played::PlayedMesh,
    real::Real,
    sequence::{Sequence, Step},
    view::Answers,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// How often each happened.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// What istiod says in two ways after a step.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) step: usize,
    pub(super) played: Value,
    pub(super) real: Value,
}

/// Compares until there is a difference.
pub(super) async fn compare(real: &mut Real, sequence: &Sequence, counts: &mut Counts) -> Option<Difference> {
    let mut objects = real.begin().await;
    let mut played = PlayedMesh::start(objects.first());
    let mut before = (played.answers(), real.answers().await);
    for (place, step) in sequence.steps.iter().enumerate() {
        let changes = match step {
            Step::Changes(changes) | Step::Restart(changes) => changes.as_slice(),
            Step::Stop(_) | Step::GoOn(_) => &[],
        };
        let writes: Vec<_> = changes.iter().flat_map(|change| objects.change(change)).collect();
        played.step(step, writes.clone());
        real.step(step, writes).await;
        if matches!(step, Step::Restart(_)) {
            before = (Answers::none(), Answers::none());
        }
        let ours = played.answers();
        let wanted = ours.since(&before.0, played.stored());
        let (theirs, said) = real.until(&before.1, |said| *said == wanted).await;
        if said != wanted {
            return Some(Difference { step: place, played: wanted, real: said });
        }
        if matches!(step, Step::Restart(_)) {
            assert!(ours.begin_anew() && theirs.begin_anew(), "{ours:?} {theirs:?}");
            let (uptime, most) = real.uptime();
            assert!(uptime.is_some_and(|uptime| uptime <= most), "{uptime:?} s after {most} s");
            assert!(played.uptime().is_some_and(|uptime| uptime < 60.0));
        }
        before = (ours, theirs);
        for name in step.names() {
            *counts.entry(name).or_default() += 1;
        }
    }
    None
}

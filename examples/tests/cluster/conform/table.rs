//! Many sequences, and what came of them.

use super::{
    compare::{Counts, Difference, LANES, Real, compare},
    sequence::{Sequence, sequences},
};
use crate::bed::RUNTIME;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// After so many differences it is enough.
const ENOUGH: usize = 40;
/// How many of them are made smaller and printed.
const PRINTED: usize = 6;
/// How often a sequence that differs is made smaller.
const SHRINKS: u32 = 300;
/// What has to succeed, and be refused, too, in any number of sequences that says something.
const BOTH: [&str; 7] = ["create", "get", "replace", "replace the status", "merge patch", "delete", "evict"];

/// Compares so many sequences; fails when an answer differs.
pub(super) fn compare_all(server: &Real, from: u64, many: u64) {
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let lanes = (0..LANES).map(|lane| some(server, lane, &next, from + many));
    let found = RUNTIME.block_on(futures::future::join_all(lanes));
    let mut counts = Counts::new();
    let mut differing = BTreeMap::new();
    for (lane_counts, lane_differing) in found {
        for (name, [done, refused]) in lane_counts {
            let sum = counts.entry(name).or_default();
            *sum = [sum[0] + done, sum[1] + refused];
        }
        differing.extend(lane_differing);
    }
    let compared = next.load(Ordering::Relaxed).min(from + many) - from;
    println!("{}", table(&counts, compared, began.elapsed().as_secs_f32()));
    let mut shown = Vec::new();
    for (number, difference) in &differing {
        let kind = kind_of(&draw(*number), difference);
        println!("DIFFERENT in number {number}: {kind}");
        if shown.len() < PRINTED && !shown.contains(&kind) {
            println!("{}", smaller(server, *number, &kind));
            shown.push(kind);
        }
    }
    assert!(differing.is_empty(), "{} of {compared} sequences are answered differently", differing.len());
    for name in BOTH {
        let [done, refused] = counts.get(name).copied().unwrap_or_default();
        assert!(done > 0 && refused > 0, "{name}: {done} done and {refused} refused say little");
    }
}

async fn some(
    server: &Real,
    lane: usize,
    next: &AtomicU64,
    until: u64,
) -> (Counts, BTreeMap<u64, Difference>) {
    let (mut counts, mut differing) = (Counts::new(), BTreeMap::new());
    while differing.len() < ENOUGH / LANES {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= until {
            break;
        }
        if let Some(difference) = compare(server, lane, &draw(number), &mut counts).await {
            differing.insert(number, difference);
        }
    }
    (counts, differing)
}

fn draw(number: u64) -> Sequence {
    sequences().draw(number).unwrap()
}

/// In what the answers differ: the same in a shorter sequence is the same difference.
fn kind_of(sequence: &Sequence, difference: &Difference) -> String {
    let step = sequence.steps.get(difference.step);
    let what = step.map_or("what a watch shows", |step| step.ask.name());
    let Difference { played, real, .. } = difference;
    let reason =
        |answer: &super::server::Answer| answer.body["reason"].as_str().unwrap_or_default().to_owned();
    let kind = step.map(|step| format!("{:?}, ", sequence.kind(step))).unwrap_or_default();
    format!("{kind}{what}, played {} {}, real {} {}", played.code, reason(played), real.code, reason(real))
}

/// The shortest sequence with this difference, and both answers.
fn smaller(server: &Real, number: u64, kind: &str) -> String {
    let play = |sequence: &Sequence| {
        let difference = RUNTIME.block_on(compare(server, 0, sequence, &mut Counts::new()))?;
        let is_the_same = kind_of(sequence, &difference) == kind;
        Some(difference).filter(|_| is_the_same)
    };
    let shortest = sequences().shrink(number, SHRINKS, |sequence| play(sequence).is_some()).unwrap();
    let Some(difference) = play(&shortest) else { return "  it is not different again".to_owned() };
    let mut text = String::new();
    for (place, step) in shortest.steps.iter().enumerate() {
        let mark = if place == difference.step { ">" } else { " " };
        // To write into a text never fails.
        let _ = writeln!(text, "{mark} {:?} {:?}: {:?}", shortest.kind(step), step.name, step.ask);
    }
    let Difference { asked, played, real, .. } = difference;
    format!("{text}{asked}\n  played answers {played}\n    real answers {real}")
}

fn table(counts: &Counts, sequences: u64, seconds: f32) -> String {
    let operations: u64 = counts.values().flatten().sum();
    let mut text = format!("{sequences} sequences, {operations} answers compared in {seconds:.1} s\n");
    // To write into a text never fails.
    let _ = writeln!(text, "{:<34}{:>10}{:>10}", "", "done", "refused");
    for (name, [done, refused]) in counts {
        let _ = writeln!(text, "{name:<34}{done:>10}{refused:>10}");
    }
    text
}

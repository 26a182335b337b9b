//! Many sequences, and what came of them.

use super::{
    compare::{Counts, Difference, compare},
    real::Real,
    sequence::{Sequence, sequences},
};
use crate::bed::RUNTIME;
use std::{fmt::Write as _, time::Instant};

/// After so many differences it is enough.
const ENOUGH: usize = 10;
/// How many of them are made smaller and printed.
const PRINTED: usize = 2;
/// How often a sequence that differs is made smaller: each try takes seconds.
const SHRINKS: u32 = 25;

/// Of a hundred sequences, so many may differ once and not again: istiod's own watches race. It leaves out, for one, a
/// pod that is not ready if it hears of its address first from an `EndpointSlice`, and of the pod later.
const RACES: u64 = 3;

/// Compares so many sequences; fails when istiod says something else, twice.
pub(super) fn compare_all(real: &mut Real, from: u64, many: u64) {
    let (began, mut counts, mut differing) = (Instant::now(), Counts::new(), Vec::new());
    let (mut compared, mut races) = (0, 0);
    for number in from..from + many {
        let sequence = sequences().draw(number).unwrap();
        compared += 1;
        let Some(difference) = RUNTIME.block_on(compare(real, &sequence, &mut counts)) else { continue };
        println!("DIFFERENT in number {number}\n{}", shown(&sequence, &difference));
        if RUNTIME.block_on(compare(real, &sequence, &mut counts)).is_some() {
            differing.push(number);
        } else {
            println!("and not again: a race\n");
            races += 1;
        }
        if differing.len() >= ENOUGH {
            break;
        }
    }
    println!("{}", table(&counts, compared, began.elapsed().as_secs_f32()));
    for number in differing.iter().take(PRINTED) {
        println!("{}", smaller(real, *number));
    }
    assert!(races <= 1 + many * RACES / 100, "{races} of {compared} sequences differ once, and not again");
    assert!(differing.is_empty(), "{} of {compared} sequences differ: {differing:?}", differing.len());
}

/// The shortest sequence that differs, and both answers.
fn smaller(real: &mut Real, number: u64) -> String {
    let mut play = |sequence: &Sequence| RUNTIME.block_on(compare(real, sequence, &mut Counts::new()));
    let shortest = sequences().shrink(number, SHRINKS, |sequence| play(sequence).is_some()).unwrap();
    let Some(difference) = play(&shortest) else { return format!("number {number} is not different again") };
    format!("number {number}, made smaller\n{}", shown(&shortest, &difference))
}

fn shown(sequence: &Sequence, difference: &Difference) -> String {
    let mut text = String::new();
    for (place, step) in sequence.steps.iter().enumerate().take(difference.step + 1) {
        let mark = if place == difference.step { ">" } else { " " };
        // To write into a text never fails.
        let _ = writeln!(text, "{mark} {step:?}");
    }
    for field in ["objects", "endpoints", "proxies", "number", "in order"] {
        let (played, real) = (&difference.played[field], &difference.real[field]);
        if played != real {
            let _ = writeln!(text, "{field}\n  played: {played}\n    real: {real}");
        }
    }
    text
}

fn table(counts: &Counts, sequences: u64, seconds: f32) -> String {
    let mut text = format!("{sequences} sequences compared in {seconds:.1} s\n");
    for (name, count) in counts {
        // To write into a text never fails.
        let _ = writeln!(text, "{name:<42}{count:>8}");
    }
    text
}

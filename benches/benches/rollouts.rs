//! Whole rollouts, simulated.
//!
//! `cargo bench -p benches --bench rollouts`

use divan::{Bencher, counter::ItemsCount};
use rollout_core::sim::Summary;
use std::sync::atomic::{AtomicU64, Ordering};

const REPLICAS: [u32; 2] = [1, 10];

fn main() {
    for replicas in REPLICAS {
        println!("one weight canary, {replicas} replicas: {}", benches::weight_canary(replicas, 0));
        println!("  with Istio objects: {}", benches::weight_canary_with_istio(replicas, 0));
    }
    divan::main();
}

#[divan::bench(args = REPLICAS, sample_count = 200, sample_size = 50)]
fn weight_canary(bencher: Bencher<'_, '_>, replicas: u32) {
    play(bencher, |seed| benches::weight_canary(replicas, seed));
}

#[divan::bench(args = REPLICAS, sample_count = 100, sample_size = 10)]
fn weight_canary_with_istio(bencher: Bencher<'_, '_>, replicas: u32) {
    play(bencher, |seed| benches::weight_canary_with_istio(replicas, seed));
}

/// A new seed each time: how long each proxy lags differs.
fn play(bencher: Bencher<'_, '_>, canary: impl Fn(u64) -> Summary + Sync) {
    let seed = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| canary(seed.fetch_add(1, Ordering::Relaxed)));
}

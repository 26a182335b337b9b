//! Whole rollouts, simulated.
//!
//! `cargo bench -p benches --bench rollouts`

use divan::{Bencher, counter::ItemsCount};
use std::sync::atomic::{AtomicU64, Ordering};

const REPLICAS: [u32; 2] = [1, 10];

fn main() {
    for replicas in REPLICAS {
        println!("one weight canary, {replicas} replicas: {}", benches::weight_canary(replicas, 0));
    }
    divan::main();
}

/// A new seed each time: how long each proxy lags differs.
#[divan::bench(args = REPLICAS, sample_count = 200, sample_size = 50)]
fn weight_canary(bencher: Bencher<'_, '_>, replicas: u32) {
    let seed = AtomicU64::new(0);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| benches::weight_canary(replicas, seed.fetch_add(1, Ordering::Relaxed)));
}

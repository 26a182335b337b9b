//! Whole rollouts, simulated.
//!
//! `cargo bench -p benches --bench rollouts`

use divan::{Bencher, counter::ItemsCount};
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    println!("one weight canary: {}", benches::weight_canary(0));
    divan::main();
}

/// A new seed each time: how long each proxy lags differs.
#[divan::bench(sample_count = 200, sample_size = 50)]
fn weight_canary(bencher: Bencher<'_, '_>) {
    let seed = AtomicU64::new(0);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| benches::weight_canary(seed.fetch_add(1, Ordering::Relaxed)));
}

//! One VirtualService from bytes to bytes, beside only reading and writing the same bytes.
//!
//! `cargo bench -p benches --bench edit`

use benches::VirtualService;
use divan::{Bencher, counter::BytesCount};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUTES: [usize; 3] = [1, 50, 1000];

fn main() {
    divan::main();
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("\nan edit in units of reading and writing the same bytes:");
    for routes in ROUTES {
        println!("{routes:>5} routes: {:.2}", ratio(&VirtualService::new(routes)));
    }
}

#[divan::bench(args = ROUTES)]
fn edit(bencher: Bencher<'_, '_>, routes: usize) {
    let object = VirtualService::new(routes);
    bencher.counter(BytesCount::new(object.len())).bench(|| object.edit());
}

#[divan::bench(args = ROUTES)]
fn read_and_write(bencher: Bencher<'_, '_>, routes: usize) {
    let object = VirtualService::new(routes);
    bencher.counter(BytesCount::new(object.len())).bench(|| object.read_and_write());
}

/// The two in turn, so that a noisy machine disturbs both alike; the fastest of each.
fn ratio(object: &VirtualService) -> f64 {
    let mut fastest = [Duration::MAX; 2];
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        let [edit, plain] = &mut fastest;
        *edit = (*edit).min(time(|| object.edit()));
        *plain = (*plain).min(time(|| object.read_and_write()));
    }
    let [edit, plain] = fastest;
    edit.as_secs_f64() / plain.as_secs_f64()
}

fn time(work: impl Fn() -> Vec<u8>) -> Duration {
    let began = Instant::now();
    black_box(work());
    began.elapsed()
}

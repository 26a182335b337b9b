//! What a text costs that somebody wrote badly on purpose: read, check, convert, and every message shown.
//! `max alloc` is the most memory at once.
//!
//! `cargo bench -p benches --bench parse`

use benches::ManifestText;
use divan::{AllocProfiler, Bencher, counter::BytesCount};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const QUARTER: usize = 256 * 1024;

fn main() {
    divan::main();
}

#[divan::bench(args = ManifestText::all(QUARTER), max_time = 0.5)]
fn a_quarter_of_a_mebibyte(bencher: Bencher<'_, '_>, text: &ManifestText) {
    bencher.counter(BytesCount::new(text.len())).bench(|| text.read());
}

/// Four times the text costs four times the time.
#[divan::bench(args = ManifestText::all(4 * QUARTER), max_time = 0.5)]
fn one_mebibyte(bencher: Bencher<'_, '_>, text: &ManifestText) {
    bencher.counter(BytesCount::new(text.len())).bench(|| text.read());
}

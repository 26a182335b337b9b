//! One decision. Beside its name: how long the plan is that comes of it.
//!
//! `cargo bench -p benches --bench decision`

use benches::Scene;
use divan::{AllocProfiler, Bencher};
use std::sync::LazyLock;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

static SCENES: LazyLock<[Scene; 4]> = LazyLock::new(Scene::all);

fn main() {
    divan::main();
}

#[divan::bench(args = SCENES.iter())]
fn reconcile(bencher: Bencher<'_, '_>, scene: &Scene) {
    bencher.bench(|| scene.plan());
}

//! The update of many Rollouts: what it costs a controller for each of them, which must not grow with their number.
//!
//! `cargo bench -p benches --bench controller`

use benches::{Cost, Fleet};
use std::time::Instant;

fn main() {
    let begun = Instant::now();
    let summary = benches::weight_canary_with_istio(1, 0);
    println!(
        "floor: the decisions and edits of one rollout alone, simulated: {:?} ({summary})",
        begun.elapsed()
    );
    println!(
        "{:>8} {:>18} {:>20} {:>12}",
        "rollouts", "processor of each", "requests of each", "all done in"
    );
    let mut first: Option<Cost> = None;
    for rollouts in [100, 300, 1_000] {
        let cost = Fleet::new(rollouts).update();
        println!("{rollouts:>8} {:>18.2?} {:>20.1} {:>12.1?}", cost.processor, cost.requests, cost.took);
        if let Some(first) = first {
            let ratio = cost.processor.as_secs_f64() / first.processor.as_secs_f64();
            println!("{:>8} {ratio:>17.2}x of that at 100", "");
        }
        first = first.or(Some(cost));
    }
}

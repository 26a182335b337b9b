//! What many Rollouts cost a controller, seen from outside: `cargo xtask bench`.
//!
//! Nothing is asked of the controller itself, so that any other can be measured in the same way: when something is done
//! is seen in watches, what it took in `/proc`, what it asked for in the API server's audit log, and only what it threw
//! away in its log. Each run has a cluster of its own.

mod apps;
mod asked;
mod idle;
mod plan;
mod process;
mod progress;
mod table;
mod update;

use plan::{Contender, Plan};

/// Needs the variable that `cargo xtask bench` sets.
#[test]
fn table_of_scale() {
    let plan = Plan::read();
    let mut runs = Vec::new();
    for number in 1..=plan.repeat {
        for contender in Contender::all(&plan) {
            let (name, load) = (format!("{} {number}", contender.name), process::load_average());
            println!("\n{name}: load average {load}");
            let measured = match plan.idle {
                Some(apps) => idle::measure(&plan, &contender, apps),
                None => update::measure(&plan, &contender),
            };
            println!("{}", table::of(std::slice::from_ref(&(name.clone(), measured.clone()))));
            runs.push((name, measured));
        }
    }
    println!("\n{}\n{}", plan.sentence(), table::of(&runs));
}

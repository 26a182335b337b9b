//! Does one piece of work again and again, for `cargo xtask bench --instructions` to count.
//!
//! ```text
//! instructions             the names of what can be done
//! instructions NAME N      does it N times
//! ```

use benches::{Scene, VirtualService, weight_canary};
use std::{env, hint::black_box, process::ExitCode};

/// A name, and what is done under it.
type Work = (String, Box<dyn Fn()>);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            for (name, _) in all() {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        [name, times] => repeat(name, times),
        _ => usage("too many words, or too few"),
    }
}

fn repeat(name: &str, times: &str) -> ExitCode {
    let Ok(times) = times.parse::<u32>() else { return usage(&format!("`{times}` is not a number")) };
    let Some((_, work)) = all().into_iter().find(|(other, _)| other == name) else {
        return usage(&format!("there is no `{name}`"));
    };
    for _ in 0..times {
        work();
    }
    ExitCode::SUCCESS
}

fn all() -> Vec<Work> {
    let decisions = Scene::all().into_iter().map(|scene| {
        let name = format!("decision: {}", scene.name());
        let work: Box<dyn Fn()> = Box::new(move || drop(black_box(scene.plan())));
        (name, work)
    });
    let edits = [1, 50].into_iter().map(|routes| {
        let object = VirtualService::new(routes);
        let work: Box<dyn Fn()> = Box::new(move || drop(black_box(object.edit())));
        (format!("edit: VirtualService with {routes} routes"), work)
    });
    let whole: Box<dyn Fn()> = Box::new(|| {
        black_box(weight_canary(10, 1));
    });
    decisions.chain(edits).chain([("simulation: one weight canary".to_owned(), whole)]).collect()
}

fn usage(what: &str) -> ExitCode {
    eprintln!("{what}\nusage: instructions | instructions NAME N");
    ExitCode::from(2)
}

//! How much an analysis asks of the API server.

use super::{analysing, asks, step, template};
use crate::{
    bed::{Answering, Bed, Requests, now, secs},
    faults::web::{plain, set_image, until_done},
};
use serde_json::json;
use std::time::Duration;

/// How often the run of the step measures, a second apart.
const MEASURED: usize = 10;

/// Those of this Rollout, and of what it owns.
fn of(requests: &Requests, name: &str) -> Requests {
    let its = requests
        .0
        .iter()
        .filter(|request| request.name == name || request.name.starts_with(&format!("{name}-")));
    Requests(its.cloned().collect())
}

fn count(requests: &Requests, resource: &str, verb: Option<&str>) -> usize {
    let of_it = requests.0.iter().filter(|request| request.resource.split('/').next() == Some(resource));
    let written = of_it.filter(|request| request.writes() && request.code < 400);
    written.filter(|request| verb.is_none_or(|verb| request.verb == verb)).count()
}

/// Three releases that take the same time: one that waits, one that measures in a step, one that measures meanwhile.
#[test]
fn a_measurement_is_one_write_of_its_run_and_none_of_the_rollout() {
    let space = Bed::shared().namespace("asked");
    let server = Answering::start(json!({"ok": true}));
    let every =
        |count: Option<usize>| json!({"interval": "1s", "count": count, "successCondition": "result.ok"});
    let wait = json!({"pause": {"duration": format!("{}s", MEASURED - 1)}});
    let beside = json!({"templates": [{"templateName": "beside"}], "startingStep": 1});
    let objects = [
        plain("waits", 2, &json!({"steps": [{"setWeight": 50}, wait]})),
        plain("inline", 2, &json!({"steps": [{"setWeight": 50}, step("often")]})),
        plain("background", 2, &json!({"steps": [{"setWeight": 50}, wait], "analysis": beside})),
        template("often", &[], &asks("ok", &server, "/ok", &every(Some(MEASURED)))),
        template("beside", &[], &asks("ok", &server, "/ok", &every(None))),
    ];
    let _controller = analysing(&space, &objects);
    let names = ["waits", "inline", "background"];
    let all_done = || {
        for name in names {
            until_done(&space, name, 60);
        }
    };
    all_done();
    let begin = now();
    for name in names {
        set_image(&space, name, "v2");
    }
    all_done();
    space.until("the runs are over", secs(30), |seen| {
        seen.runs().len() == 2 && seen.runs().iter().all(|run| run.phase() == "Successful")
    });
    let took = now().since(begin);
    let requests = space.requests().between(begin, now());
    let [waits, inline, background] = names.map(|name| of(&requests, name));
    let measured = space.seen(|seen| {
        let of = |role| seen.run(role).unwrap().metric("ok").unwrap()["count"].as_u64().unwrap();
        (of("Step"), of("Background"))
    });
    println!(
        "measured {measured:?} times; without: {waits}in a step: {inline}beside the steps: {background}"
    );
    println!(
        "of no object of these: {}",
        requests.count() - waits.count() - inline.count() - background.count()
    );
    for (with, measured, ends) in [(&inline, measured.0, 0), (&background, measured.1, 1)] {
        let measured = usize::try_from(measured).unwrap();
        assert_eq!(count(with, "analysisruns", Some("create")), 1, "{with}");
        assert!(count(with, "analysisruns", Some("update")) <= measured + ends, "one for each: {with}");
        assert!(count(with, "analysisruns", Some("patch")) <= ends, "it ends with the release: {with}");
        let more = count(with, "rollouts", None).saturating_sub(count(&waits, "rollouts", None));
        // A busy machine has more to count.
        let slow = took.saturating_sub(Duration::from_secs(20)).as_secs().div_ceil(5);
        assert!(
            more <= 3 + usize::try_from(slow).unwrap(),
            "begun, running, over; nothing for each measurement: {more}: {with}"
        );
    }
}

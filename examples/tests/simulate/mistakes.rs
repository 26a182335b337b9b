//! The mistakes that people make most, each with where it is, what it is, and what to write.

use crate::{
    folder::{changed, rollout, services, virtual_service},
    simulate_with,
};

/// What is changed in the Rollout, and what is said: the line and column, and words of the message.
struct Mistake {
    from: &'static str,
    to: &'static str,
    at: (usize, usize),
    says: &'static [&'static str],
}

const fn mistake(
    from: &'static str,
    to: &'static str,
    at: (usize, usize),
    says: &'static [&'static str],
) -> Mistake {
    Mistake { from, to, at, says }
}

const STEPS: &str = "      steps: [{setWeight: 50}, {pause: {duration: 1m}}]\n";
const WEIGHT: &str = "{setWeight: 50}";
const PAUSE: &str = "{pause: {duration: 1m}}";
const VERSION: &str = "argoproj.io/v1alpha1\nkind: Rollout";

const MISTAKES: &[Mistake] = &[
    mistake(WEIGHT, "{setWieght: 50}", (15, 16), &["error: `steps[0]`: did you mean `setWeight`?"]),
    mistake("stableService: web\n", "stableServcie: web\n", (13, 7), &["did you mean `stableService`?"]),
    mistake(
        STEPS,
        "    steps: [{setWeight: 50}]\n",
        (15, 5),
        &["error: `steps` means nothing here", "write it in `spec.strategy.canary`"],
    ),
    mistake(
        STEPS,
        "      steps: {setWeight: 50}\n",
        (15, 7),
        &["error: `steps` must be a list", "put `- ` in front of each item"],
    ),
    mistake(
        STEPS,
        "      steps:\n        setWeight: 50\n        pause: {}\n",
        (15, 7),
        &["error: `steps` must be a list"],
    ),
    mistake(
        PAUSE,
        "{pause: , duration: 5m}",
        (15, 33),
        &["error: `steps[1]`: write `pause: {duration: 5m}`"],
    ),
    mistake(
        PAUSE,
        "{pause: {}, duration: 5m}",
        (15, 44),
        &["error: `duration` means nothing here", "steps[].pause"],
    ),
    mistake(
        PAUSE,
        "{pause: }",
        (15, 33),
        &["error: `steps[1]`: write `pause: {}` to wait for a person, or `pause: {duration: 10m}`"],
    ),
    mistake(
        PAUSE,
        "{pause: 5m}",
        (15, 40),
        &["error: `pause` must be a map", "write `pause: {duration: 5m}`"],
    ),
    mistake("1m}", "10 min}", (15, 51), &["error: `duration`: write `10m`"]),
    mistake("1m}", "ten}", (15, 51), &["error: `duration`: \"ten\" is neither"]),
    mistake(
        "50}",
        "40%}",
        (15, 27),
        &["error: `setWeight` must be a whole number", "write 40 without the per-cent sign"],
    ),
    mistake("50}", "12.5}", (15, 27), &["error: `setWeight` must be a whole number", "write 12 or 13"]),
    mistake(
        "50}",
        "\"40\"}",
        (15, 27),
        &["error: `setWeight` must be a whole number", "write 40 without quotes"],
    ),
    mistake(
        "50}",
        "150}",
        (15, 27),
        &[
            "error: `setWeight`: write a number from 0 to 100",
            "Argo Rollouts says: SetWeight needs to be between 0 and 100",
        ],
    ),
    mistake("50}", "-1}", (15, 27), &["error: `setWeight`: write a number from 0 to 100"]),
    mistake(WEIGHT, "{weight: 50}", (15, 16), &["write `setWeight`"]),
    mistake(
        WEIGHT,
        "{setWeight: 50, pause: {}}",
        (15, 16),
        &["error: `steps[0]`: write each as its own step: setWeight and pause"],
    ),
    mistake(
        "  replicas: 4\n",
        "\treplicas: 4\n",
        (5, 1),
        &["error: there is a tab where YAML requires spaces", "indent with spaces only"],
    ),
    mistake(
        "  replicas: 4\n",
        "  replicas: 4\n \t minReadySeconds: 1\n",
        (6, 2),
        &["error: there is a tab where YAML requires spaces"],
    ),
    mistake(
        "stableService: web\n",
        "stableService: \"web\n",
        (13, 22),
        &["error: the quote that opens here is not closed"],
    ),
    mistake(
        "stableService: web\n",
        "stableService: 'web\n",
        (13, 22),
        &["error: the quote that opens here is not closed"],
    ),
    mistake(
        "  replicas: 4\n",
        "  replicas: 4\n  replicas: 5\n",
        (6, 3),
        &["error: the field `replicas` appears twice: first on line 5", "keep one of them"],
    ),
    mistake(
        STEPS,
        "      steps:\n      - setHeaderRoute: {name: a, match: [{headerName: a, headerValue: {exact: true}}]}\n",
        (16, 80),
        &["error: `exact` must be text", "write \"true\" in quotes"],
    ),
    mistake(
        VERSION,
        "apps/v1\nkind: Rollout",
        (1, 13),
        &["error: there is no Rollout in \"apps/v1\"", "write `apiVersion: argoproj.io/v1alpha1`"],
    ),
    mistake(VERSION, "argoproj.io/v1\nkind: Rollout", (1, 13), &["error: \"argoproj.io/v1\" is not served"]),
    mistake(
        VERSION,
        "argoproj.io/v1alpha1\nkind: Rolout",
        (2, 7),
        &["error: there is no kind \"Rolout\"", "did you mean `kind: Rollout`?"],
    ),
    mistake(
        VERSION,
        "apps/v1\nkind: Deployment",
        (2, 7),
        &["error: a Deployment has no canary strategy", "write `kind: Rollout`"],
    ),
    mistake(
        "canaryService: web-canary",
        "canaryService: web-canry",
        (12, 22),
        &["error: the Service \"web-canry\" was not given", "did you mean \"web-canary\"?"],
    ),
    mistake(
        "virtualService: {name: web, routes: [primary]}",
        "virtualService: web",
        (14, 48),
        &["error: `virtualService` must be a map", "write `virtualService: {name: web}`"],
    ),
    mistake("  strategy:\n    canary:\n", "  strategy:\n    Canary:\n", (11, 5), &["did you mean `canary`?"]),
    mistake(
        "      trafficRouting: {",
        "      trafficrouting: {",
        (14, 7),
        &["did you mean `trafficRouting`?"],
    ),
    mistake(
        "  replicas: 4\n",
        "  replicas: 4\n  maxSurge: 1\n",
        (6, 3),
        &["error: `maxSurge` means nothing here", "write it in `spec.strategy.canary`"],
    ),
    mistake("  replicas: 4\n", "  replicas: four\n", (5, 13), &["error: `replicas` must be a whole number"]),
    mistake(
        "  replicas: 4\n",
        "   replicas: 4\n",
        (6, 3),
        &["error: this line is not indented like the ones above"],
    ),
];

#[test]
fn each_says_where_what_and_what_to_write() {
    let mut wrong = Vec::new();
    for Mistake { from, to, at: (line, column), says } in MISTAKES {
        let text = [changed(&rollout(), from, to), services(), virtual_service()].join("---\n");
        let run = simulate_with(&["-"], &text);
        let place = format!("--> <stdin>:{line}:{column}\n");
        let missing: Vec<&str> =
            says.iter().copied().chain([place.as_str()]).filter(|said| !run.err.contains(said)).collect();
        let warned = !says[0].starts_with("error") && run.err.contains("warning");
        if run.code != 2 && !warned || !missing.is_empty() {
            wrong.push(format!(
                "## {from:?} → {to:?}: exit {}, not said: {missing:#?}\n{}",
                run.code, run.err
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unknown_fields_of_the_strategy_are_errors_when_asked_for() {
    let text = [
        changed(&rollout(), "stableService: web\n", "stableService: web\n      nosuch: 1\n"),
        services(),
        virtual_service(),
    ]
    .join("---\n");
    let run = simulate_with(&["-"], &text);
    assert!(run.code == 0 && run.err.starts_with("warning: unknown field `nosuch`"), "{}", run.err);
    let run = simulate_with(&["-", "--strict"], &text);
    assert!(run.code == 2 && run.err.starts_with("error: unknown field `nosuch`"), "{}", run.err);
}

#[test]
fn findings_are_lines_for_a_machine_as_well() {
    let text = [changed(&rollout(), "setWeight: 50", "setWeight: 150"), services()].join("---\n");
    let run = simulate_with(&["-", "--json"], &text);
    assert_eq!((run.code, run.err.as_str()), (2, ""));
    let lines: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let weight = &lines[0];
    assert_eq!(
        (&weight["kind"], &weight["severity"], &weight["file"]),
        (&"finding".into(), &"error".into(), &"<stdin>".into())
    );
    assert_eq!((&weight["line"], &weight["column"]), (&15.into(), &27.into()));
    assert_eq!(weight["reference"], "SetWeight needs to be between 0 and 100");
    assert_eq!(lines.len(), 2, "{}", run.out);
    // What cannot be parsed as a command line is an error like the others.
    let run = simulate_with(&["-", "--json", "--until", "soon"], &text);
    let line: serde_json::Value = serde_json::from_str(run.out.lines().next().unwrap()).unwrap();
    assert_eq!((run.code, &line["severity"]), (2, &"error".into()));
}

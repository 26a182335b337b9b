//! What is decided when a part of what is observed is left out. The tables in the documentation of `Observed` say what
//! this test finds.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod rows;
mod situation;

use core::time::Duration;
use rollout_core::{Driver, Next, Outcome};
use rows::{Row, rows};
use situation::{NOW, behind, by_header, gone, pods, rises};
use std::sync::Arc;

/// The cells of the row of a field: its unit, what it is, what happens without it, whether that holds a rollout back, and
/// what is reported.
fn cells(of: &str, field: &str) -> Vec<&'static str> {
    let page = include_str!("../../src/observed.md");
    let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{of}`"))).unwrap();
    let rows = section.lines().filter(|line| line.starts_with(&format!("| `{field}` |")));
    let rows: Vec<_> = rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 1, "{of}.{field} has one row in the page");
    rows.into_iter().next().unwrap()
}

#[test]
fn the_page_says_what_happens_when_a_field_is_left_out() {
    for Row { of, field, there, leave_out, between } in rows() {
        let (done, _) = there.decided(between);
        let (done_without, waits) = there.clone().with(leave_out).decided(between);
        let is_held = done.iter().any(|action| !done_without.contains(action));
        let goes_on = done_without.iter().any(|action| !done.contains(action));
        let &[_, _, _, held, reported] = &*cells(of, field) else { panic!("{of}.{field}: five cells") };
        let expected = match held {
            "yes" => is_held,
            "no" => goes_on,
            _ => false,
        };
        assert!(expected, "{of}.{field}: held back: {held}; {done:?}, without it {done_without:?}");
        assert_eq!(reported, if held == "yes" { &waits } else { "–" }, "{of}.{field}");
    }
}

/// What is filled in by `Driver::see`, serves only the fence, or is asked for by the constructor.
const NOT_PLAYED: [(&str, &str); 9] = [
    ("RevisionSeen", "revision"),
    ("RevisionSeen", "unavailable"),
    ("RevisionSeen", "nonce"),
    ("Seen", "nonces"),
    ("ManagedSeen", "name"),
    ("Gone", "revision"),
    ("Gone", "age"),
    ("Proceed", "at"),
    ("Proceed", "contents"),
];

/// A field, or its two halves where it has one value for each destination.
fn leaves(field: &str, value: &serde_json::Value) -> Vec<String> {
    let halves = ["stable", "canary"].map(|half| value.get(half).map(|_| format!("{field}.{half}")));
    match halves {
        [Some(stable), Some(canary)] => vec![stable, canary],
        _ => vec![field.to_owned()],
    }
}

/// A new field must be in the page, and be left out by this test.
#[test]
fn every_field_is_in_the_page() {
    let mut revision =
        pods("v1", 1, 4).scale_down_deadline(Some(NOW)).live(Some(1)).changes(1).nonce(Some("ours-1".into()));
    revision.unavailable = Some(Duration::ZERO);
    let mut all = gone();
    all.seen().nonces = vec!["ours-1".into()];
    all.observed.proceed = behind().observed.proceed;
    let routes = by_header().seen().routes[0].clone();
    let json = |value: serde_json::Value| value.as_object().unwrap().clone();
    let of = |of, value| (of, json(serde_json::to_value(value).unwrap()));
    let structs = [
        ("Observed", json(serde_json::to_value(&all.observed).unwrap())),
        ("RevisionSeen", json(serde_json::to_value(&revision).unwrap())),
        ("Seen", json(serde_json::to_value(all.observed.traffic.as_ref().unwrap()).unwrap())),
        ("RoutesSeen", json(serde_json::to_value(&routes).unwrap())),
        of("ManagedSeen", routes.managed[0].clone()),
        ("Gone", json(serde_json::to_value(all.observed.gone.as_ref().unwrap()).unwrap())),
        ("Proceed", json(serde_json::to_value(all.observed.proceed.as_ref().unwrap()).unwrap())),
    ];
    let played: Vec<_> = rows().iter().map(|row| (row.of, row.field)).collect();
    for (of, fields) in structs {
        for field in fields.iter().flat_map(|(field, value)| leaves(field, value)) {
            assert_eq!(cells(of, &field).len(), 5, "{of}.{field}");
            let is_played = played.iter().chain(&NOT_PLAYED).any(|known| *known == (of, field.as_str()));
            assert!(is_played, "{of}.{field} is left out by no row");
        }
    }
}

/// Nothing but the fence looks at a nonce.
#[test]
fn without_nonces_another_process_is_not_noticed() {
    let fenced = || {
        let (mut driver, it) = (Driver::new("ours"), rises());
        let mut turn = driver.begin(&it.spec, &it.status, &it.observed, NOW);
        assert_eq!(turn.next(), Next::Fence("ours-1"));
        turn.done(Ok(Outcome::Changed));
        driver.end(turn, Duration::ZERO);
        driver
    };
    let other = Some(Arc::<str>::from("theirs-1"));
    let none = rises().observed;
    let of_workload = rises().with(|it| it.revision(0).nonce.clone_from(&other)).observed;
    let of_traffic = rises().with(|it| it.seen().nonces.extend(other)).observed;
    for (mut observed, is_noticed) in [(none, false), (of_workload, true), (of_traffic, true)] {
        assert_eq!(fenced().see(&mut observed, Duration::ZERO).is_some(), is_noticed);
    }
}

/// A wait for what nobody names would have no end.
#[test]
fn endpoints_that_are_not_named_grow_old() {
    let mut it = rises();
    it.seen().endpoints.pop();
    assert_eq!(it.decided(|_| {}).1, "carrying out", "after twenty seconds they count as known");
}

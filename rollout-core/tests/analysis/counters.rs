//! What is counted between two looks at counters.

use proptest::prelude::*;
use rollout_core::analysis::{Count, Counters, Window};

fn counters(of: Count, series: &[(&str, f64)]) -> Counters {
    let mut counters = Counters::new();
    for (name, value) in series {
        counters.insert(of, name, *value).unwrap();
    }
    counters
}

fn counted(before: &[(&str, f64)], now: &[(&str, f64)]) -> u32 {
    counters(Count::Canary, now).since(&counters(Count::Canary, before)).canary
}

#[test]
fn what_counts_is_the_rise_of_each_series() {
    for (what, before, now, count) in [
        ("two that rise", &[("a", 10.0), ("b", 5.0)][..], &[("a", 12.0), ("b", 6.0)][..], 3),
        ("one fell: it has restarted", &[("a", 10.0), ("b", 5.0)], &[("a", 4.0), ("b", 6.0)], 5),
        ("one is new: it began at 0", &[("a", 10.0)], &[("a", 10.0), ("b", 7.0)], 7),
        ("one is gone", &[("a", 10.0), ("b", 5.0)], &[("a", 11.0)], 1),
        ("none", &[("a", 10.0)], &[], 0),
        ("fractions are rounded once", &[("a", 0.0), ("b", 0.0)], &[("a", 0.4), ("b", 0.4)], 1),
        ("the same text twice", &[("a", 1.0), ("a", 2.0)], &[("a", 2.0), ("a", 3.0)], 2),
        ("more than a window holds", &[], &[("a", 1e15)], u32::MAX),
    ] {
        assert_eq!(counted(before, now), count, "{what}");
    }
}

#[test]
fn a_series_that_comes_back_is_counted_on() {
    let before = counters(Count::StableBad, &[("a", 1_000.0), ("b", 2.0)]);
    let gone = counters(Count::StableBad, &[("b", 3.0)]).remembering(&before);
    let back = counters(Count::StableBad, &[("a", 1_004.0), ("b", 3.0)]);
    assert_eq!(back.since(&gone), Window { stable_bad: 4, ..Window::default() });
}

#[test]
fn what_is_no_counter_is_refused() {
    let mut counters = Counters::new();
    for value in [-1.0, f64::NAN, f64::INFINITY, 1e16] {
        let error = counters.insert(Count::Stable, "a", value).unwrap_err().to_string();
        assert!(
            error.starts_with("stable.requests: the counter is ") && error.contains("; write "),
            "{error}"
        );
    }
    let name = |number: u32| format!("pod-{number}");
    for number in 0..1_000 {
        counters.insert(Count::Stable, &name(number), 1.0).unwrap();
    }
    counters.insert(Count::Stable, &name(7), 1.0).unwrap();
    let error = counters.insert(Count::Stable, &name(1_000), 1.0).unwrap_err().to_string();
    assert_eq!(
        error,
        "stable.requests: more than 1000 series; write a query that sums them, such as `sum by (pod) (…)`"
    );
    let mut others = Counters::new();
    others.insert(Count::Stable, "other", 1.0).unwrap();
    let full = counters.clone().remembering(&others);
    assert_eq!(full, counters, "where there is no room, what has vanished is forgotten");
    assert!(full.write().len() < 32 << 10, "it is stored with a measurement: {}", full.write().len());
}

#[test]
fn a_text_that_somebody_changed_is_not_read() {
    let text = counters(Count::Canary, &[("a", 1.0), ("b", 2.5)]).write();
    assert!(Counters::read(&text).is_some());
    for changed in [
        String::new(),
        "1".into(),
        "2    ".into(),
        format!("{text} "),
        text.replace('=', ":"),
        text.replace("2.5", "-2.5"),
        text.replace("2.5", "NaN"),
        text.replace("2.5", "1e300"),
        "1 a=1,a=1   ".into(),
        "1 a=1,   ".into(),
        "1 xyz=1   ".into(),
    ] {
        assert_eq!(Counters::read(&changed), None, "{changed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(series in prop::collection::vec((0..4_usize, ".{0,20}", 0.0..1e15), 0..40)) {
        let mut counters = Counters::new();
        for (count, name, value) in &series {
            counters.insert(Count::ALL[*count], name, *value).unwrap();
        }
        prop_assert_eq!(Counters::read(&counters.write()), Some(counters));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "1?[ ,=a-f0-9.]{0,60}") {
        if let Some(read) = Counters::read(&text) {
            prop_assert_eq!(Counters::read(&read.write()), Some(read));
        }
    }
}

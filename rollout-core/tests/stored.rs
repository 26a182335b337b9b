//! What was ever stored is read for ever; what cannot be read is an error, never a fresh start.

use rollout_core::{Observed, Plan, Spec, Status, Step, Strategy, Time, reconcile, traffic::Seen};
use std::{fs, path::Path};

#[test]
fn every_stored_form_is_read_and_written_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let status: Status = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), text.trim_end(), "{}", path.display());
        read += 1;
    }
    assert!(read >= 4, "only {read} stored forms were found");
}

#[test]
fn another_version_or_an_unknown_word_is_an_error() {
    for (text, says) in [
        (r#"{"v":2}"#, "another version of the engine (v2"),
        (r"{}", "missing field `v`"),
        (r#"{"v":1,"stabel":"x"}"#, "unknown field `stabel`"),
        (r#"{"v":1,"aborted":{"at":0,"why":"boredom"}}"#, "unknown variant `boredom`"),
        (r#"{"v":1,"step":-1}"#, "invalid value"),
    ] {
        let error = serde_json::from_str::<Status>(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_decision_can_be_recorded_and_replayed() {
    let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(5)).build().unwrap();
    let spec = Spec::new(strategy, "v2".into()).replicas(3);
    let observed = Observed::new().revisions([]).traffic(Seen::nothing());
    let (status, now) = (Status::default(), Time::from_secs(100));
    let plan = reconcile(&spec, &status, &observed, now);
    let record = serde_json::to_string(&(&spec, &status, &observed, now, &plan)).unwrap();
    let (spec, status, observed, now, recorded): (Spec, Status, Observed, Time, Plan) =
        serde_json::from_str(&record).unwrap();
    assert_eq!(reconcile(&spec, &status, &observed, now), recorded);
}

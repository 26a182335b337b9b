//! How several clusters release together: an annotation of the Rollout, the same in every cluster.

use super::{
    Finding,
    duration::pause_seconds,
    json_annotation::{json, wrong},
    path::push_key,
    reader::Reader,
    wire::{IntOrText, Rollout, Wire, object::object},
};
use crate::{
    fleet::{Abort, ClusterName, FLEET_ANNOTATION, Inside, NotAClusterName, Policy, Traffic, Unreachable},
    nearest::nearest,
};
use alloc::{format, string::String, sync::Arc, vec, vec::Vec};
use core::time::Duration;
use serde_json::{Map, Value};

const FORM: &str = r#"write JSON such as `{"clusters": ["a", "b"], "soak": "10m"}`"#;

object! {
    /// The policy, as it is written.
    #[expect(unreachable_pub, reason = "the macro declares public parts of a manifest")]
    Written like "clusters: [a, b]" {
        clusters: Vec<String> = "clusters",
        waves: Vec<Vec<String>> = "waves",
        inside: String = "inside",
        soak: IntOrText = "soak",
        max_failures: i32 = "maxFailures",
        unreachable: Choice = "unreachable",
        abort: String = "abort",
        follow: bool = "follow",
        traffic: Choice = "traffic",
    }
}

/// A word, or a word with settings: `hold`, or `countAsFailed: {after: 30m}`.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(unreachable_pub, reason = "part of a struct that the macro declares public")]
pub struct Choice {
    word: String,
    settings: Map<String, Value>,
}

impl Wire for Choice {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if let Value::String(word) = value {
            return Some(Self { word: word.clone(), settings: Map::new() });
        }
        if let Some((word, Value::Object(settings))) =
            value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next())
        {
            return Some(Self { word: word.clone(), settings: settings.clone() });
        }
        reader.wrong("a word, or a map with one", value, "");
        None
    }
}

/// Returns the policy of a Rollout's clusters; `None` without the annotation.
///
/// # Errors
/// All mistakes in the annotation, each with its path.
pub(super) fn read(rollout: &Rollout) -> Result<Option<Arc<Policy>>, Vec<Finding>> {
    let Some((written, path)) = json::<Written>(rollout, FLEET_ANNOTATION, FORM)? else { return Ok(None) };
    let mut reading = Reading { path, findings: Vec::new() };
    let policy = reading.policy(&written);
    if reading.findings.is_empty() { Ok(Some(Arc::new(policy))) } else { Err(reading.findings) }
}

struct Reading {
    path: String,
    findings: Vec<Finding>,
}

impl Reading {
    fn policy(&mut self, written: &Written) -> Policy {
        let waves = match (&written.clusters, &written.waves) {
            (Some(clusters), None) => vec![self.names(clusters, "clusters")],
            (None, Some(waves)) => {
                let waves = waves.iter().enumerate();
                waves.map(|(index, wave)| self.names(wave, &format!("waves[{index}]"))).collect()
            }
            (Some(_), Some(_)) => {
                self.wrong("waves", "says the same as `clusters`", "write one of them");
                Vec::new()
            }
            (None, None) => Vec::new(),
        };
        let mut policy = Policy::new(waves);
        policy.inside = self.word("inside", written.inside.as_deref(), IN_STEP, policy.inside);
        policy.abort = self.word("abort", written.abort.as_deref(), ABORTS, policy.abort);
        policy.follow = written.follow.unwrap_or(true);
        policy.soak = written.soak.as_ref().map_or(Duration::ZERO, |soak| self.duration("soak", soak));
        if let Some(most) = written.max_failures {
            policy.max_failures = u32::try_from(most).unwrap_or_else(|_| {
                self.wrong("maxFailures", "is below 0", "write how many clusters may fail, such as 0");
                0
            });
        }
        if let Some(choice) = &written.unreachable {
            policy.unreachable = self.unreachable(choice);
        }
        if let Some(choice) = &written.traffic {
            policy.traffic = self.traffic(choice);
        }
        let named = self.findings.is_empty();
        for mistake in policy.mistakes().into_iter().filter(|_| named) {
            self.findings.push(wrong(self.path.clone(), format!("{mistake}"), mistake.instead()));
        }
        policy
    }

    fn names(&mut self, names: &[String], field: &str) -> Vec<ClusterName> {
        let mut read = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            match ClusterName::new(name) {
                Ok(name) => read.push(name),
                Err(error) => self.wrong(&format!("{field}[{index}]"), error.what, NotAClusterName::INSTEAD),
            }
        }
        read
    }

    fn word<T: Copy>(&mut self, field: &str, word: Option<&str>, all: [(&str, T); 2], default: T) -> T {
        let Some(word) = word else { return default };
        if let Some((_, value)) = all.iter().find(|(known, _)| *known == word) {
            return *value;
        }
        self.unknown(field, word, &all.map(|(known, _)| known));
        default
    }

    fn unreachable(&mut self, choice: &Choice) -> Unreachable {
        match choice.word.as_str() {
            "hold" => {
                self.only("unreachable.hold", &choice.settings, &[]);
                Unreachable::Hold
            }
            "countAsFailed" => {
                self.only("unreachable.countAsFailed", &choice.settings, &["after"]);
                let path = "unreachable.countAsFailed.after";
                let mut reader = Reader::at(path);
                let after =
                    choice.settings.get("after").and_then(|after| IntOrText::read(after, &mut reader));
                let after = if let Some(after) = after {
                    self.duration(path, &after)
                } else {
                    self.wrong(path, "is not given", "write the time, such as `\"30m\"`");
                    Duration::ZERO
                };
                Unreachable::CountAsFailed { after }
            }
            other => {
                self.unknown("unreachable", other, &["hold", "countAsFailed"]);
                Unreachable::Hold
            }
        }
    }

    fn traffic(&mut self, choice: &Choice) -> Traffic {
        match choice.word.as_str() {
            "own" => {
                self.only("traffic.own", &choice.settings, &[]);
                Traffic::Own
            }
            "shared" => {
                self.only("traffic.shared", &choice.settings, &["owner"]);
                let owner = choice.settings.get("owner").and_then(Value::as_str).unwrap_or_default();
                match ClusterName::new(owner) {
                    Ok(owner) => Traffic::Shared { owner },
                    Err(error) => {
                        self.wrong("traffic.shared.owner", error.what, NotAClusterName::INSTEAD);
                        Traffic::Own
                    }
                }
            }
            other => {
                self.unknown("traffic", other, &["own", "shared"]);
                Traffic::Own
            }
        }
    }

    fn only(&mut self, path: &str, settings: &Map<String, Value>, known: &[&str]) {
        for key in settings.keys().filter(|key| !known.contains(&key.as_str())) {
            let instead = match known {
                [] => String::from("remove it"),
                known => format!("write `{}`", known.join("`, `")),
            };
            let mut path = String::from(path);
            push_key(&mut path, key);
            self.wrong(&path, "means nothing here", &instead);
        }
    }

    fn duration(&mut self, field: &str, duration: &IntOrText) -> Duration {
        match pause_seconds(duration) {
            Ok(seconds) => Duration::from_secs(seconds.into()),
            Err(error) => {
                self.wrong(
                    field,
                    &format!("{error}"),
                    "write a number of seconds, or a time such as `\"10m\"`",
                );
                Duration::ZERO
            }
        }
    }

    fn unknown(&mut self, field: &str, word: &str, known: &[&str]) {
        let instead = match nearest(word, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("write one of: {}", known.join(", ")),
        };
        self.wrong(field, "is none of the words that it may be", &instead);
    }

    fn wrong(&mut self, field: &str, what: &str, instead: &str) {
        self.findings.push(wrong(format!("{}.{field}", self.path), what, instead));
    }
}

const IN_STEP: [(&str, Inside); 2] = [("lockStep", Inside::LockStep), ("free", Inside::Free)];
const ABORTS: [(&str, Abort); 2] = [("everywhere", Abort::Everywhere), ("here", Abort::Here)];

#[cfg(test)]
mod tests {
    use crate::argo::{check, wire::Rollout};
    use crate::fleet::{Abort, FLEET_ANNOTATION, Inside, Policy, Traffic, Unreachable};
    use alloc::{
        string::{String, ToString},
        sync::Arc,
        vec::Vec,
    };
    use core::time::Duration;
    use serde_json::json;

    fn read(text: &str) -> Option<Arc<Policy>> {
        let rollout = json!({"metadata": {"annotations": {FLEET_ANNOTATION: text}}});
        super::read(&Rollout::from_value(&rollout)).unwrap()
    }

    fn errors(text: &str) -> Vec<String> {
        let report = check(&json!({"metadata": {"annotations": {FLEET_ANNOTATION: text}}}));
        let ours = report.errors().filter(|error| error.path.contains("fleet"));
        ours.map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_policy_is_read() {
        let policy = read(
            r#"{"waves": [["a"], ["b", "c"]], "inside": "free", "soak": "10m", "maxFailures": 1,
                "unreachable": {"countAsFailed": {"after": "30m"}}, "abort": "here", "follow": false}"#,
        );
        let policy = policy.unwrap();
        assert_eq!(policy.clusters().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((policy.waves.len(), policy.inside, policy.soak.as_secs()), (2, Inside::Free, 600));
        assert_eq!((policy.max_failures, policy.abort, policy.follow), (1, Abort::Here, false));
        let after = Duration::from_secs(1_800);
        assert_eq!(policy.unreachable, Unreachable::CountAsFailed { after });
        let shared = read(r#"{"clusters": ["a", "b"], "traffic": {"shared": {"owner": "b"}}}"#).unwrap();
        assert!(matches!(&shared.traffic, Traffic::Shared { owner } if owner.as_str() == "b"));
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_what_to_write() {
        let told = errors(
            r#"{"clusters": ["a", "../b"], "inside": "lockstep", "soak": "2d", "maxFailures": -1,
                "unreachable": {"countAsFailed": {}}, "traffic": {"shared": {"owner": ""}}}"#,
        );
        let all = told.join("\n");
        assert_eq!(told.len(), 6, "{all}");
        assert!(all.contains("clusters[1]") && all.contains("did you mean `lockStep`?"), "{all}");
        assert!(all.contains("unreachable.countAsFailed.after"), "{all}");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let shared = errors(r#"{"waves": [["a"], ["b"]], "traffic": {"shared": {"owner": "a"}}}"#);
        assert!(shared[0].contains("must all go in step"), "{shared:?}");
        assert!(errors(r#"{"clusters": ["a", "a"]}"#)[0].contains("named twice"));
        assert!(errors(r#"{"clusters": ["a"], "wave": 3}"#)[0].contains("unknown field `wave`"));
        assert!(errors("clusters: [a]")[0].contains("is not JSON"));
        assert!(errors("{}")[0].contains("no cluster is named"));
    }
}

//! Keeps what Secrets hold, and too long texts, out of what is stored and logged.

use rollout_core::analysis::{Compare, RunStatus};
use std::{borrow::Cow, fmt};

/// What stands in the place of a secret.
const HIDDEN: &str = "*****";
/// The most bytes of a measured value that are stored, and of a message.
pub(super) const LONGEST_VALUE: usize = 4 << 10;
const LONGEST_MESSAGE: usize = 2 << 10;

/// Texts that must not be seen: the longest first, so that none is left over when another is a part of it.
#[derive(Default)]
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Hides these secrets, also where JSON, a URL or a quoted text holds them.
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut hidden: Vec<String> = secrets.into_iter().flat_map(|secret| forms(&secret)).collect();
        hidden.retain(|text| !text.is_empty());
        hidden.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        hidden.dedup();
        Self(hidden)
    }

    /// Hides more secrets, too.
    pub(super) fn and(mut self, more: Vec<String>) -> Self {
        if more.is_empty() {
            return self;
        }
        self.0.extend(more);
        Self::new(self.0)
    }

    /// Returns a text with every secret hidden.
    pub(super) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret) { Cow::Owned(text.replace(secret, HIDDEN)) } else { text }
        })
    }

    /// Hides the secrets in a status, and shortens what is too long to be stored.
    pub(super) fn status(&self, status: &mut RunStatus) {
        let tidy = |text: &mut String, most: usize| {
            if let Cow::Owned(hidden) = self.hide(text) {
                *text = hidden;
            }
            cut(text, most);
        };
        tidy(&mut status.message, LONGEST_MESSAGE);
        for result in &mut status.metrics {
            tidy(&mut result.message, LONGEST_MESSAGE);
            result.metadata.values_mut().for_each(|value| tidy(value, LONGEST_VALUE));
            for measurement in &mut result.measurements {
                tidy(&mut measurement.value, LONGEST_VALUE);
                tidy(&mut measurement.message, LONGEST_MESSAGE);
                for (key, value) in &mut measurement.metadata {
                    // Numbers and hashes, which nobody could read again.
                    if !Compare::METADATA.contains(&key.as_str()) {
                        tidy(value, LONGEST_VALUE);
                    }
                }
            }
        }
    }
}

/// Names no secret.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mask").field(&self.0.len()).finish()
    }
}

/// The forms in which a secret may be met.
fn forms(secret: &str) -> Vec<String> {
    let quoted = |text: &str| text.trim_matches('"').to_owned();
    let json = serde_json::Value::from(secret).to_string();
    let mut encoded = String::new();
    crate::store::encode(secret, &mut encoded);
    vec![secret.to_owned(), secret.trim().to_owned(), quoted(&json), quoted(&format!("{secret:?}")), encoded]
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most.saturating_sub('…'.len_utf8())).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let mask = Mask::new(["pa\"ss w\n".to_owned(), "pa".to_owned()]);
        assert_eq!(mask.hide(r#"{"echo":"pa\"ss w\n"}"#), r#"{"echo":"*****"}"#);
        assert_eq!(mask.hide("?q=pa%22ss%20w%0A&r=pa%22ss"), "?q=*****&r=*****%22ss");
        assert_eq!(mask.hide("it is pa\"ss w."), "it is *****.", "without white space at its ends");
        assert_eq!(mask.hide("nothing"), "nothing");
        assert_eq!(Mask::new([String::new()]).hide("text"), "text", "an empty Secret hides nothing");
        assert!(!format!("{mask:?}").contains("pa"));
    }

    #[test]
    fn the_evidence_of_a_comparison_stays_whole() {
        let counters = "1 ".repeat(9_000);
        let kept = json!({"rollout-core/counters": counters, "other": counters});
        let mut status = RunStatus::read(&json!({
            "metricResults": [{"name": "a", "measurements": [{"metadata": kept}]}]
        }));
        Mask::new(["1".to_owned()]).status(&mut status);
        let metadata = &status.metrics[0].measurements[0].metadata;
        assert_eq!(metadata["rollout-core/counters"], counters);
        assert!(metadata["other"].starts_with("***** *****"));
    }

    #[test]
    fn a_status_shows_no_secret_and_nothing_too_long() {
        let long = format!("s3cret {}", "ü".repeat(9_000));
        let mut status = RunStatus::read(&json!({
            "message": "s3cret",
            "metricResults": [{
                "name": "a", "message": long, "metadata": {"query": "s3cret"},
                "measurements": [{"value": long, "message": "s3cret", "metadata": {"a": "s3cret"}}]
            }]
        }));
        Mask::new(["s3cret".to_owned()]).status(&mut status);
        let text = status.write().to_string();
        assert!(!text.contains("s3cret"), "{text}");
        let value = &status.metrics[0].measurements[0].value;
        assert!(value.len() <= LONGEST_VALUE && value.ends_with('…'), "{}", value.len());
        assert!(status.metrics[0].message.len() <= LONGEST_MESSAGE);
    }
}

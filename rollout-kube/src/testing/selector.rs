use serde_json::Value;

/// A label selector.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone)]
enum Requirement {
    Has(String),
    HasNot(String),
    In(String, Vec<String>),
    /// Selects objects without the label, too.
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Parses a selector as written in a query: `app=web,tier in (a,b),!old`.
    pub(super) fn parse(text: &str) -> Self {
        let mut depth = 0_usize;
        let parts = text.split(move |letter| {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        });
        Self(parts.map(str::trim).filter(|part| !part.is_empty()).map(Requirement::parse).collect())
    }

    pub(super) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn selects(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.0.iter().all(|requirement| match requirement {
            Requirement::Has(key) => label(key).is_some(),
            Requirement::HasNot(key) => label(key).is_none(),
            Requirement::In(key, values) => {
                label(key).is_some_and(|label| values.iter().any(|value| value == label))
            }
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|label| values.iter().all(|value| value != label))
            }
        })
    }
}

impl Requirement {
    fn parse(part: &str) -> Self {
        let one = |key: &str| key.trim().to_owned();
        let values =
            |values: &str| values.trim().trim_matches(['(', ')']).split(',').map(one).collect::<Vec<_>>();
        if let Some((key, value)) = part.split_once("!=") {
            Self::NotIn(one(key), vec![one(value)])
        } else if let Some((key, value)) = part.split_once('=') {
            Self::In(one(key), vec![one(value.trim_start_matches('='))])
        } else if let Some((key, among)) = part.split_once(" notin ") {
            Self::NotIn(one(key), values(among))
        } else if let Some((key, among)) = part.split_once(" in ") {
            Self::In(one(key), values(among))
        } else if let Some(key) = part.strip_prefix('!') {
            Self::HasNot(one(key))
        } else {
            Self::Has(one(part))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_requires_labels_or_their_absence() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "a"}}});
        for (selector, selects) in [
            ("", true),
            ("app", true),
            ("old", false),
            ("!app", false),
            ("!old", true),
            ("app=web", true),
            ("app==web,tier=b", false),
            ("tier!=b", true),
            ("old!=b", true),
            ("tier in (b,a),app", true),
            ("tier in (b)", false),
            ("tier notin (a,b)", false),
            ("old notin (a)", true),
        ] {
            assert_eq!(Selector::parse(selector).selects(&object), selects, "{selector}");
        }
        assert!(Selector::parse("").is_everything());
    }
}

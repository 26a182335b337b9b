//! What a provider answers, as far as that is known before it is asked.

use super::promql::Query;
use crate::analysis::{Kind, spec::text};
use alloc::boxed::Box;
use serde_json::Value as Json;

/// The provider of the comparison.
const COMPARE: &str = "rollout-core/compare";
/// What stands for a value that only a Secret has.
const SECRET: &str = "temp-for-secret";

/// What a provider answers.
#[derive(Debug)]
pub(super) enum Answers {
    /// A verdict: conditions are not asked. Who judges, for messages.
    Verdict(&'static str),
    /// A value of this type.
    Value(Kind),
    /// A number from Prometheus, or a list of one from a server that knows no scalars.
    Scalar(Query),
    /// A list from Prometheus; its query, if that could be read and is asked for one time.
    List(Option<Query>),
    /// A number from Datadog, or nothing.
    NumberOrNil,
}

impl Answers {
    pub(super) fn of(provider: &Json) -> Self {
        let settings = |name: &str| provider.get(name).filter(|settings| settings.is_object());
        if settings("job").is_some() {
            return Self::Verdict("the Job");
        }
        if settings("kayenta").is_some() {
            return Self::Verdict("Kayenta");
        }
        if compared(provider).is_some() {
            return Self::Verdict("the comparison");
        }
        if let Some(settings) = settings("prometheus") {
            return Self::of_prometheus(settings);
        }
        match settings("datadog") {
            Some(settings) if is_first_version(settings) => Self::NumberOrNil,
            _ => Self::Value(Kind::Any),
        }
    }

    fn of_prometheus(settings: &Json) -> Self {
        let is_range = settings.get("rangeQuery").is_some_and(|range| !range.is_null());
        if is_range {
            return Self::List(None);
        }
        let query = Query::read(text(settings, "query")).filter(|_| is_known(text(settings, "query")));
        let Some(query) = query else { return Self::Value(Kind::Any) };
        match query.is_scalar() {
            Some(true) => Self::Scalar(query),
            Some(false) => Self::List(Some(query)),
            None => Self::Value(Kind::Any),
        }
    }

    /// The type of `result`.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Verdict(_) => Kind::Any,
            Self::Value(kind) => kind.clone(),
            Self::Scalar(_) | Self::NumberOrNil => Kind::Float,
            Self::List(_) => Kind::List(Box::new(Kind::Float)),
        }
    }

    /// The query, if one is asked for one time.
    pub(super) fn query(&self) -> Option<&Query> {
        match self {
            Self::Scalar(query) | Self::List(Some(query)) => Some(query),
            Self::Verdict(_) | Self::Value(_) | Self::List(None) | Self::NumberOrNil => None,
        }
    }
}

/// Whether the text is known, and not only what stands for it.
pub(super) fn is_known(text: &str) -> bool {
    !text.contains(SECRET)
}

/// The settings of the comparison, if this is its provider.
pub(super) fn compared(provider: &Json) -> Option<&Json> {
    provider.get("plugin")?.get(COMPARE)
}

/// Whether Datadog is asked by the interface that always answers one number.
fn is_first_version(settings: &Json) -> bool {
    matches!(text(settings, "apiVersion"), "" | "v1") && settings.get("queries").is_none_or(Json::is_null)
}

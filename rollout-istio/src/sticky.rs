//! Sticky splits: a user who has met the canary keeps meeting it while its weight lasts.
//!
//! The weights of a strategy cut the range from 0 to all traffic into intervals. A user's first response sets a cookie
//! that names one of them, each with the probability of its size; from then on, the user meets the canary if the
//! interval is below the weight. So the share of the canary is its weight at any time, and a rising weight takes no user
//! away from it. Nothing is stored but the cookie.

mod made;

use crate::{
    config::IstioConfig,
    managed::same,
    rules::{Place, Protocol, name_of},
};
use rollout_core::Finding;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

pub(crate) use made::{Release, made};

/// A cookie that makes http splits sticky, and the weights between which users are divided.
///
/// ```
/// use rollout_istio::{IstioConfig, Sticky};
/// let config = IstioConfig::hosts("shop", "web", "web-canary").sticky(Sticky::new("web-canary", [5, 50])?);
/// assert_eq!(config.sticky.unwrap().weights, [5, 50].into(), "out of the configuration's `max_weight`");
/// assert!(Sticky::new("no cookie", []).is_err());
/// # Ok::<(), rollout_core::Finding>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sticky {
    /// The name of the cookie.
    pub cookie: Arc<str>,
    /// The weights of the strategy. Only at these a split is entirely sticky; at another weight, for example while a
    /// gradual abort lasts, some users meet both revisions.
    pub weights: BTreeSet<u32>,
}

impl Sticky {
    /// Creates the setting.
    ///
    /// # Errors
    /// `cookie` is not the name of a cookie (RFC 6265).
    ///
    /// See [`Sticky`] for an example.
    pub fn new(cookie: &str, weights: impl IntoIterator<Item = u32>) -> Result<Self, Finding> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if cookie.is_empty() || cookie.len() > LONGEST || !cookie.bytes().all(is_token) {
            let what = format!("{:?} is not the name of a cookie", crate::problem::shown(cookie));
            let instead = format!("write at most {LONGEST} letters, digits, `-`, `_` and `.`");
            return Err(Finding::error("", what, instead));
        }
        Ok(Self { cookie: cookie.into(), weights: weights.into_iter().collect() })
    }
}

/// The maximum length of a cookie's name.
const LONGEST: usize = 100;

/// Returns whether an object has, or should have, sticky routes of this Rollout.
pub(crate) fn concerns(config: &IstioConfig, object: &Value) -> bool {
    config.sticky.is_some()
        || http(object).is_some_and(|http| http.iter().any(|rule| is_sticky(config, rule)))
}

/// Returns an object without the sticky routes of this Rollout.
pub(crate) fn stripped<'o>(config: &IstioConfig, object: &'o Value) -> Cow<'o, Value> {
    if !http(object).is_some_and(|http| http.iter().any(|rule| is_sticky(config, rule))) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    strip(config, &mut object);
    Cow::Owned(object)
}

/// Removes the sticky routes of this Rollout.
pub(crate) fn strip(config: &IstioConfig, object: &mut Value) {
    if let Some(http) = http_mut(object) {
        http.retain(|rule| !is_sticky(config, rule));
    }
}

/// Inserts routes before those at these places.
pub(crate) fn insert(object: &mut Value, mut routes: Vec<(Place, Vec<Value>)>) {
    let Some(http) = http_mut(object) else { return };
    routes.sort_by_key(|(place, _)| std::cmp::Reverse(place.index));
    for (place, routes) in routes {
        if place.index <= http.len() {
            http.splice(place.index..place.index, routes);
        }
    }
}

/// Returns whether two objects have the same http routes.
pub(crate) fn same_http(one: &Value, other: &Value) -> bool {
    let list = |object| http(object).unwrap_or_default();
    let (one, other): (&[Value], &[Value]) = (list(one), list(other));
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}

/// The name of all sticky routes of a Rollout, by which they are found again.
pub(crate) fn route_name(config: &IstioConfig) -> String {
    format!("sticky.{}.{}", config.rollout.namespace, config.rollout.name)
}

fn is_sticky(config: &IstioConfig, rule: &Value) -> bool {
    let name = name_of(rule).and_then(|name| name.strip_prefix("sticky."));
    name.and_then(|name| name.split_once('.')).is_some_and(|(namespace, name)| {
        *namespace == *config.rollout.namespace && *name == *config.rollout.name
    })
}

fn http(object: &Value) -> Option<&[Value]> {
    object.get("spec")?.get(Protocol::Http.key())?.as_array().map(Vec::as_slice)
}

fn http_mut(object: &mut Value) -> Option<&mut Vec<Value>> {
    object.get_mut("spec")?.get_mut(Protocol::Http.key())?.as_array_mut()
}

use super::EditError;
use crate::{Finding, backend::RolloutRef, traffic::ObjectRef};
use alloc::{format, string::String, sync::Arc};

/// A claim of a Rollout on part of an object: a Service's selector, one subset, one route.
///
/// Two Rollouts with the same claim would undo each other's writes forever, so the younger is refused; the driver knows
/// which one that is. Only claims on objects that a Rollout may touch count: a Rollout whose last observation ended in
/// [`EditError::lacks_consent`] has no claim on that object.
///
/// ```
/// use rollout_core::backend::Claim;
/// use rollout_core::{traffic::ObjectRef, backend::RolloutRef};
/// let service = ObjectRef::new("", "Service", "shop", "web");
/// let claim = |name| Claim::selector(RolloutRef::new("shop", name), service.clone());
/// assert!(claim("web").collision(&claim("web")).is_none());
/// let error = claim("web2").collision(&claim("web")).map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some(concat!(
///     "Service shop/web: spec.selector: Rollout shop/web2 and Rollout shop/web both drive the selector ",
///     "(Service \"web\" is managed by another Rollout); give each Rollout a Service of its own",
/// )));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Claim {
    /// The Rollout that makes the claim.
    pub rollout: RolloutRef,
    /// The object.
    pub object: ObjectRef,
    /// The path in the object (`spec.http`).
    pub path: Arc<str>,
    /// The kind of part: `selector`, `subset`, `http route`.
    pub kind: Arc<str>,
    /// The name of the part; `None` means the only one of its kind, and therefore any of them.
    pub name: Option<Arc<str>>,
}

impl Claim {
    /// Claims the selector of a Service.
    ///
    /// See [`Claim`] for an example.
    #[must_use]
    pub fn selector(rollout: RolloutRef, service: ObjectRef) -> Self {
        Self::new(rollout, service, "spec.selector", "selector", None)
    }

    /// Claims a part of this kind at `path`; without a name, the only one.
    ///
    /// See [`collides`](Self::collides) for an example.
    #[must_use]
    pub fn new(rollout: RolloutRef, object: ObjectRef, path: &str, kind: &str, name: Option<&str>) -> Self {
        Self { rollout, object, path: path.into(), kind: kind.into(), name: name.map(Into::into) }
    }

    /// Returns whether another Rollout claims the same part.
    ///
    /// ```
    /// use rollout_core::{backend::{Claim, RolloutRef}, traffic::ObjectRef};
    /// let gateway = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "gateway");
    /// let claim = |rollout, route| {
    ///     Claim::new(RolloutRef::new("shop", rollout), gateway.clone(), "spec.http", "http route", route)
    /// };
    /// assert!(!claim("web", Some("pages")).collides(&claim("api", Some("calls"))), "one object, two routes");
    /// assert!(claim("web", Some("pages")).collides(&claim("api", None)), "`api` names no route: it means any");
    /// ```
    #[must_use]
    pub fn collides(&self, other: &Self) -> bool {
        let both_named = self.name.as_ref().zip(other.name.as_ref());
        self.rollout != other.rollout
            && self.object == other.object
            && (&self.path, &self.kind) == (&other.path, &other.kind)
            && both_named.is_none_or(|(one, other)| one == other)
    }

    /// Returns the error for the Rollout of this claim if another has `older`: both Rollouts, the part that both drive,
    /// and what to write instead. `None` if the claims do not [collide](Self::collides).
    ///
    /// See [`Claim`] for an example.
    #[must_use]
    pub fn collision(&self, older: &Self) -> Option<EditError> {
        if !self.collides(older) {
            return None;
        }
        let (what, remark, own) = if &*self.kind == "selector" {
            let remark = format!(" (Service {:?} is managed by another Rollout)", self.object.name);
            ("the selector".into(), remark, format!("a {}", self.object.kind))
        } else {
            let own = if self.kind.starts_with("http") { "an" } else { "a" };
            (self.what(older), String::new(), format!("{own} {}", self.kind))
        };
        let what = format!("{} and {} both drive {what}{remark}", self.rollout, older.rollout);
        let instead = format!("give each Rollout {own} of its own");
        Some(EditError::new(self.object.clone(), Finding::error(&*self.path, what, instead)))
    }

    fn what(&self, other: &Self) -> String {
        let means_each = |who: &RolloutRef, name: &str| {
            format!("the {} {name:?} ({who} names none, and so means each)", self.kind)
        };
        match (&self.name, &other.name) {
            (Some(name), Some(_)) => format!("the {} {name:?}", self.kind),
            (Some(name), None) => means_each(&other.rollout, name),
            (None, Some(name)) => means_each(&self.rollout, name),
            (None, None) => format!("the only {}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn route(rollout: &str, object: &str, name: Option<&str>) -> Claim {
        let object = ObjectRef::new("networking.istio.io", "VirtualService", "shop", object);
        Claim::new(RolloutRef::new("shop", rollout), object, "spec.http", "http route", name)
    }

    #[test]
    fn two_of_one_route_collide_whoever_asks() {
        let named = route("a", "gw", Some("primary"));
        for (other, expected) in [
            (route("b", "gw", Some("primary")), true),
            (route("b", "gw", None), true),
            (route("b", "gw", Some("other")), false),
            (route("b", "edge", Some("primary")), false),
            (route("a", "gw", Some("primary")), false),
            (Claim { path: "spec.tcp".into(), ..route("b", "gw", None) }, false),
        ] {
            assert_eq!(named.collides(&other), expected, "{other:?}");
            assert_eq!(other.collides(&named), expected, "{other:?}");
            assert_eq!(named.collision(&other).is_some(), expected);
        }
    }

    #[test]
    fn the_sentence_names_both_and_what_they_share() {
        let said = |one: Claim, other: Claim| one.collision(&other).unwrap().to_string();
        assert_eq!(
            said(route("b", "gw", Some("primary")), route("a", "gw", Some("primary"))),
            "VirtualService shop/gw: spec.http: Rollout shop/b and Rollout shop/a both drive the http route \
             \"primary\"; give each Rollout an http route of its own"
        );
        let (named, each) = (route("a", "gw", Some("primary")), route("b", "gw", None));
        for text in [said(named.clone(), each.clone()), said(each, named)] {
            assert!(text.contains("\"primary\" (Rollout shop/b names none, and so means each)"), "{text}");
        }
        assert!(
            said(route("b", "gw", None), route("a", "gw", None)).contains("both drive the only http route")
        );
    }
}

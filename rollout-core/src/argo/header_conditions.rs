//! What the header routes of a Rollout match besides their headers: an annotation, because Argo Rollouts' definition has
//! no field for it.

use super::{
    Finding,
    convert::text,
    json_annotation::{json, wrong},
    path::{child, push_key},
    wire::{Rollout, StringMatchField, object::object},
};
use crate::traffic::{RequestMatch, StringMatch};
use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};

/// The annotation of a Rollout with further conditions of its header routes, as JSON: for the name of each route,
/// conditions on `path`, `method`, `headers`, `query` and one `cookie`. A request must meet all of them, and one `match`
/// of the step.
///
/// ```
/// use rollout_core::argo::{HEADER_CONDITIONS_ANNOTATION, check};
/// use serde_json::json;
/// let conditions = json!({"testers": {"path": {"prefix": "/api"}, "cookie": {"team": {"exact": "beta"}}}});
/// let rollout = json!({"metadata": {"annotations": {HEADER_CONDITIONS_ANNOTATION: conditions.to_string()}}});
/// let report = check(&rollout);
/// let wrong = report.errors().find(|error| error.path.starts_with("metadata")).unwrap();
/// assert!(wrong.what.contains("no step `setHeaderRoute` adds a route of this name"), "{wrong}");
/// ```
pub const HEADER_CONDITIONS_ANNOTATION: &str = "rollout-core/header-route-conditions";

/// Conditions by the name of a header route.
pub(super) type HeaderConditions = BTreeMap<String, RequestMatch>;

const FORM: &str = r#"write JSON such as `{"testers": {"path": {"prefix": "/api"}}}`"#;

/// The headers that Envoy computes from the other parts of a request, which have fields of their own.
const COMPUTED: char = ':';

object! {
    /// The conditions of one route, as they are written.
    #[expect(unreachable_pub, reason = "the macro declares public parts of a manifest")]
    Written like "path: {prefix: /api}" {
        path: StringMatchField = "path",
        method: StringMatchField = "method",
        headers: BTreeMap<String, StringMatchField> = "headers",
        query: BTreeMap<String, StringMatchField> = "query",
        cookie: BTreeMap<String, StringMatchField> = "cookie",
    }
}

/// Returns the conditions of a Rollout's header routes; none without the annotation.
///
/// # Errors
/// All mistakes in the annotation, each with its path.
pub(super) fn read(rollout: &Rollout) -> Result<HeaderConditions, Vec<Finding>> {
    let written = json::<BTreeMap<String, Written>>(rollout, HEADER_CONDITIONS_ANNOTATION, FORM)?;
    let Some((written, path)) = written else { return Ok(HeaderConditions::new()) };
    let mut findings = Vec::new();
    let mut routes = HeaderConditions::new();
    for (name, written) in &written {
        let conditions = Conditions { path: child(&path, name), findings: &mut findings }.read(written);
        routes.insert(name.clone(), conditions);
    }
    added(rollout, &path, &routes, &mut findings);
    if findings.is_empty() { Ok(routes) } else { Err(findings) }
}

/// Checks that each route is added by a step, and that the two do not name the same header.
fn added(rollout: &Rollout, path: &str, routes: &HeaderConditions, findings: &mut Vec<Finding>) {
    let steps = rollout.canary().and_then(|canary| canary.steps.as_deref()).unwrap_or_default();
    let adds = steps.iter().filter_map(|step| step.set_header_route.as_ref());
    let adds: Vec<_> =
        adds.filter(|route| route.matches.as_ref().is_some_and(|all| !all.is_empty())).collect();
    for (name, conditions) in routes {
        let of_this = adds.iter().filter(|route| route.name.as_deref() == Some(name));
        if of_this.clone().next().is_none() {
            let what = "no step `setHeaderRoute` adds a route of this name";
            findings.push(wrong(
                child(path, name),
                what,
                "write the name of one, or remove these conditions",
            ));
            continue;
        }
        let headers = of_this.flat_map(|route| route.matches.iter().flatten());
        let names = headers.filter_map(|header| header.header_name.as_deref());
        let both =
            names.filter(|name| conditions.headers.keys().any(|other| other.eq_ignore_ascii_case(name)));
        for header in both.collect::<alloc::collections::BTreeSet<_>>() {
            let what =
                format!("the step matches the header {header:?}, too, and a proxy compares it only once");
            findings.push(wrong(child(path, name), what, "match this header in one place"));
        }
    }
}

struct Conditions<'f> {
    path: String,
    findings: &'f mut Vec<Finding>,
}

impl Conditions<'_> {
    fn read(mut self, written: &Written) -> RequestMatch {
        let mut matches = RequestMatch {
            path: written.path.as_ref().and_then(|value| self.text("path", value)),
            method: written.method.as_ref().and_then(|value| self.text("method", value)),
            headers: self.texts("headers", written.headers.as_ref()),
            query: self.texts("query", written.query.as_ref()),
        };
        for header in matches.headers.keys().filter(|name| name.starts_with(COMPUTED)) {
            let path = child(&child(&self.path, "headers"), header);
            self.findings.push(wrong(path, "is no header of a request", "use `path` or `method`"));
        }
        for (name, value) in &matches.query {
            if matches!(value, StringMatch::Prefix(_)) {
                let path = child(&child(&self.path, "query"), name);
                let what = "older versions of Istio compare query parameters only by `exact` and `regex`";
                self.findings.push(wrong(path, what, "write `regex: TEXT.*` instead of `prefix: TEXT`"));
            }
        }
        self.cookie(written.cookie.as_ref(), &mut matches.headers);
        if *written == Written::default() {
            let what = "says nothing that a request must meet";
            self.findings.push(wrong(self.path.clone(), what, FORM));
        }
        matches
    }

    /// A proxy knows cookies only as one header. All of them are in it, so one condition on it is all there can be.
    fn cookie(
        &mut self,
        written: Option<&BTreeMap<String, StringMatchField>>,
        headers: &mut BTreeMap<String, StringMatch>,
    ) {
        let cookies = self.texts("cookie", written);
        if cookies.is_empty() {
            return;
        }
        let path = child(&self.path, "cookie");
        if cookies.len() > 1 || headers.keys().any(|name| name.eq_ignore_ascii_case("cookie")) {
            let what = "a proxy compares the header of all cookies only once";
            self.findings.push(wrong(path, what, "match one cookie"));
            return;
        }
        let Some((name, value)) = cookies.into_iter().next() else { return };
        if !name.bytes().all(is_token) || name.is_empty() {
            let what = format!("{name:?} is not the name of a cookie");
            self.findings.push(wrong(path, what, "write letters, digits, `-`, `_` and `.`"));
            return;
        }
        headers.extend(RequestMatch::cookie(&name, &value).headers);
    }

    fn texts(
        &mut self,
        field: &str,
        written: Option<&BTreeMap<String, StringMatchField>>,
    ) -> BTreeMap<String, StringMatch> {
        let mut texts = BTreeMap::new();
        for (name, value) in written.into_iter().flatten() {
            let mut path = field.to_owned();
            push_key(&mut path, name);
            texts.extend(self.text(&path, value).map(|text| (name.clone(), text)));
        }
        texts
    }

    fn text(&mut self, field: &str, value: &StringMatchField) -> Option<StringMatch> {
        let read = text(value);
        if read.is_none() {
            let path = format!("{}.{field}", self.path);
            let what = "is not compared in exactly one way";
            self.findings.push(wrong(path, what, "write one of `exact: …`, `prefix: …`, `regex: …`"));
        }
        read
    }
}

/// The characters of a cookie's name (RFC 6265, 4.1.1).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use serde_json::json;

    fn read(conditions: &str) -> Result<HeaderConditions, Vec<String>> {
        let header = json!({"headerName": "x-tester", "headerValue": {"exact": "yes"}});
        let rollout = json!({
            "metadata": {"annotations": {HEADER_CONDITIONS_ANNOTATION: conditions}},
            "spec": {"strategy": {"canary": {"steps": [
                {"setHeaderRoute": {"name": "testers", "match": [header]}},
                {"setHeaderRoute": {"name": "removed"}},
            ]}}},
        });
        super::read(&Rollout::from_value(&rollout))
            .map_err(|findings| findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_part_of_a_request_can_be_a_condition() {
        let conditions = json!({"testers": {
            "path": {"prefix": "/api"}, "method": {"exact": "GET"}, "headers": {"x-team": {"exact": "a"}},
            "query": {"beta": {"regex": "1|2"}}, "cookie": {"se.ssion": {"prefix": "a+"}},
        }});
        let read = read(&conditions.to_string()).unwrap();
        let matches = &read["testers"];
        assert_eq!(matches.path, Some(StringMatch::Prefix("/api".into())));
        assert_eq!(matches.method, Some(StringMatch::Exact("GET".into())));
        assert_eq!(matches.headers["x-team"], StringMatch::Exact("a".into()));
        assert_eq!(matches.query["beta"], StringMatch::Regex("1|2".into()));
        let cookie = StringMatch::Regex(r"(?:.*;\s*)?se\.ssion=a\+[^;]*(?:;.*)?".into());
        assert_eq!(matches.headers["cookie"], cookie);
    }

    #[test]
    fn each_mistake_has_its_place_and_what_to_write() {
        for (conditions, expected) in [
            ("path: /api", "]: is not JSON"),
            ("[]", "must be a map"),
            (
                r#"{"testers": {"paht": {"exact": "/"}}}"#,
                "].testers.paht: unknown field `paht`; did you mean `path`?",
            ),
            (r#"{"testers": {}}"#, "].testers: says nothing"),
            (r#"{"testers": {"path": "/api"}}"#, "].testers.path: `path` must be a map"),
            (r#"{"testers": {"path": {}}}"#, "].testers.path: is not compared in exactly one way"),
            (r#"{"testers": {"path": {"exact": "a", "prefix": "a"}}}"#, "exactly one way"),
            (r#"{"others": {"path": {"exact": "/"}}}"#, "].others: no step `setHeaderRoute`"),
            (r#"{"removed": {"path": {"exact": "/"}}}"#, "].removed: no step `setHeaderRoute`"),
            (
                r#"{"testers": {"headers": {"X-Tester": {"exact": "b"}}}}"#,
                "matches the header \"x-tester\", too",
            ),
            (
                r#"{"testers": {"headers": {":path": {"exact": "b"}}}}"#,
                "].testers.headers[:path]: is no header",
            ),
            (r#"{"testers": {"query": {"a": {"prefix": "b"}}}}"#, "].testers.query.a: older versions"),
            (r#"{"testers": {"cookie": {"a": {"exact": "b"}, "c": {"exact": "d"}}}}"#, "match one cookie"),
            (
                r#"{"testers": {"cookie": {"a": {"exact": "b"}}, "headers": {"Cookie": {"exact": "d"}}}}"#,
                "one cookie",
            ),
            (r#"{"testers": {"cookie": {"a b": {"exact": "b"}}}}"#, "is not the name of a cookie"),
        ] {
            let findings = read(conditions).unwrap_err();
            assert!(findings.len() == 1 && findings[0].contains(expected), "{conditions}: {findings:#?}");
        }
    }
}

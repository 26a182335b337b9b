use rollout_core::argo;
use std::{fmt, hint::black_box};

/// A text that is expensive to read, and what makes it so.
#[derive(Debug)]
pub struct ManifestText {
    what: &'static str,
    text: String,
}

impl fmt::Display for ManifestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.what)
    }
}

const STEPS: &str = "spec:\n  strategy:\n    canary:\n      steps:\n";
const FLOW_STEPS: &str = "spec: {strategy: {canary: {steps: [";

impl ManifestText {
    /// All of them, each at most this many bytes long.
    #[must_use]
    pub fn all(bytes: usize) -> Vec<Self> {
        let same = |start: &str, part: &str, end: &str| filled(bytes, start, &|_| part.into(), end);
        let numbered =
            |start: &str, part: &dyn Fn(usize) -> String, end: &str| filled(bytes, start, part, end);
        let bomb = |n: usize| format!("a{}: &a{} [{}]\n", n + 1, n + 1, format!("*a{n}, ").repeat(9));
        // Just below the bound on the number of values: the most that is not refused.
        let few = |start: &str, part: &str, count: usize| String::from(start) + &part.repeat(count);
        let half = filled(bytes / 2, "a: &a [", &|_| "x, ".into(), "]\nb: [");
        [
            ("ordinary steps", same(STEPS, "      - setWeight: 5\n      - pause: {duration: 10m}\n", "")),
            ("aliases of aliases", numbered("a0: &a0 [x, x, x, x, x, x, x, x, x]\n", &bomb, "")),
            ("one big alias", same(&half, "*a, ", "]")),
            ("merges", same("a: &a {x: 1}\nb:\n", "  <<: *a\n", "")),
            ("brackets", same("", "[", "")),
            ("dashes", same("", "- ", "")),
            ("small values", same("[", "1,", "1]")),
            ("small lines", same("", "- \n", "")),
            ("fields twice", same("{", "a: 1, ", "}")),
            ("one number", same("a: ", "9", "")),
            ("unknown fields", numbered("spec:\n", &|n| format!("  k{n}: 1\n"), "")),
            ("one line", numbered("{\"spec\": {\"x\": 1", &|n| format!(", \"k{n}\": 1"), "}}")),
            ("wrong steps", same(STEPS, "      - setHeaderRoute: {name: x}\n", "")),
            ("empty experiments", same(STEPS, "      - experiment: {templates: []}\n", "")),
            ("small maps that fit", same(&few("a: [", "{a},", 19_900), " ", "]")),
            ("a template of maps that fit", same(&few("spec: {template: [", "{a},", 19_900), " ", "]}")),
            ("steps that fit", same(&few(FLOW_STEPS, "{a: 1},", 19_900), " ", "]}}}")),
            ("empty steps that fit", same(&few(FLOW_STEPS, "~,", 39_900), " ", "]}}}")),
            ("pauses that fit", same(&few(FLOW_STEPS, "{pause},", 19_900), " ", "]}}}")),
            ("small maps", same("a: [", "{a},", "]")),
            ("small maps of a template", same("spec: {template: [", "{a},", "]}")),
            ("small steps", same(FLOW_STEPS, "{a: 1},", "]}}}")),
            ("empty steps", same(FLOW_STEPS, "~,", "]}}}")),
            ("steps of a plugin", same(FLOW_STEPS, "{plugin: {}},", "]}}}")),
            ("empty lists", same("[", "[],", "]")),
            ("lists in lists", same("", "- - -\n", "")),
            ("small names twice", same("{", "a,", "}")),
            ("names twice in documents", same("", "{a,a}\n---\n", "")),
            ("an empty list of objects", same("kind: List\nitems: [", "~,", "]")),
            ("documents", same("", "---\na: 1\n", "")),
            ("long words", same("a: ", "word ", "")),
        ]
        .into_iter()
        .map(|(what, text)| Self { what, text })
        .collect()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// All that is done with a manifest, to the text of every message.
    pub fn read(&self) {
        let reading = argo::read(&self.text, "manifest.yaml");
        for document in &reading.documents {
            let report = argo::check(document.value());
            let made = argo::convert(&report.rollout, argo::template_hash(document.value()));
            for finding in report.findings.into_iter().chain(made.unsupported) {
                black_box(document.locate(&finding).to_string());
            }
            black_box(made.spec);
        }
    }
}

/// As many parts as fit between start and end.
fn filled(bytes: usize, start: &str, part: &dyn Fn(usize) -> String, end: &str) -> String {
    let mut text = String::from(start);
    for index in 0.. {
        let next = part(index);
        if text.len() + next.len() + end.len() > bytes {
            break;
        }
        text.push_str(&next);
    }
    text + end
}

//! Texts that become manifests only when a program has filled something in.

use super::Origin;
use std::path::Path;

/// What kind of template it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// Of Helm, or of something that writes `{{ … }}` as Helm does.
    Helm,
    /// With variables of a shell.
    Variables(Vec<String>),
}

/// What only a Helm template has.
const HELM: [&str; 9] = [
    ".Values",
    ".Release.",
    ".Chart.",
    ".Capabilities",
    "include \"",
    "template \"",
    "define \"",
    "toYaml",
    "nindent",
];

/// Whether a text is a template. `broken`: it is no YAML as it stands.
pub(crate) fn recognise(text: &str, broken: bool) -> Option<Template> {
    let actions = text.match_indices("{{").filter_map(|(at, _)| {
        let rest = text.get(at + 2..)?;
        Some(rest.split_once("}}").map_or(rest, |(action, _)| action))
    });
    let is_helm = |action: &str| broken || HELM.iter().any(|word| action.contains(word));
    if actions.into_iter().any(is_helm) || (broken && text.contains("{%")) {
        return Some(Template::Helm);
    }
    None
}

impl Template {
    /// What it is, and the command that makes a manifest of it.
    pub(crate) fn words(&self, origin: &Origin) -> (String, String) {
        let file = match origin {
            Origin::Named(path) | Origin::Found(path) => Some(path.as_path()),
            Origin::Stream => None,
        };
        match self {
            Self::Helm => {
                let chart = file.and_then(chart).unwrap_or(Path::new("."));
                let command = format!("helm template {} | simulate -", word(chart));
                ("this is a Helm template, which must be rendered first".to_owned(), command)
            }
            Self::Variables(names) => {
                let shown: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
                let file = file.map_or_else(|| "FILE".to_owned(), word);
                let what =
                    format!("there are variables in it that nobody has filled in: {}", shown.join(", "));
                (what, format!("envsubst < {file} | simulate -"))
            }
        }
    }
}

/// The chart that a file belongs to.
fn chart(file: &Path) -> Option<&Path> {
    let mut above = file.ancestors().skip(1).take(5);
    above.find(|folder| folder.join("Chart.yaml").is_file()).map(super::files::shown)
}

/// A path as a word of a shell.
pub(crate) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-+@%:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The variables in one text: `${NAME}`, or `$NAME` where nothing else is in it.
pub(crate) fn variables(text: &str) -> Vec<&str> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let braced = text.match_indices("${").filter_map(|(at, _)| text.get(at + 2..)?.split_once('}'));
    let mut names: Vec<&str> =
        braced.map(|(name, _)| name.split(':').next().unwrap_or(name)).filter(|name| is_name(name)).collect();
    names.extend(text.strip_prefix('$').filter(|name| is_name(name)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_what_looks_like_one() {
        for (text, broken) in [
            ("a: {{ .Values.a }}", true),
            ("{{- if x }}\na: 1\n{{- end }}", true),
            ("a: \"{{ .Release.Name }}\"", false),
            ("a: '{{ include \"x\" . }}'", false),
            ("{% if a %}", true),
        ] {
            assert_eq!(recognise(text, broken), Some(Template::Helm), "{text}");
        }
        for text in
            ["a: '{{args.service}}'", "a: '{{- with secret \"x\" }}{{ .Data }}'", "a: {b: {c: 1}}", ".Values"]
        {
            assert_eq!(recognise(text, false), None, "{text}");
        }
    }

    #[test]
    fn variables_of_a_shell() {
        for (text, names) in [
            ("${A}", &["A"][..]),
            ("$A", &["A"]),
            ("x-${A}-${b_1:-c}", &["A", "b_1"]),
            ("$(A)", &[]),
            ("a $A", &[]),
            ("${}", &[]),
            ("$1", &[]),
            ("100$", &[]),
        ] {
            assert_eq!(variables(text), names, "{text}");
        }
    }

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(word(Path::new("a/b.yaml")), "a/b.yaml");
        assert_eq!(word(Path::new("my app's")), "'my app'\\''s'");
    }
}

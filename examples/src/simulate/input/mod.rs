//! What is given: files, folders, and standard input, read document by document.

mod files;
mod kustomize;
mod sniff;
mod stream;
mod template;
mod tool;

use super::diagnostics::Findings;
use files::{Found, Given};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use sniff::{Look, is_part, look};
pub(crate) use stream::MOST_BYTES;
pub(crate) use template::{Template, recognise, variables, word};

/// One document, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The file's name as the user may find it; `<stdin>` for standard input.
    pub(crate) name: Arc<str>,
    /// What stands in it: of one that is too large, the beginning.
    pub(crate) text: String,
    /// In which line of the file it begins, from 1.
    pub(crate) first_line: u32,
    /// Whether it is larger than what is read of one.
    pub(crate) too_large: bool,
    pub(crate) origin: Origin,
}

/// Who asked for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Named(PathBuf),
    /// Nobody: it lies in a folder that was given.
    Found(PathBuf),
    /// Standard input, or what a tool built.
    Stream,
}

/// Reads every file, the files of every folder in the order of their names, and `-`: one document after the
/// other is handed to `take`.
pub(crate) fn read(
    paths: &[PathBuf],
    stdin: &mut dyn Read,
    findings: &mut Findings,
    take: &mut dyn FnMut(Part, &mut Findings),
) {
    for path in paths {
        if path.as_os_str() == "-" {
            stream(&"<stdin>".into(), &Origin::Stream, stdin, findings, take);
            continue;
        }
        match files::given(path) {
            Ok(Given::File(file)) => one(&file, &Origin::Named(file.clone()), findings, take),
            Ok(Given::Patch(folder)) => kustomized(&[folder], findings, take),
            Ok(Given::Folder(found)) => folder(path, &found, findings, take),
            Err(error) => findings.plain(format!("{}: {error}", path.display())),
        }
    }
}

/// What was found in a folder: plain files, Kustomize's folders, and charts.
fn folder(path: &Path, found: &Found, findings: &mut Findings, take: &mut dyn FnMut(Part, &mut Findings)) {
    if found.is_empty() {
        return findings.plain(format!("{}: has no .yaml, .yml or .json file", path.display()));
    }
    for chart in &found.charts {
        let command = format!("helm template {} | simulate -", word(chart));
        findings
            .next_step(format!("{} is a Helm chart, which must be rendered first", chart.display()), command);
    }
    for file in &found.files {
        one(file, &Origin::Found(file.clone()), findings, take);
    }
    kustomized(&found.kustomized, findings, take);
}

/// Folders with a `kustomization.yaml`: read where they only list files, else built.
fn kustomized(folders: &[PathBuf], findings: &mut Findings, take: &mut dyn FnMut(Part, &mut Findings)) {
    let plans = kustomize::plans(folders);
    let built: Vec<&PathBuf> = plans.iter().filter(|plan| plan.is_built()).map(|plan| &plan.folder).collect();
    if built.len() > 1 {
        let choice: Vec<String> =
            built.iter().take(8).map(|folder| format!("simulate {}", word(folder))).collect();
        let what = format!("there are {} Kustomize overlays; simulate one at a time", built.len());
        findings.next_step(what, choice.join(", or "));
    }
    for plan in &plans {
        if plan.is_built() && built.len() > 1 {
            continue;
        }
        match plan.carry_out() {
            Ok(kustomize::Carried::Files { listed, beside }) => {
                for file in listed {
                    one(&file, &Origin::Found(file.clone()), findings, take);
                }
                for file in beside {
                    findings.passed_over(&format!("{} (not listed in its kustomization)", file.display()));
                }
            }
            Ok(kustomize::Carried::Built(text)) => {
                let name = format!("built from {}", plan.folder.display());
                stream(&name.into(), &Origin::Stream, &mut text.as_slice(), findings, take);
            }
            Err(why) => findings.next_step(why, plan.command()),
        }
    }
}

fn one(file: &Path, origin: &Origin, findings: &mut Findings, take: &mut dyn FnMut(Part, &mut Findings)) {
    let name: Arc<str> = file.display().to_string().into();
    match files::is_regular(file).and_then(|()| File::open(file).map_err(|error| error.to_string())) {
        Ok(file) => stream(&name, origin, &mut BufReader::new(file), findings, take),
        Err(error) => findings.plain(format!("{name}: {error}")),
    }
}

fn stream(
    name: &Arc<str>,
    origin: &Origin,
    from: &mut dyn Read,
    findings: &mut Findings,
    take: &mut dyn FnMut(Part, &mut Findings),
) {
    let mut parts = stream::Parts::new(from);
    loop {
        match parts.next() {
            Ok(Some(read)) => {
                let stream::Text { content: text, first_line, too_large } = read;
                take(
                    Part { name: name.clone(), text, first_line, too_large, origin: origin.clone() },
                    findings,
                );
            }
            Ok(None) => return,
            Err(error) => return findings.plain(format!("{name}: {error}")),
        }
    }
}

/// The words for what the system says.
fn words(error: &io::Error) -> String {
    error.to_string()
}

/// The paths without those that are there twice.
fn once(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(|path| seen.insert(path.clone())).collect()
}

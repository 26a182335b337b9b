//! Folders of Kustomize: what they ask for, and how that is had.

use super::{files, once, template, tool};
use rollout_core::argo::read;
use serde_json::Value;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// What is to be done with one folder.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) folder: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    /// It lists files, nothing else.
    Lists(Vec<PathBuf>),
    /// It changes what it lists.
    Builds,
    /// It names something that is not on this machine, or wants a program of its own.
    Refused(String),
}

/// What came of it.
pub(super) enum Carried {
    Files {
        listed: Vec<PathBuf>,
        /// What lies there as well and is not meant.
        beside: Vec<PathBuf>,
    },
    Built(Vec<u8>),
}

/// How deep kustomizations may name each other.
const DEEPEST: usize = 16;

/// How many files one may list.
const MOST_FILES: usize = 10_000;

/// One plan for each folder that no other one of these names.
pub(super) fn plans(folders: &[PathBuf]) -> Vec<Plan> {
    let real = |folder: &PathBuf| fs::canonicalize(folder).ok();
    let named: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| Kustomization::of(folder).map(|found| found.folders).unwrap_or_default())
        .filter_map(|folder| real(&folder))
        .collect();
    let tops = folders.iter().filter(|folder| real(folder).is_none_or(|real| !named.contains(&real)));
    let tops = once(tops.cloned());
    // Where all name each other, all are wrong: any of them says so.
    let tops = if tops.is_empty() { folders.iter().take(1).cloned().collect() } else { tops };
    tops.into_iter().map(|folder| Plan { what: what(&folder), folder }).collect()
}

impl Plan {
    pub(super) fn is_built(&self) -> bool {
        !matches!(self.what, What::Lists(_))
    }

    /// What a person may type instead.
    pub(super) fn command(&self) -> String {
        format!("kustomize build {} | simulate -", template::word(&self.folder))
    }

    pub(super) fn carry_out(&self) -> Result<Carried, String> {
        let shown = self.folder.display();
        match &self.what {
            What::Lists(listed) => Ok(Carried::Files { beside: self.beside(listed), listed: listed.clone() }),
            What::Refused(why) => Err(format!("{shown} is a Kustomize folder, and {why}")),
            What::Builds => {
                let tool = tool::kustomize().ok_or_else(|| {
                    format!(
                        "{shown} is a Kustomize overlay, and neither kustomize nor kubectl is installed here"
                    )
                })?;
                tool.run(&self.folder).map(Carried::Built)
            }
        }
    }

    /// The manifests in this folder that nobody lists.
    fn beside(&self, listed: &[PathBuf]) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let kustomization = files::kustomization(&self.folder);
        let real: Vec<PathBuf> = listed.iter().filter_map(|file| fs::canonicalize(file).ok()).collect();
        let mut beside: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| files::is_manifest(path) && Some(path) != kustomization.as_ref())
            .filter(|path| fs::canonicalize(path).is_ok_and(|path| !real.contains(&path)))
            .collect();
        beside.sort();
        beside
    }
}

/// A kustomization as far as it matters here.
#[derive(Debug, Default)]
struct Kustomization {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// In the order in which they are listed.
    listed: Vec<PathBuf>,
    /// Something that is fetched, or what needs another program.
    refused: Option<String>,
    changes: bool,
}

impl Kustomization {
    fn of(folder: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = fs::File::open(files::kustomization(folder)?).ok()?;
        file.take(1 << 20).read_to_string(&mut text).ok()?;
        let mut found = Self::default();
        let reading = read(&text, "kustomization.yaml");
        let Some(document) = reading.documents.first().filter(|_| reading.problems.is_empty()) else {
            // Whoever builds it says what is wrong.
            return Some(Self { changes: true, ..found });
        };
        for (field, value) in document.value().as_object().into_iter().flatten() {
            match field.as_str() {
                "apiVersion" | "kind" | "metadata" => {}
                "resources" | "bases" | "components" => found.list(folder, field, value),
                "helmCharts" | "helmChartInflationGenerator" => {
                    found.refused = Some("it inflates Helm charts: it needs --enable-helm".to_owned());
                }
                _ => found.changes |= !is_empty(value),
            }
        }
        Some(found)
    }

    fn list(&mut self, folder: &Path, field: &str, value: &Value) {
        for entry in value.as_array().into_iter().flatten() {
            let Some(entry) = entry.as_str() else {
                self.changes = true;
                continue;
            };
            let path = folder.join(entry);
            let path = tidy(&path);
            if path.is_dir() {
                // A component is a set of changes.
                self.changes |= field == "components";
                self.listed.push(path.clone());
                self.folders.push(path);
            } else if path.is_file() {
                self.listed.push(path.clone());
                self.files.push(path);
            } else if is_remote(entry) {
                self.refused = Some(format!("it needs the network, for {entry:?}"));
            } else {
                self.changes = true;
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether Kustomize would fetch it.
fn is_remote(entry: &str) -> bool {
    let hosts = ["git@", "git::", "github.com", "gitlab.com", "bitbucket.org"];
    entry.contains("://") || entry.contains("?ref=") || hosts.iter().any(|host| entry.starts_with(host))
}

/// `a/b/../c` is `a/c`: so a person would write it.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir
                if matches!(tidy.components().next_back(), Some(Component::Normal(_)))
                    && !tidy.is_symlink() =>
            {
                tidy.pop();
            }
            Component::CurDir if !tidy.as_os_str().is_empty() => {}
            part => tidy.push(part),
        }
    }
    tidy
}

fn what(folder: &Path) -> What {
    let (mut files, mut changes) = (Vec::new(), false);
    if let Err(why) = collect(folder, 0, &mut files, &mut changes) {
        return What::Refused(why);
    }
    if changes { What::Builds } else { What::Lists(once(files)) }
}

/// All files that a folder lists, through other folders; whether anything changes them.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, changes: &mut bool) -> Result<(), String> {
    if depth > DEEPEST || files.len() > MOST_FILES {
        return Err("it names itself, or too many others".to_owned());
    }
    let Some(found) = Kustomization::of(folder) else {
        *changes = true;
        return Ok(());
    };
    if let Some(why) = found.refused {
        return Err(why);
    }
    *changes |= found.changes;
    for path in found.listed {
        if found.folders.contains(&path) {
            collect(&path, depth + 1, files, changes)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

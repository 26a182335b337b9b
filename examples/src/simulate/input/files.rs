//! Which files are meant by what is given.

use super::words;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What one word of the command line means.
#[derive(Debug)]
pub(super) enum Given {
    File(PathBuf),
    /// A file of a Kustomize folder that is nothing without it.
    Patch(PathBuf),
    Folder(Found),
}

/// What lies in a folder and in its folders.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Manifests, in the order of their names.
    pub(super) files: Vec<PathBuf>,
    /// Folders with a `kustomization.yaml`.
    pub(super) kustomized: Vec<PathBuf>,
    /// Folders with a `Chart.yaml`.
    pub(super) charts: Vec<PathBuf>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.kustomized.is_empty() && self.charts.is_empty()
    }
}

/// The names under which Kustomize finds its file.
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomization in a folder, if there is one.
pub(super) fn kustomization(folder: &Path) -> Option<PathBuf> {
    KUSTOMIZATION.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

/// A folder as it is written on a command line.
pub(super) fn shown(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Looks what is there.
pub(super) fn given(path: &Path) -> Result<Given, String> {
    let found = fs::metadata(path).map_err(|error| words(&error))?;
    if found.is_dir() {
        return folder(path).map(Given::Folder);
    }
    is_regular(path)?;
    let folder = path.parent().map_or(Path::new("."), shown);
    let is_kustomization =
        KUSTOMIZATION.iter().any(|name| path.file_name().is_some_and(|file| file == *name));
    if is_kustomization || (kustomization(folder).is_some() && super::sniff::is_patch(path)) {
        return Ok(Given::Patch(folder.to_owned()));
    }
    Ok(Given::File(path.to_owned()))
}

/// That it is a file whose end will come: no pipe, no device.
pub(super) fn is_regular(path: &Path) -> Result<(), String> {
    let found = fs::metadata(path).map_err(|error| words(&error))?;
    if found.is_file() {
        return Ok(());
    }
    Err("is no regular file; write - for standard input, as in `cat FILE | simulate -`".to_owned())
}

/// The manifests of a folder and of its folders.
fn folder(path: &Path) -> Result<Found, String> {
    let mut found = Found::default();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("Chart.yaml").is_file() {
            found.charts.push(folder);
            continue;
        }
        let kustomized = kustomization(&folder).is_some();
        if kustomized {
            found.kustomized.push(folder.clone());
        }
        for entry in fs::read_dir(&folder).map_err(|error| words(&error))? {
            let entry = entry.map_err(|error| words(&error))?;
            let path = entry.path();
            // A linked folder is not followed: it may lead back up.
            if entry.file_type().map_err(|error| words(&error))?.is_dir() {
                folders.push(path);
            } else if !kustomized && is_manifest(&path) {
                found.files.push(path);
            }
        }
    }
    // What lies below a kustomization is its business.
    let below = |path: &PathBuf| {
        let above = path.ancestors().skip(1);
        above.into_iter().any(|above| found.kustomized.iter().any(|folder| folder == above))
    };
    found.files.retain(|file| !below(file));
    found.files.sort();
    found.kustomized.sort();
    found.charts.sort();
    Ok(found)
}

/// Whether a file may hold manifests, by its name.
pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
        && !path.is_dir()
}

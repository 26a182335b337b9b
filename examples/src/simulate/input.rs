//! Files, folders, and standard input.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// One text, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The file's name as the user may find it; `<stdin>` for standard input.
    pub(crate) name: Arc<str>,
    /// What stands in it.
    pub(crate) text: Arc<str>,
}

/// Larger files are not read: the parser would refuse them.
const MOST_BYTES: u64 = 1 << 20;

/// Reads every file, the files of every folder in the order of their names, and `-`.
pub(crate) fn read(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Vec<Source>, Vec<String>> {
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            match text(stdin) {
                Ok(text) => sources.push(Source { name: "<stdin>".into(), text }),
                Err(error) => errors.push(format!("<stdin>: {error}")),
            }
            continue;
        }
        match files(path) {
            Ok(files) => {
                for file in files {
                    let name = file.display().to_string();
                    match fs::File::open(&file)
                        .map_err(|error| error.to_string())
                        .and_then(|mut file| text(&mut file))
                    {
                        Ok(text) => sources.push(Source { name: name.into(), text }),
                        Err(error) => errors.push(format!("{name}: {error}")),
                    }
                }
            }
            Err(error) => errors.push(format!("{}: {error}", path.display())),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors) }
}

fn text(from: &mut dyn Read) -> Result<Arc<str>, String> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err("is larger than 1 MiB; split it into several files".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8; save it as UTF-8 text".to_owned())?;
    Ok(text.into())
}

/// The file itself, or the manifests of a folder and of its folders.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let words = |error: std::io::Error| error.to_string();
    if !fs::metadata(path).map_err(words)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(words)? {
            let entry = entry.map_err(words)?;
            let path = entry.path();
            // A linked folder is not followed: it may lead back up.
            if entry.file_type().map_err(words)?.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
            {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err("has no .yaml, .yml or .json file".to_owned());
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_and_what_cannot_be_read() {
        let sources = read(&["-".into()], &mut "kind: Rollout".as_bytes()).unwrap();
        assert_eq!((&*sources[0].name, &*sources[0].text), ("<stdin>", "kind: Rollout"));
        let errors = read(&["-".into(), "no/such/file".into()], &mut [0xff_u8].as_slice()).unwrap_err();
        assert_eq!(errors[0], "<stdin>: is not UTF-8; save it as UTF-8 text");
        assert!(errors[1].starts_with("no/such/file: "), "{errors:?}");
        let large = " ".repeat(1_048_577).into_bytes();
        let errors = read(&["-".into()], &mut large.as_slice()).unwrap_err();
        assert_eq!(errors, ["<stdin>: is larger than 1 MiB; split it into several files"]);
    }
}

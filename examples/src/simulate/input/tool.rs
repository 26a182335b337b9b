//! Running a program of somebody else: without the network, for a bounded time, with a bounded output.

use super::template;
use std::{
    env,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};
use wait_timeout::ChildExt as _;

/// How long it may take.
const LONGEST: Duration = Duration::from_secs(30);
/// How much it may say, and how much about its errors.
const MOST_BYTES: usize = 64 << 20;
const MOST_ERRORS: usize = 4 << 10;

/// A program that builds a kustomization.
#[derive(Debug)]
pub(super) struct Tool {
    program: PathBuf,
    name: &'static str,
    verb: &'static str,
}

/// The one that is installed.
pub(super) fn kustomize() -> Option<Tool> {
    [("kustomize", "build"), ("kubectl", "kustomize")]
        .into_iter()
        .find_map(|(name, verb)| Some(Tool { program: installed(name)?, name, verb }))
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // A folder that is not named from the root may be anybody's.
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

impl Tool {
    /// What it builds of this folder.
    pub(super) fn run(&self, folder: &Path) -> Result<Vec<u8>, String> {
        let shown = format!("{} {} {}", self.name, self.verb, template::word(folder));
        // A folder's name is no option.
        let folder = if folder.as_os_str().as_encoded_bytes().starts_with(b"-") {
            Path::new(".").join(folder)
        } else {
            folder.to_owned()
        };
        let mut child = Command::new(&self.program)
            .arg(self.verb)
            .arg(folder)
            // It finds neither git nor any other program, and its own requests go to a port where nobody is.
            .env_clear()
            .env("PATH", "")
            .env("HOME", "/nonexistent")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{shown}: {error}"))?;
        let result = bounded(&mut child);
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
        result.map_err(|why| format!("{shown}: {why}"))
    }
}

fn bounded(child: &mut Child) -> Result<Vec<u8>, String> {
    let until = Instant::now() + LONGEST;
    let too_long = || format!("is not done after {} s", LONGEST.as_secs());
    let said = listen(child.stdout.take(), MOST_BYTES);
    let errors = listen(child.stderr.take(), MOST_ERRORS);
    let left = || until.saturating_duration_since(Instant::now());
    let text = said.recv_timeout(left()).map_err(|_| too_long())?;
    if text.len() > MOST_BYTES {
        return Err(format!("says more than {} MiB", MOST_BYTES >> 20));
    }
    let status = child.wait_timeout(left()).map_err(|error| error.to_string())?.ok_or_else(too_long)?;
    if status.success() {
        return Ok(text);
    }
    let errors = errors.recv_timeout(left()).unwrap_or_default();
    let errors =
        String::from_utf8_lossy(errors.get(..MOST_ERRORS.min(errors.len())).unwrap_or_default()).into_owned();
    Err(errors.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What a program says, up to one byte more than `most`; then it may go on talking to nobody.
fn listen(from: Option<impl Read + Send + 'static>, most: usize) -> Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut bytes = Vec::new();
        let _ = from.by_ref().take(most as u64 + 1).read_to_end(&mut bytes);
        let _ = tell.send(bytes);
        let _ = io::copy(&mut from, &mut io::sink());
    });
    told
}

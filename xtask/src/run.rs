//! Other programs: started, shown, waited for.

use std::{
    env,
    ffi::OsStr,
    process::{Command, Stdio},
};

/// What went wrong, and what to do about it, in words.
pub(crate) type Failed = String;

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Shows the command and runs it; its output goes straight through.
pub(crate) fn run(command: &mut Command) -> Result<(), Failed> {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status().map_err(|why| cannot_start(command, &why))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", shown(command))) }
}

/// Runs the command and takes what it prints; its errors go straight through.
pub(crate) fn output(command: &mut Command) -> Result<String, Failed> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| cannot_start(command, &why))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{text}`{}` failed ({})", shown(command), output.status))
    }
}

/// Runs the command unseen; on failure, everything it printed.
pub(crate) fn quietly(command: &mut Command) -> Result<(), Failed> {
    let output = command.stdin(Stdio::null()).output().map_err(|why| cannot_start(command, &why))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("$ {}\n{out}{err}", shown(command)))
}

/// That it is not there, or may not be run.
pub(crate) fn cannot_start(command: &Command, why: &std::io::Error) -> Failed {
    format!("`{}` cannot be started: {why}", shown(command))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))));
    environment
        .chain([program.to_string_lossy().into_owned()])
        .chain(command.get_args().map(quoted))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    if text.contains(' ') || text.is_empty() { format!("'{text}'") } else { text.into_owned() }
}

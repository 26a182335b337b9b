//! What a program prints about its own command line: completions and a man page.

use clap::Command;
use clap_complete::Shell;
use std::io::{self, Write};

/// Options for whoever installs the program.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Installation")]
pub struct Generate {
    /// Print a completion script for this shell
    #[arg(long, value_name = "SHELL", exclusive = true)]
    completions: Option<Shell>,
    /// Print the man page, in roff
    #[arg(long, exclusive = true)]
    man: bool,
}

impl Generate {
    /// The names of these options: with one of them, nothing else is required.
    pub const OPTIONS: [&str; 2] = ["completions", "man"];

    /// Prints what was asked for; whether anything was.
    ///
    /// # Errors
    /// Only that it could not be written.
    pub fn print(&self, mut command: Command, out: &mut dyn Write) -> io::Result<bool> {
        let mut text = Vec::new();
        if let Some(shell) = self.completions {
            let name = command.get_name().to_owned();
            // It panics when it cannot write; a vector takes everything.
            clap_complete::generate(shell, &mut command, name, &mut text);
        } else if self.man {
            clap_mangen::Man::new(command).render(&mut text)?;
        }
        out.write_all(&text)?;
        Ok(!text.is_empty())
    }
}

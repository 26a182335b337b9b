//! `cargo xtask fix`: what a program can mend by itself.

use crate::{
    documents,
    run::{Failed, cargo, run},
    workspace::Workspace,
};

/// Writes: clippy's own suggestions, the format, and the outputs that the documents quote.
pub(crate) fn fix() -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    run(cargo()
        .args(["clippy", "--fix", "--workspace", "--all-targets", "--all-features"])
        .args(["--allow-dirty", "--allow-staged"]))?;
    run(cargo().args(["fmt", "--all"]))?;
    documents::quote(&workspace, documents::Mode::Write)?;
    println!("\nfixed what a program can fix; `cargo xtask verify` says what is left");
    Ok(())
}

//! What the documents quote is what the programs print.
//!
//! In a document, a command in a comment of its own, right above a fenced block:
//!
//! ````text
//! <!-- $ cargo run --release --bin simulate -- examples/manifests/weight -->
//! ```text
//! …
//! ```
//! ````

use crate::{
    built::program,
    run::{Failed, output},
    sources,
    workspace::Workspace,
};
use std::{fs, path::Path};

/// What to do with a quotation that is not what is printed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Say so.
    Check,
    /// Put what is printed now in its place.
    Write,
}

/// Checks or renews every quotation in every document; says how many there are.
pub(crate) fn quote(workspace: &Workspace, mode: Mode) -> Result<usize, Failed> {
    let (mut count, mut wrong) = (0, Vec::new());
    for source in sources::all(workspace)?.iter().filter(|s| s.path.extension().is_some_and(|e| e == "md")) {
        let mut text = source.text.clone();
        for quotation in quotations(&source.text) {
            count += 1;
            let printed = printed(workspace, quotation.command)?;
            if quotation.text == printed {
                continue;
            }
            wrong.push(difference(&source.path, &quotation, &printed));
            let whole = format!("{}{}```", quotation.opening, quotation.text);
            text = text.replacen(&whole, &format!("{}{printed}```", quotation.opening), 1);
        }
        if mode == Mode::Write && text != source.text {
            let path = workspace.root.join(&source.path);
            fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
            println!("wrote {}", source.path.display());
        }
    }
    match mode {
        Mode::Check if !wrong.is_empty() => Err(wrong.join("\n") + "\n`cargo xtask fix` quotes them anew"),
        Mode::Check | Mode::Write => Ok(count),
    }
}

/// One quotation.
#[derive(Debug, PartialEq, Eq)]
struct Quotation<'a> {
    /// The command.
    command: &'a str,
    /// Everything from the comment to the line that opens the block.
    opening: &'a str,
    /// What is in the block.
    text: &'a str,
}

fn quotations(document: &str) -> impl Iterator<Item = Quotation<'_>> {
    document.match_indices("<!-- $ ").filter_map(|(at, mark)| {
        let rest = document.get(at..)?;
        let command = rest.get(mark.len()..)?.split_once(" -->")?.0;
        let block = rest.find("\n```")? + 1;
        let begin = block + rest.get(block..)?.find('\n')? + 1;
        let end = begin + rest.get(begin..)?.find("```")?;
        Some(Quotation { command, opening: rest.get(..begin)?, text: rest.get(begin..end)? })
    })
}

/// What the command prints now: the program as it was built with the tests.
fn printed(workspace: &Workspace, command: &str) -> Result<String, Failed> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let ["cargo", "run", "--release", "--bin", name, "--", arguments @ ..] = words.as_slice() else {
        return Err(format!("`{command}`: only `cargo run --release --bin NAME -- …` can be quoted"));
    };
    output(program(workspace, name).args(arguments))
}

fn difference(path: &Path, quotation: &Quotation<'_>, printed: &str) -> String {
    let (quoted, now) = quotation
        .text
        .lines()
        .zip(printed.lines())
        .find(|(quoted, now)| quoted != now)
        .unwrap_or(("(another number of lines)", "(another number of lines)"));
    format!("{}: `{}`\n  quoted:      {quoted}\n  printed now: {now}", path.display(), quotation.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_a_comment_and_a_block() {
        let document = "a\n\n<!-- $ cargo run -->\n```text\none\ntwo\n```\nb\n```sh\nnot quoted\n```\n";
        let found: Vec<_> = quotations(document).collect();
        let opening = "<!-- $ cargo run -->\n```text\n";
        assert_eq!(found, [Quotation { command: "cargo run", opening, text: "one\ntwo\n" }]);
    }
}

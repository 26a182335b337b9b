//! `embed` plays what it promises, in as few lines as it promises.

use std::{fs, process::Command};

/// Lines that say something: no blank ones, no comments, no imports, no lone brackets,
/// and not the command line, which is no part of embedding.
fn lines_of_code(source: &str) -> usize {
    let mut in_use = false;
    let says_something = |line: &&str| {
        in_use |= line.starts_with("use ");
        let import = in_use;
        in_use &= !line.ends_with(';');
        let lone = line.chars().all(|letter| "(){}[];, ".contains(letter));
        !import
            && !lone
            && !line.starts_with("//")
            && !line.contains("Command::new")
            && !line.contains("const ABOUT")
    };
    source.lines().map(str::trim).filter(says_something).count()
}

#[test]
fn embed_is_at_most_fifty_lines_of_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/embed.rs");
    let lines = lines_of_code(&fs::read_to_string(path).unwrap());
    assert!((30..=50).contains(&lines), "{lines}");
}

#[test]
fn embed_says_what_it_is() {
    let said = |word| Command::new(env!("CARGO_BIN_EXE_embed")).arg(word).output().unwrap();
    assert!(said("--version").stdout.starts_with(b"embed "));
    assert!(said("--help").status.success() && said("--hlep").status.code() == Some(2));
}

#[test]
fn embed_plays_an_update_with_and_without_a_traffic_manager() {
    let output = Command::new(env!("CARGO_BIN_EXE_embed")).output().unwrap();
    assert!(output.status.success());
    let out = String::from_utf8(output.stdout).unwrap();
    let (with, without) = out.split_once("Without a traffic manager\n").unwrap();
    for part in [with, without] {
        let done = part.lines().filter(|line| line.contains("completed: v")).collect::<Vec<_>>();
        assert_eq!(done.len(), 2, "{out}");
        assert!(done[1].contains("v2 is stable instead of v1"), "{out}");
        assert!(part.lines().any(|line| line.ends_with("v1: 0 pods")), "{out}");
    }
    assert!(with.contains("routed canary 50, stable 50") && with.contains("marked for scale-down"), "{out}");
    assert!(!without.contains("routed") && !without.contains("selected"), "{out}");
}

//! Folders with a `kustomization.yaml`.

use crate::folder::{Folder, changed, plays, refuses, rollout, web};
use std::{fs, os::unix::fs::PermissionsExt};

const LISTS: &str =
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml]\n";
const PATCHES: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base]\npatches: [{path: replicas.yaml}]\n";
const PATCH: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 8}\n";

fn base_and_overlay() -> Folder {
    Folder::new()
        .with("base/kustomization.yaml", LISTS)
        .with("base/web.yaml", web())
        .with("overlays/prod/kustomization.yaml", PATCHES)
        .with("overlays/prod/replicas.yaml", PATCH)
}

/// A program of this name that a test plays: it prints a file, given as kustomize or kubectl would be.
fn program(folder: &Folder, name: &str, script: &str) -> String {
    let bin = folder.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    bin.display().to_string()
}

#[test]
fn a_kustomization_that_only_lists_is_read() {
    let folder =
        base_and_overlay().with("base/values.yaml", "a: 1\n").with("base/rollout-v2.yaml", rollout());
    plays(&folder.simulate(&["base"]), "base/rollout-v2.yaml");
    plays(&folder.simulate(&["base/kustomization.yaml"]), "");
    let nested = folder.with("all/kustomization.yaml", "resources:\n- ../base\n");
    plays(&nested.simulate(&["all"]), "");
}

#[test]
fn an_overlay_without_a_tool_says_the_command() {
    let folder = base_and_overlay();
    for (words, command) in [
        ("overlays/prod", "kustomize build overlays/prod | simulate -"),
        (".", "kustomize build ./overlays/prod | simulate -"),
        ("overlays/prod/replicas.yaml", "kustomize build overlays/prod | simulate -"),
    ] {
        let run = folder.simulate(&[words]);
        refuses(&run, &[command]);
        assert_eq!(run.err.matches("error: ").count(), 1, "{}", run.err);
    }
    let patch = Folder::new().with("patch.yaml", PATCH);
    refuses(&patch.simulate(&["patch.yaml"]), &["a part of a Rollout", "kustomize build"]);
}

#[test]
fn an_overlay_is_built_where_a_tool_is_installed() {
    let built = changed(&web(), "replicas: 4", "replicas: 8");
    for (name, script) in [
        ("kustomize", r#"[ "$1 $2 $#" = "build overlays/prod 2" ] && exec /bin/cat built"#),
        ("kubectl", r#"[ "$1 $2 $#" = "kustomize overlays/prod 2" ] && exec /bin/cat built"#),
    ] {
        let folder = base_and_overlay().with("built", &built);
        let path = program(&folder, name, script);
        let run = folder.simulate_with(&["overlays/prod"], &path);
        plays(&run, "");
        assert!(run.out.contains("web: 8 pods"), "{}", run.out);
        let wrong = changed(&built, "setWeight: 50", "setWeight: 500");
        fs::write(folder.path().join("built"), wrong).unwrap();
        refuses(&folder.simulate_with(&["overlays/prod"], &path), &["--> built from overlays/prod:15:"]);
    }
}

#[test]
fn a_tool_that_fails_hangs_or_never_ends_is_bounded() {
    let folder = base_and_overlay();
    let path = program(&folder, "kustomize", "echo 'Error: no such \x1b[31mfile' >&2; exit 1");
    let run = folder.simulate_with(&["overlays/prod"], &path);
    refuses(&run, &["kustomize build overlays/prod", "no such"]);
    assert!(!run.err.contains('\u{1b}'), "{:?}", run.err);
    let path = program(&folder, "kustomize", "while :; do printf '%1000s\\n' x; done");
    refuses(&folder.simulate_with(&["overlays/prod"], &path), &["more than 64 MiB"]);
}

#[test]
fn what_needs_the_network_is_not_built() {
    let remote = "resources:\n- https://example.com/web.yaml\npatches: [{path: a.yaml}]\n";
    let folder = Folder::new()
        .with("base/kustomization.yaml", remote)
        .with("top/kustomization.yaml", PATCHES.replace("../../base", "../base"));
    let path = program(&folder, "kustomize", "echo built > was-built");
    for words in ["base", "top"] {
        refuses(
            &folder.simulate_with(&[words], &path),
            &["network", &format!("kustomize build {words} | simulate -")],
        );
    }
    assert!(!folder.path().join("was-built").exists());
}

#[test]
fn several_overlays_are_a_choice() {
    let folder = base_and_overlay()
        .with("overlays/dev/kustomization.yaml", PATCHES)
        .with("overlays/dev/replicas.yaml", PATCH);
    let path = program(&folder, "kustomize", "exit 1");
    let run = folder.simulate_with(&["."], &path);
    refuses(&run, &["simulate ./overlays/dev", "simulate ./overlays/prod"]);
}

//! The core builds for wasm, with `core` and `alloc` and nothing else.
//!
//! `core` and `alloc` are built from the compiler's own sources, and no `std` for that target exists on the
//! machine: whatever needs one, in the core or in what it depends on, does not compile. The compiler must have
//! its sources: a rustup toolchain with `rust-src`, or Debian's `rustc-web` with `rust-web-src`.

use crate::{
    run::{Failed, output, quietly},
    workspace::Workspace,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-unknown-unknown";

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let toolchain = Toolchain::find()?;
    let core = workspace.members.iter().find(|member| member.name == "rollout-core");
    let core = core.ok_or("there is no rollout-core in the workspace")?;
    let (mut sets, mut wrong) = (0, Vec::new());
    for set in core.feature_sets() {
        let set = set.into_iter().collect::<Vec<_>>().join(",");
        let mut cargo = Command::new(&toolchain.cargo);
        cargo
            .args([
                "check",
                "--quiet",
                "--locked",
                "--package=rollout-core",
                "--lib",
                "--no-default-features",
            ])
            .args(["--features", &set, "--target", TARGET, "-Zbuild-std=core,alloc"])
            .args(["--target-dir".as_ref(), workspace.target.join("wasm").as_os_str()])
            .env("RUSTC", &toolchain.rustc)
            // `-Zbuild-std` is what no stable compiler admits to; the compiler itself is a stable one.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTUP_TOOLCHAIN");
        wrong.extend(quietly(&mut cargo).err());
        sets += 1;
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n") + "\nuse core and alloc");
    }
    Ok(format!("{sets} sets of features, for {TARGET}, with {}", toolchain.version))
}

/// A compiler that has the sources of its own library.
struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    version: String,
}

impl Toolchain {
    fn find() -> Result<Self, Failed> {
        let active = output(Command::new("rustc").arg("--print=sysroot"));
        let active = active.map(|sysroot| PathBuf::from(sysroot.trim()).join("bin"));
        [active, Ok("/usr/bin".into())].into_iter().flatten().find_map(|folder| Self::at(&folder)).ok_or_else(|| {
            "no compiler here has the sources of its own library: `rustup component add rust-src`, or on Debian \
             `apt-get install rustc-web cargo-web rust-web-src` (`.ci/run` does that)"
                .to_owned()
        })
    }

    fn at(folder: &Path) -> Option<Self> {
        let (cargo, rustc) = (folder.join("cargo"), folder.join("rustc"));
        let sysroot = output(Command::new(&rustc).arg("--print=sysroot")).ok()?;
        let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
        if !cargo.exists() || !library.exists() {
            return None;
        }
        let version = output(Command::new(&rustc).arg("--version")).ok()?.trim().to_owned();
        Some(Self { cargo, rustc, version })
    }
}

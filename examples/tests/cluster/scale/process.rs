//! What a process and its children have used, from `/proc`.

use std::{fs, path::Path, time::Duration};

/// `USER_HZ`, in which Linux counts a process's time: 100 on all that we run on.
const TICKS_A_SECOND: u64 = 100;

/// Processor time that the whole tree has used so far.
pub(super) fn cpu(root: u32) -> Duration {
    // Children that have ended are in their parent's account.
    let ticks: u64 = tree(root).iter().filter_map(|process| of(*process)).map(|stat| stat.ticks).sum();
    Duration::from_millis(ticks * 1000 / TICKS_A_SECOND)
}

/// Megabytes that the tree holds now, and the most that each of it ever held.
pub(super) fn memory(root: u32) -> (u64, u64) {
    let of = |field: &str| {
        let each = tree(root).into_iter().filter_map(|process| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().ok()
        });
        each.sum::<u64>() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// The first of the machine's three.
pub(super) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A process with all that descend from it.
fn tree(root: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    let parents: Vec<(u32, u32)> =
        numbers.filter_map(|process| Some((process, of(process)?.parent))).collect();
    let mut tree = vec![root];
    let mut at = 0;
    while let Some(parent) = tree.get(at).copied() {
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        at += 1;
    }
    tree
}

struct Stat {
    parent: u32,
    ticks: u64,
}

/// Fields of `/proc/PID/stat` after the name, which may hold anything.
fn of(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

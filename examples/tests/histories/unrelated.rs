//! What happens to a Rollout does not depend on Rollouts that share nothing with it.

use crate::{
    analyses::{Mood, Template},
    apps,
    history::{Happening, History, OfMesh, histories},
    laws::listeners,
    world::{CALM, play},
};

/// How many histories are played twice.
const HISTORIES: u64 = 150;
/// How many are played beside a hundred slow runs.
const SLOW: u64 = 25;
const FIRST: usize = 0;

/// Beside others that share nothing with it, and alone, the first Rollout and its objects change in the same way at the
/// same times. Nothing goes wrong by chance meanwhile: chance would be another where there are other requests.
#[test]
fn an_unrelated_rollout_changes_nothing() {
    let _kept = listeners();
    let drawn = histories();
    let mut compared = 0;
    for number in 0..HISTORIES {
        let beside = unrelated(drawn.draw(number).unwrap());
        if beside.apps.len() < 2 {
            continue;
        }
        let (one, other) = (changes(&beside), changes(&alone(&beside)));
        let differ = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differ, None, "history {number}: beside others, and alone");
        assert_eq!(one.len(), other.len(), "history {number}");
        compared += one.len();
    }
    assert!(compared > 1_000, "only {compared} changes were compared");
}

/// A hundred runs whose providers are slow or silent delay no decision.
#[test]
fn slow_providers_change_nothing() {
    let _kept = listeners();
    let drawn = histories();
    let mut compared = 0;
    for number in 0..SLOW {
        let mut alone = unrelated(drawn.draw(number).unwrap());
        let slow = |mood| (0, Happening::RunApplied(Template::Thrice, mood));
        alone.happenings.insert(0, slow(Mood::Good));
        let mut beside = alone.clone();
        let runs = [Mood::Slow, Mood::Silent].map(slow);
        beside.happenings.splice(1..1, runs.into_iter().cycle().take(100));
        let (one, other) = (changes(&alone), changes(&beside));
        assert_eq!(one, other, "history {number}: alone, and beside a hundred runs");
        compared += one.len();
    }
    assert!(compared > 500, "only {compared} changes were compared");
}

/// The same without anything in common and without chance.
fn unrelated(mut history: History) -> History {
    for app in &mut history.apps {
        (app.shares, app.shares_rule) = (false, false);
    }
    (history.trouble, history.lag, history.mesh) = (0, 0, None);
    // Which of two controllers writes first is chance, too; and the diary is brought up to date before a touch.
    // All watch Rollouts together: a watch that fails again is retried later, unless it has shown a change meanwhile.
    let is_left_out = |happening: &Happening| {
        matches!(
            happening,
            Happening::Overlap(_)
                | Happening::Touched(_)
                | Happening::Blind(_)
                | Happening::WatchesCut
                | Happening::VersionsExpire
        )
    };
    history.happenings.retain(|(_, happening)| !is_left_out(happening));
    // All arrive at once, or one would come later for want of the others.
    history.arrivals = vec![0];
    history
}

/// The first Rollout alone; time passes as before where something happens to another.
fn alone(history: &History) -> History {
    let mut alone = history.clone();
    let apps = history.apps.len();
    alone.apps.truncate(FIRST + 1);
    for (_, happening) in &mut alone.happenings {
        if happening.app().is_some_and(|app| app.index(apps) != FIRST) {
            *happening = Happening::OfMesh(OfMesh::Freezes(0));
        }
    }
    alone
}

/// What the diary says of the first Rollout and its objects, until a person begins to help.
fn changes(history: &History) -> Vec<String> {
    let played = play(history);
    assert_eq!(played.broken, None);
    let name = apps::name(FIRST);
    let of_first = |line: &String| {
        let what = line.trim_start().split_once("  ").map_or("", |(_, what)| what);
        what.trim_start()
            .split([' ', ':'])
            .nth(1)
            .is_some_and(|of| of == name || of.starts_with(&format!("{name}-")))
    };
    let until_calm = played.diary.into_iter().take_while(|line| !line.ends_with(CALM));
    until_calm.filter(of_first).map(without_nonces).collect()
}

/// A nonce names the process and the time.
fn without_nonces(line: String) -> String {
    match line.split_once(" {\"rollout-core/") {
        Some((before, _)) => before.to_owned(),
        None => line,
    }
}

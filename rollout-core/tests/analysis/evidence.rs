//! The comparison of canary and stable over simulated rollouts: how often it is wrong, and how long it takes.
//!
//! The figures in the comments are those of an independent program with another generator of random numbers.

use rollout_core::analysis::{Comparison, Evidence, Phase, Window};

/// Random numbers, the same every time.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / 4_294_967_296.0
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 40.0 {
            let normal =
                (-2.0 * self.unit().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
            return rounded(mean + mean.sqrt() * normal);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Bad requests that come in bursts of this mean length.
    fn bad(&mut self, mean: f64, burst: f64) -> u32 {
        let clusters = self.poisson(mean / burst);
        (0..clusters)
            .map(|_| 1 + rounded_down(self.unit().max(1e-12).ln() / (1.0 - 1.0 / burst).max(1e-12).ln()))
            .sum()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
fn rounded(number: f64) -> u32 {
    number.round().max(0.0) as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
fn rounded_down(number: f64) -> u32 {
    number.max(0.0) as u32
}

/// 100 requests a second, 5 % of them to the canary, half a per cent of stable's bad.
struct Traffic {
    seconds: f64,
    times: f64,
    burst: f64,
}

/// After how many windows the canary is found to be worse.
fn alarm(random: &mut Random, comparison: &Comparison, traffic: &Traffic, windows: u32) -> Option<u32> {
    let mut evidence = Evidence::new();
    (1..=windows).find(|_| {
        let (canary, stable) =
            (random.poisson(5.0 * traffic.seconds), random.poisson(95.0 * traffic.seconds));
        let canary_bad = random.bad(f64::from(canary) * 0.005 * traffic.times, traffic.burst).min(canary);
        let stable_bad = random.bad(f64::from(stable) * 0.005, traffic.burst).min(stable);
        evidence.add(comparison, &Window { canary, canary_bad, stable, stable_bad });
        evidence.verdict(comparison) == Some(Phase::Failed)
    })
}

/// No early pass, no floor: only the alarm.
fn strict(dispersion: Option<f64>) -> Comparison {
    Comparison { tolerance: 1.0, floor: 0.0, dispersion, beta: 1e-300, ..Comparison::default() }
}

/// How many of `rollouts` are alarmed.
fn false_alarms(comparison: &Comparison, burst: f64, rollouts: u32) -> u32 {
    let (mut random, traffic) = (Random(7), Traffic { seconds: 60.0, times: 1.0, burst });
    (0..rollouts).map(|_| u32::from(alarm(&mut random, comparison, &traffic, 360).is_some())).sum()
}

/// The law `false_alarm`: 10 000 rollouts of six hours whose canary is as good as stable.
#[test]
fn a_good_canary_is_seldom_stopped() {
    for (what, comparison, burst) in [
        ("default settings, bursts of 3", Comparison::default(), 3.0),
        ("tolerance 1, bursts of 3", strict(None), 3.0),
        ("tolerance 1, independent", strict(Some(1.0)), 1.0),
    ] {
        let alarms = false_alarms(&comparison, burst, 10_000);
        println!("{what}: {alarms} of 10 000 good canaries are stopped");
        // One in a hundred, and more than three standard deviations.
        assert!(alarms <= 131, "{what}: {alarms}");
    }
    // 37 to 39 %: with bursts, the plain test is wrong.
    let plain = false_alarms(&strict(Some(1.0)), 3.0, 1_000);
    assert!(plain > 150, "the bursts are bursts: {plain} of 1 000");
}

#[test]
fn a_bad_canary_is_found_soon() {
    let delays = |comparison: &Comparison, times: f64| {
        let (mut random, traffic) = (Random(11), Traffic { seconds: 10.0, times, burst: 1.0 });
        let mut found: Vec<u32> = (0..1_000)
            .map(|_| alarm(&mut random, comparison, &traffic, 2_000).map_or(u32::MAX, |at| at * 10))
            .collect();
        found.sort_unstable();
        (found[500], found[900])
    };
    // 380 and 640 s; without learning the dispersion, 190 and 400 s.
    let (median, most) = delays(&strict(None), 3.0);
    println!("three times as bad, dispersion learned: {median} s, and {most} s at 90 %");
    assert!((330..430).contains(&median) && (570..710).contains(&most));
    let (median, most) = delays(&strict(Some(1.0)), 3.0);
    println!("three times as bad, independent: {median} s, and {most} s at 90 %");
    assert!((160..220).contains(&median) && (350..450).contains(&most));
    let (median, most) = delays(&Comparison { beta: 1e-300, ..Comparison::default() }, 3.0);
    println!("three times as bad, default settings: {median} s, and {most} s at 90 %");
}

#[test]
fn evidence_restarts() {
    let comparison = Comparison::default();
    let (mut kept, mut random) = (Evidence::new(), Random(3));
    let mut read = kept.clone();
    for _ in 0..200 {
        let window = Window {
            canary: random.poisson(50.0),
            canary_bad: random.poisson(1.0),
            stable: random.poisson(900.0),
            stable_bad: random.poisson(5.0),
        };
        kept.add(&comparison, &window);
        read.add(&comparison, &window);
        read = Evidence::read(&read.write()).unwrap();
        assert_eq!(kept, read, "read back, it is the same to the last bit");
    }
}

//! Objects with arbitrary content: a turn never panics, is bounded, and reports safe text.

use super::*;

/// A seeded random number generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

fn odd_value(dice: &mut Dice) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0.5),
        json!(""),
        json!("x"),
        json!("-1"),
        json!("18446744073709551615"),
        json!("100%"),
        json!("1e9999"),
        json!("99999999999d"),
        json!("a\n\u{1b}[2J\u{202e}"),
        json!("../../tb?x=1"),
        json!("9999-12-31T23:59:59Z"),
        json!("-0001-01-01T00:00:00Z"),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!({"": {"": null}}),
        json!([null, 1, "a", {}]),
        json!("x".repeat(5_000)),
        json!(2_147_483_648_u64),
        json!(4_294_967_296_u64),
        json!(i64::MAX),
    ];
    values[dice.roll(values.len())].clone()
}

/// Collects the pointers to all places in a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                places(item, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                places(item, &format!("{at}/{index}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts odd values into random places of a part of an object.
fn spoil(object: &mut Value, part: &str, dice: &mut Dice) {
    for _ in 0..=dice.roll(3) {
        let mut all = Vec::new();
        places(object.pointer(part).unwrap_or(&Value::Null), part, &mut all);
        let place = all[dice.roll(all.len())].clone();
        if let Some(existing) = object.pointer_mut(&place) {
            if let Some(map) = existing.as_object_mut().filter(|_| dice.roll(2) == 0) {
                let names = ["replicas", "steps", "pause", "duration", "setWeight", "x\ny", "conditions"];
                map.insert(names[dice.roll(names.len())].to_owned(), odd_value(dice));
            } else {
                *existing = odd_value(dice);
            }
        }
    }
}

const PARTS: [&str; 6] = [
    "/spec",
    "/status",
    "/metadata/annotations",
    "/metadata/labels",
    "/metadata/ownerReferences",
    "/spec/strategy",
];

async fn one_world(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": "1s"}}, {"pause": {}}]);
    let mut world = World::new(steps).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    for _ in 0..dice.roll(4) {
        world.turn().await;
        world.run_pods();
    }
    let paths: Vec<String> = world.cluster().objects.keys().cloned().collect();
    for path in &paths {
        if path == ROLLOUT || dice.roll(2) == 0 {
            let mut object = world.cluster().objects[path].clone();
            spoil(&mut object, PARTS[dice.roll(PARTS.len())], &mut dice);
            world.cluster().put(path, object);
        }
    }
    world.memory.driver.read_live();
    let (mut all, mut last, began) = (0, Vec::new(), Instant::now());
    // Run for two minutes, at the times that the turns themselves request.
    while began.elapsed() < Duration::from_secs(120) {
        let (writes, next) = world.turn().await;
        assert!(writes.len() <= 8, "seed {seed}: {writes:?}");
        all += writes.len();
        last = if writes.is_empty() { last } else { writes };
        assert!(all <= 60, "seed {seed}: {all} writes, the last {last:#?} in {:#?}", world.cluster().objects);
        let Some(next) = next else { break };
        tokio::time::advance(next.max(Duration::from_millis(10))).await;
    }
    let cluster = world.cluster();
    let status = cluster.objects[ROLLOUT]["status"].clone();
    for field in ["/message", "/conditions/0/message"] {
        let text = status.pointer(field).and_then(Value::as_str).unwrap_or_default();
        assert!(text.len() < 9_000, "seed {seed}: {}", text.len());
    }
    assert!(
        cluster.event_notes.iter().all(|note| note.len() <= 1_024 && !note.contains(char::is_control)),
        "seed {seed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_ends_and_reports_whatever_an_object_contains() {
    for seed in 1..=60 {
        one_world(seed).await;
    }
}

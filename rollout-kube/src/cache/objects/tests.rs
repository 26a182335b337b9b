//! Every interleaving of a server, its watch, and answers in flight.

use super::*;
use serde_json::json;

fn entry(version: u64) -> Entry {
    Entry::new(json!({"metadata": {"name": "x", "resourceVersion": version.to_string()}}))
}

fn key(name: &str) -> Key {
    ("shop".to_owned(), name.to_owned())
}

/// A step of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Another client creates or changes the object, deletes it, or writes another one.
    Changed,
    Deleted,
    Other,
    /// The watch shows its next event; or it breaks, and everything is listed again: requested, answered, shown,
    /// ended.
    Shown,
    Broken,
    List,
    /// The watch sends a bookmark: it has shown everything.
    Bookmark,
    /// A live read: sent, answered, arrived.
    Read,
    /// Our own write: carried out, then its answer arrives. The same for a delete.
    Write,
    Delete,
}

const ALL: [Step; 10] = [
    Step::Changed,
    Step::Deleted,
    Step::Other,
    Step::Shown,
    Step::Broken,
    Step::List,
    Step::Bookmark,
    Step::Read,
    Step::Write,
    Step::Delete,
];

/// The state of a list: answered with the state at this version, and whether that was shown.
#[derive(Debug, Clone, Copy)]
enum Listing {
    Asked,
    Answered(u64),
    Shown(u64),
}

/// A read or a write in flight, and the server's answer: this version, or none.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    as_of: AsOf,
    answer: Option<Answer>,
}

/// The version of the object, if there is one.
type Answer = Result<u64, Absent>;

#[derive(Debug, Clone, Copy)]
struct Absent;

#[derive(Clone)]
struct World {
    objects: Objects,
    /// Every event, by version from 1: the object exists or is gone since then, or another one was written.
    log: Vec<Event>,
    /// The version up to which the watch has shown everything.
    seen: u64,
    listing: Option<Listing>,
    read: Option<InFlight>,
    write: Option<InFlight>,
    /// What is known must be no older than this.
    floor: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    There,
    Gone,
    Other,
}

impl World {
    fn new() -> Self {
        let mut objects = Objects::default();
        objects.begin_list();
        let listing = Some(Listing::Asked);
        Self { objects, log: vec![Event::Other], seen: 0, listing, read: None, write: None, floor: 0 }
    }

    fn now(&self) -> u64 {
        self.log.len() as u64
    }

    /// Returns the version of the object at a version of the log.
    fn at(&self, version: u64) -> Option<u64> {
        let mut existing = None;
        for (event, at) in self.log.iter().zip(1..=version) {
            match event {
                Event::There => existing = Some(at),
                Event::Gone => existing = None,
                Event::Other => {}
            }
        }
        existing
    }

    fn known(&self) -> Option<u64> {
        self.objects.get(&key("x")).and_then(Entry::number)
    }

    /// Takes a step; returns whether it was possible.
    fn take(&mut self, step: Step) -> bool {
        let existing = self.at(self.now());
        match step {
            Step::Changed => self.log.push(Event::There),
            Step::Deleted if existing.is_some() => self.log.push(Event::Gone),
            Step::Other => self.log.push(Event::Other),
            Step::Shown if self.listing.is_none() && self.seen < self.now() => self.show_next(),
            Step::Broken if self.listing.is_none() => {
                self.objects.begin_list();
                self.listing = Some(Listing::Asked);
            }
            Step::List => match self.listing {
                Some(Listing::Asked) => self.listing = Some(Listing::Answered(self.now())),
                Some(Listing::Answered(at)) => {
                    if let Some(version) = self.at(at) {
                        self.objects.show(key("x"), entry(version));
                    }
                    self.listing = Some(Listing::Shown(at));
                }
                Some(Listing::Shown(at)) => {
                    self.objects.end_list(Some(at));
                    (self.seen, self.listing) = (at, None);
                }
                None => return false,
            },
            Step::Bookmark if self.listing.is_none() && self.seen == self.now() => {
                self.objects.advance_watch(self.seen);
            }
            Step::Read => match self.read {
                None => self.read = Some(InFlight { as_of: self.objects.as_of(), answer: None }),
                Some(InFlight { as_of, answer: None }) => {
                    self.read = Some(InFlight { as_of, answer: Some(existing.ok_or(Absent)) });
                }
                Some(InFlight { as_of, answer: Some(answer) }) => {
                    self.arrived(as_of, answer);
                    self.read = None;
                }
            },
            Step::Write | Step::Delete => match self.write {
                // Our writes carry the known version.
                None if self.known() != existing => return false,
                None if (step == Step::Delete) != self.known().is_some() => return false,
                None => {
                    let as_of = self.objects.as_of();
                    self.log.push(if step == Step::Delete { Event::Gone } else { Event::There });
                    self.write = Some(InFlight { as_of, answer: Some(self.at(self.now()).ok_or(Absent)) });
                }
                Some(InFlight { as_of, answer }) => {
                    self.write = None;
                    self.arrived(as_of, answer.unwrap_or(Err(Absent)));
                }
            },
            Step::Deleted | Step::Shown | Step::Broken | Step::Bookmark => return false,
        }
        true
    }

    fn show_next(&mut self) {
        self.seen += 1;
        let event = self.log[usize::try_from(self.seen).unwrap() - 1];
        match event {
            Event::There => drop(self.objects.show(key("x"), entry(self.seen))),
            Event::Gone => drop(self.objects.show_deleted(&key("x"), &entry(self.seen))),
            Event::Other => drop(self.objects.show(key("other"), entry(self.seen))),
        }
    }

    fn arrived(&mut self, as_of: AsOf, answer: Answer) {
        if let Ok(version) = answer {
            self.objects.put(key("x"), entry(version));
            self.floor = self.floor.max(version);
        } else {
            self.objects.absent(&key("x"), as_of);
            self.floor = self.floor.max(as_of.0);
        }
    }

    /// Returns whether what is known was true at some time since the latest answer.
    fn is_new_enough(&self) -> bool {
        let was_true = |version| self.at(version) == self.known();
        !self.objects.is_whole() || (self.floor..=self.now()).any(was_true)
    }

    /// Finishes everything in flight and lets the watch catch up; returns whether what is known is then true.
    fn converges(mut self) -> bool {
        for _ in 0..2 {
            if self.read.is_some() {
                self.take(Step::Read);
            }
        }
        if self.write.is_some() {
            self.take(Step::Write);
        }
        while self.listing.is_some() {
            self.take(Step::List);
        }
        while self.take(Step::Shown) {}
        self.known() == self.at(self.now())
    }
}

fn search(world: &World, left: u32, path: &mut Vec<Step>, histories: &mut u64) {
    for step in ALL {
        let mut next = world.clone();
        if !next.take(step) {
            continue;
        }
        path.push(step);
        *histories += 1;
        assert!(next.is_new_enough(), "{path:?}: {:?} is older than {}", next.known(), next.floor);
        assert!(next.clone().converges(), "{path:?}: {:?}", next.log);
        if left > 1 {
            search(&next, left - 1, path, histories);
        }
        path.pop();
    }
}

#[test]
fn every_short_interleaving_converges_and_never_shows_anything_older_than_an_answer() {
    let (mut world, mut histories) = (World::new(), 0);
    search(&world, 6, &mut Vec::new(), &mut histories);
    // And again from a state where the object is known and everything was listed.
    for step in [Step::Changed, Step::List, Step::List, Step::List] {
        assert!(world.take(step));
    }
    search(&world, 6, &mut Vec::new(), &mut histories);
    assert!(histories > 100_000, "{histories}");
}

#[test]
fn random_long_interleavings_converge_too() {
    for seed in 1..=20_000_u64 {
        let (mut world, mut path, mut random) = (World::new(), Vec::new(), seed);
        for _ in 0..40 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let step = ALL[usize::try_from(random >> 33).unwrap() % ALL.len()];
            if world.take(step) {
                path.push(step);
                assert!(world.is_new_enough(), "seed {seed}: {path:?}");
            }
        }
        assert!(world.converges(), "seed {seed}: {path:?}");
    }
}

#[test]
fn an_object_is_found_by_its_current_keys_and_a_change_reports_its_earlier_keys_too() {
    let index = Index::new(|namespace, object| {
        let hosts = object["hosts"].as_array().into_iter().flatten();
        hosts.map(|host| format!("{namespace}/{}", host.as_str().unwrap_or_default())).collect()
    });
    let mut objects = Objects::new(index);
    let entry = |version: &str, hosts: &[&str]| {
        Entry::new(json!({"metadata": {"resourceVersion": version}, "hosts": hosts}))
    };
    let found = |objects: &Objects, host: &str| objects.having("shop", host).count();
    let touched = objects.put(key("a"), entry("1", &["one", "two"])).unwrap();
    assert_eq!(touched.iter().map(|key| &**key).collect::<Vec<_>>(), ["shop/one", "shop/two"]);
    let touched = objects.put(key("a"), entry("2", &["two", "three"])).unwrap();
    assert_eq!(touched.len(), 3, "also for those whom it no longer concerns");
    assert_eq!((found(&objects, "shop/one"), found(&objects, "shop/three")), (0, 1));
    assert_eq!(objects.having("other", "shop/three").count(), 0, "of one namespace");
    assert!(objects.put(key("a"), entry("1", &["one"])).is_none());
    let touched = objects.show_deleted(&key("a"), &entry("3", &[])).unwrap();
    assert_eq!(touched.len(), 2, "the keys that it had");
    assert_eq!(found(&objects, "shop/two"), 0);
}

//! `--traffic`: requests that arrive at the simulated proxies, and the counters that a Prometheus would have of them.

mod draw;
mod measure;
mod places;
mod settings;

pub(crate) use measure::{can_measure, measure};
pub(crate) use settings::TrafficArgs;

use super::promql::{self, Labels, Matcher, Millis, Query, Series, Source};
use draw::{BOUNDS, Count};
use places::{Kind, Places};
use rand::SeedableRng as _;
use rand_xorshift::XorShiftRng;
use rollout_core::{
    Revision, Time,
    sim::{Share, Truth},
    traffic::Destination,
};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    rc::Rc,
};

/// How often the counters are scraped, in milliseconds: what Prometheus' documentation begins with.
const SCRAPE: Millis = 15_000;

/// The requests so far, by where the routes sent them and whose pods answered.
type Counts = BTreeMap<(Destination, Revision), Count>;

/// Requests and their counters.
#[derive(Debug)]
pub(crate) struct Traffic {
    settings: TrafficArgs,
    random: XorShiftRng,
    places: Places,
    /// The revision that was stable when the update began: its pods answer as stable does.
    base: Option<Revision>,
    revisions: Vec<Revision>,
    counts: Counts,
    /// What was scraped, oldest first.
    scraped: Vec<(Millis, Counts)>,
    /// Conditions on labels that say nothing about these requests.
    unknown: RefCell<BTreeSet<String>>,
    /// The queries so far, as they were read.
    queries: RefCell<BTreeMap<String, Rc<Query>>>,
}

/// How the requests to the old revision and to the new ones ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answers {
    pub(crate) stable: Ended,
    pub(crate) canary: Ended,
    /// Conditions on labels that no simulated request has: they were taken to hold.
    pub(crate) unknown: Vec<String>,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ended {
    pub(crate) all: f64,
    pub(crate) bad: f64,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stable, canary, .. } = self;
        write!(
            f,
            "{} of {} answers of the new revision were bad, and {} of {} of the old one",
            canary.bad, canary.all, stable.bad, stable.all
        )
    }
}

impl Traffic {
    pub(crate) fn new(settings: TrafficArgs, seed: u64, manifest: &Value, base: Option<Revision>) -> Self {
        Self {
            settings,
            random: XorShiftRng::seed_from_u64(seed),
            places: Places::of(manifest),
            base,
            revisions: Vec::new(),
            counts: BTreeMap::new(),
            scraped: Vec::new(),
            unknown: RefCell::default(),
            queries: RefCell::default(),
        }
    }

    /// Requests arrive until `to`; the world has been as it is since its own time.
    pub(crate) fn pass(&mut self, truth: &Truth, to: Time) {
        for workload in &truth.workloads {
            if !self.revisions.contains(&workload.revision) {
                self.revisions.push(workload.revision.clone());
            }
        }
        let shares = truth.shares();
        let (mut from, to) = (truth.now.as_millis(), to.as_millis());
        while from < to {
            let scrape = (from.div_euclid(SCRAPE) + 1) * SCRAPE;
            let until = scrape.min(to);
            for share in &shares {
                self.draw(share, until - from);
            }
            if until == scrape {
                self.scraped.push((scrape, self.counts.clone()));
            }
            from = until;
        }
    }

    fn draw(&mut self, share: &Share, millis: Millis) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let expected = self.settings.rps * (millis as f64 / 1e3) * (share.of_a_million as f64 / 1e6);
        let is_base = self.base.as_ref() == Some(&share.revision);
        let quality = if is_base { self.settings.stable } else { self.settings.canary };
        let count = draw::count(&mut self.random, expected, quality, self.settings.bursts);
        if count.all() > 0.0 {
            self.counts.entry((share.destination, share.revision.clone())).or_default().add(&count);
        }
    }

    /// What a Prometheus answers at this time.
    ///
    /// # Errors
    /// It would refuse the query, or it is not evaluated here.
    pub(crate) fn answer(&self, query: &str, at: Time) -> Result<promql::Answer, String> {
        let known = self.queries.borrow().get(query).cloned();
        let parsed = if let Some(known) = known {
            known
        } else {
            let parsed = Rc::new(promql::parse(query)?);
            self.queries.borrow_mut().insert(query.to_owned(), parsed.clone());
            parsed
        };
        promql::evaluate(&parsed, at.as_millis(), self)
    }

    /// How requests have ended so far.
    pub(crate) fn answers(&self) -> Answers {
        let (mut stable, mut canary) = (Ended::default(), Ended::default());
        for ((_, revision), count) in &self.counts {
            let side = if self.base.as_ref() == Some(revision) { &mut stable } else { &mut canary };
            *side = Ended { all: side.all + count.all(), bad: side.bad + count.bad };
        }
        Answers { stable, canary, unknown: self.unknown.borrow().iter().cloned().collect() }
    }

    /// Whether requests of this kind fulfil all matchers.
    fn fulfils(&self, matchers: &[Matcher], of: Kind<'_>) -> bool {
        let revisions: Vec<&str> = self.revisions.iter().map(Revision::as_str).collect();
        matchers.iter().filter(|matcher| matcher.label != "le").all(|matcher| {
            let Some(named) = self.places.says(matcher, of, &revisions) else {
                if !matcher.is_negative() {
                    self.unknown.borrow_mut().insert(format!("{}={:?}", matcher.label, matcher.value));
                }
                return true;
            };
            named != matcher.is_negative()
        })
    }

    fn samples(
        &self,
        key: &(Destination, Revision),
        (from, to): (Millis, Millis),
        of: impl Fn(&Count) -> f64,
    ) -> Vec<(Millis, f64)> {
        let first = self.scraped.partition_point(|(at, _)| *at <= from);
        let scraped = self.scraped.get(first..).unwrap_or_default().iter().take_while(|(at, _)| *at <= to);
        scraped.filter_map(|(at, counts)| Some((*at, of(counts.get(key)?)))).collect()
    }
}

/// What a metric counts, by its name.
enum Counted {
    Requests,
    Buckets { per_unit: f64 },
    Time { per_unit: f64 },
}

impl Counted {
    fn of(metric: &str) -> Self {
        // Without a unit in its name, a histogram is in seconds, as Prometheus recommends.
        let per_unit =
            if metric.contains("milliseconds") || metric.contains("_ms_") || metric.starts_with("envoy_") {
                1.0
            } else {
                1e3
            };
        if metric.ends_with("_bucket") {
            Self::Buckets { per_unit }
        } else if metric.ends_with("_sum") {
            Self::Time { per_unit }
        } else {
            Self::Requests
        }
    }
}

impl Source for Traffic {
    fn select(&self, metric: &str, matchers: &[Matcher], from: Millis, to: Millis) -> Vec<Series> {
        let mut found = Vec::new();
        let counted = Counted::of(metric);
        for key in self.counts.keys() {
            let (destination, revision) = key;
            for is_bad in [false, true] {
                let kind = Kind { destination: *destination, revision: revision.as_str(), is_bad };
                if !self.fulfils(matchers, kind) {
                    continue;
                }
                let side = if *destination == Destination::Canary { "canary" } else { "stable" };
                let code = if is_bad { "500" } else { "200" };
                let labels = Labels::from(
                    [
                        ("code", code),
                        ("response_code", code),
                        ("namespace", self.places.namespace()),
                        ("destination", side),
                        ("rollouts_pod_template_hash", revision.as_str()),
                    ]
                    .map(|(label, value)| (label.to_owned(), value.to_owned())),
                );
                // A request's time does not depend on how it ends: each class has its share.
                let part = |count: &Count| {
                    let class = if is_bad { count.bad } else { count.good };
                    if count.all() > 0.0 { class / count.all() } else { 0.0 }
                };
                match counted {
                    Counted::Requests => {
                        let of = |count: &Count| if is_bad { count.bad } else { count.good };
                        found.push(Series { labels, samples: self.samples(key, (from, to), of) });
                    }
                    Counted::Time { per_unit } => {
                        let of = |count: &Count| count.millis / per_unit * part(count);
                        found.push(Series { labels, samples: self.samples(key, (from, to), of) });
                    }
                    Counted::Buckets { per_unit } => {
                        for index in 0..=BOUNDS.len() {
                            let bound = BOUNDS
                                .get(index)
                                .map_or("+Inf".to_owned(), |bound| (bound / per_unit).to_string());
                            let le = |matcher: &Matcher| {
                                matcher.label != "le" || matcher.names(&bound) != matcher.is_negative()
                            };
                            if !matchers.iter().all(le) {
                                continue;
                            }
                            let of = |count: &Count| {
                                count.within.get(index).copied().unwrap_or(count.all()) * part(count)
                            };
                            let mut labels = labels.clone();
                            labels.insert("le".to_owned(), bound.clone());
                            found.push(Series { labels, samples: self.samples(key, (from, to), of) });
                        }
                    }
                }
            }
        }
        // A series without a count has never been exposed.
        found.retain(|series| {
            series.samples.iter().any(|(_, value)| *value > 0.0) && !series.samples.is_empty()
        });
        found
    }
}

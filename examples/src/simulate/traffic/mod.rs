//! `--traffic`: requests that arrive at the simulated proxies, and the counters that a Prometheus would have of them.

mod draw;
mod measure;
mod places;
mod settings;

pub(crate) use measure::{can_measure, doubts, is_scalar, measure};
pub(crate) use places::{LATEST, Places, STABLE};
pub(crate) use settings::TrafficArgs;

use super::promql::{self, Labels, Matcher, Millis, Query, Series, Source};
use draw::{Answered, BOUNDS, Count};
use places::Kind;
use rand::SeedableRng as _;
use rand_xorshift::XorShiftRng;
use rollout_core::{Revision, Time, sim::Truth, traffic::Destination};
use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

/// How often the counters are scraped, in milliseconds: what Prometheus' documentation begins with.
const SCRAPE: Millis = 15_000;
/// For how long requests have arrived before the update, in milliseconds.
const HISTORY: Millis = 3_600_000;

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
    /// What had been counted when the update began.
    before: Counts,
    /// What was scraped, oldest first.
    scraped: Vec<(Millis, Counts)>,
    /// The queries so far, as they were read.
    queries: RefCell<BTreeMap<String, Rc<Query>>>,
}

/// How the requests to the old revision and to the new ones ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answers {
    pub(crate) stable: Ended,
    pub(crate) canary: Ended,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ended {
    pub(crate) all: f64,
    pub(crate) bad: f64,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stable, canary } = self;
        write!(
            f,
            "{} of {} answers of new revisions were bad, and {} of {} of the old one",
            canary.bad, canary.all, stable.bad, stable.all
        )
    }
}

impl Traffic {
    /// Requests have arrived at the stable revision for an hour. Another `name` has other requests.
    pub(crate) fn new(
        settings: TrafficArgs,
        (seed, name): (u64, &str),
        places: Places,
        base: Option<Revision>,
        now: Time,
    ) -> Self {
        // 64 bits of FNV-1a.
        let of_name = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut traffic = Self {
            settings,
            random: XorShiftRng::seed_from_u64(seed ^ of_name),
            places,
            revisions: base.iter().cloned().collect(),
            base,
            counts: Counts::new(),
            before: Counts::new(),
            scraped: Vec::new(),
            queries: RefCell::default(),
        };
        if let Some(base) = traffic.base.clone() {
            let now = now.as_millis();
            traffic.arrive(&[(Destination::Stable, base, 1_000_000)], now - HISTORY, now);
        }
        traffic.before.clone_from(&traffic.counts);
        traffic
    }

    /// Requests arrive until `to`; the world has been as it is since its own time.
    pub(crate) fn pass(&mut self, truth: &Truth, to: Time) {
        for workload in &truth.workloads {
            if !self.revisions.contains(&workload.revision) {
                self.revisions.push(workload.revision.clone());
            }
        }
        let shares = truth.shares().into_iter();
        let shares: Vec<_> =
            shares.map(|share| (share.destination, share.revision, share.of_a_million)).collect();
        self.arrive(&shares, truth.now.as_millis(), to.as_millis());
    }

    fn arrive(&mut self, shares: &[(Destination, Revision, u64)], mut from: Millis, to: Millis) {
        while from < to {
            let scrape = (from.div_euclid(SCRAPE) + 1) * SCRAPE;
            let until = scrape.min(to);
            for (destination, revision, of_a_million) in shares {
                let key = (*destination, revision.clone());
                self.draw(key, *of_a_million, until - from);
            }
            if until == scrape {
                self.scraped.push((scrape, self.counts.clone()));
            }
            from = until;
        }
    }

    fn draw(&mut self, key: (Destination, Revision), of_a_million: u64, millis: Millis) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let expected = self.settings.rps * (millis as f64 / 1e3) * (of_a_million as f64 / 1e6);
        let is_base = self.base.as_ref() == Some(&key.1);
        let quality = if is_base { self.settings.stable } else { self.settings.canary };
        let count = self.counts.entry(key).or_default();
        count.draw(&mut self.random, expected, quality, self.settings.bursts);
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

    /// How requests have ended since the update began.
    pub(crate) fn answers(&self) -> Answers {
        let (mut stable, mut canary) = (Ended::default(), Ended::default());
        for (key, count) in &self.counts {
            let before = self.before.get(key).copied().unwrap_or_default();
            let side = if self.base.as_ref() == Some(&key.1) { &mut stable } else { &mut canary };
            side.all += count.all() - before.all();
            side.bad += count.bad.all - before.bad.all;
        }
        Answers { stable, canary }
    }

    /// Whether requests of this kind fulfil all matchers. What says nothing about them is taken to hold: that was said
    /// before anything was played.
    fn fulfils(&self, matchers: &[Matcher], of: Kind<'_>) -> bool {
        let revisions: Vec<&str> = self.revisions.iter().map(Revision::as_str).collect();
        matchers.iter().filter(|matcher| matcher.label != "le").all(|matcher| {
            self.places.says(matcher, of, &revisions).is_none_or(|named| named != matcher.is_negative())
        })
    }

    /// What was scraped of one class of answers, once there were any.
    fn samples(
        &self,
        key: &(Destination, Revision),
        is_bad: bool,
        (from, to): (Millis, Millis),
        of: impl Fn(&Answered) -> f64,
    ) -> Vec<(Millis, f64)> {
        let first = self.scraped.partition_point(|(at, _)| *at <= from);
        let scraped = self.scraped.get(first..).unwrap_or_default().iter().take_while(|(at, _)| *at <= to);
        let each = scraped.filter_map(|(at, counts)| {
            let count = counts.get(key)?;
            let answered = if is_bad { &count.bad } else { &count.good };
            (answered.all > 0.0).then(|| (*at, of(answered)))
        });
        each.collect()
    }
}

/// What a metric counts, by its name.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Counted {
    Requests,
    /// Only those that ended badly.
    Bad,
    Buckets {
        per_unit: f64,
    },
    Time {
        per_unit: f64,
    },
}

impl Counted {
    fn of(metric: &str) -> Self {
        let is_in_millis =
            metric.contains("milliseconds") || metric.contains("_ms_") || metric.starts_with("envoy_");
        // Without a unit in its name, a histogram is in seconds, as Prometheus recommends.
        let per_unit = if is_in_millis { 1.0 } else { 1e3 };
        if metric.ends_with("_bucket") {
            Self::Buckets { per_unit }
        } else if metric.ends_with("_sum") {
            Self::Time { per_unit }
        } else if ["error", "fail"].iter().any(|word| metric.contains(word)) {
            Self::Bad
        } else {
            Self::Requests
        }
    }
}

/// The upper bounds of the buckets of a histogram, as `le` has them.
fn bounds(per_unit: f64) -> impl Iterator<Item = String> {
    BOUNDS.into_iter().map(move |bound| (bound / per_unit).to_string()).chain(["+Inf".to_owned()])
}

impl Source for Traffic {
    fn select(&self, metric: &str, matchers: &[Matcher], from: Millis, to: Millis) -> Vec<Series> {
        let mut found = Vec::new();
        let (counted, span) = (Counted::of(metric), (from, to));
        for key in self.counts.keys() {
            let (destination, revision) = (key.0, key.1.as_str());
            let is_base = self.base.as_ref() == Some(&key.1);
            for is_bad in [false, true] {
                if !self.fulfils(matchers, Kind { destination, revision, is_base, is_bad }) {
                    continue;
                }
                let labels = || self.labels(key, is_bad);
                match counted {
                    Counted::Bad if !is_bad => {}
                    Counted::Requests | Counted::Bad => {
                        let samples = self.samples(key, is_bad, span, |answered| answered.all);
                        found.push(Series { labels: labels(), samples });
                    }
                    Counted::Time { per_unit } => {
                        let samples = self.samples(key, is_bad, span, |answered| answered.millis / per_unit);
                        found.push(Series { labels: labels(), samples });
                    }
                    Counted::Buckets { per_unit } => {
                        for (index, bound) in bounds(per_unit).enumerate() {
                            let le = |matcher: &Matcher| {
                                matcher.label != "le" || matcher.names(&bound) != matcher.is_negative()
                            };
                            if !matchers.iter().all(le) {
                                continue;
                            }
                            let of = |answered: &Answered| {
                                answered.within.get(index).copied().unwrap_or(answered.all)
                            };
                            let samples = self.samples(key, is_bad, span, of);
                            let mut labels = labels();
                            labels.insert("le".to_owned(), bound);
                            found.push(Series { labels, samples });
                        }
                    }
                }
            }
        }
        found.retain(|series| !series.samples.is_empty());
        found
    }
}

impl Traffic {
    fn labels(&self, (destination, revision): &(Destination, Revision), is_bad: bool) -> Labels {
        let [hash, workload, pod] = self.places.names_of(revision.as_str());
        let code = if is_bad { "500" } else { "200" };
        let side = if *destination == Destination::Canary { "canary" } else { "stable" };
        let named = [
            ("destination", side),
            ("destination_workload", &workload),
            ("namespace", self.places.namespace()),
            ("pod", &pod),
            ("rollouts_pod_template_hash", &hash),
        ];
        let service = self.places.service(*destination).map(|service| ("destination_service_name", service));
        let codes = places::CODES.map(|label| (label, code));
        let all = named.into_iter().chain(service).chain(codes);
        all.map(|(label, value)| (label.to_owned(), value.to_owned())).collect()
    }
}

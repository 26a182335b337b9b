use core::fmt;
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// All values of a proptest strategy, each identified by a number: the same number gives the same value.
///
/// Numbers can be distributed over threads, printed, and reused; a failing value can be shrunk.
///
/// ```
/// use rollout_core::testing::Numbered;
/// let numbers = Numbered::new(0..1_000_u32);
/// assert_eq!(numbers.draw(7), numbers.draw(7));
/// let large = (0..).find(|number| numbers.draw(*number).is_some_and(|drawn| drawn >= 100)).unwrap();
/// assert_eq!(numbers.shrink(large, 1_000, |drawn| *drawn >= 100), Some(100));
/// ```
pub struct Numbered<T>(BoxedStrategy<T>);

impl<T: fmt::Debug> fmt::Debug for Numbered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Numbered").field(&self.0).finish()
    }
}

impl<T: fmt::Debug> Numbered<T> {
    /// Creates the values of this strategy.
    ///
    /// See [`Numbered`] for an example.
    #[must_use]
    pub fn new(strategy: impl Strategy<Value = T> + 'static) -> Self {
        Self(strategy.boxed())
    }

    /// Returns the value with this number; `None` if the strategy rejects it.
    ///
    /// See [`Numbered`] for an example.
    #[must_use]
    pub fn draw(&self, number: u64) -> Option<T> {
        let tree = self.0.new_tree(&mut runner(number)).ok()?;
        Some(tree.current())
    }

    /// Shrinks the value with this number; returns the smallest one found in `tries` attempts that still `fails`.
    ///
    /// See [`Numbered`] for an example.
    pub fn shrink(&self, number: u64, tries: u32, mut fails: impl FnMut(&T) -> bool) -> Option<T> {
        let mut tree = self.0.new_tree(&mut runner(number)).ok()?;
        let mut smallest = tree.current();
        for _ in 0..tries {
            let current = tree.current();
            let failed = fails(&current);
            if failed {
                smallest = current;
            }
            if !(if failed { tree.simplify() } else { tree.complicate() }) {
                break;
            }
        }
        Some(smallest)
    }
}

fn runner(number: u64) -> TestRunner {
    let mut seed = [0x5a; 16];
    for (to, from) in seed
        .iter_mut()
        .zip(number.to_le_bytes().into_iter().chain(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()))
    {
        *to ^= from;
    }
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::XorShift, &seed))
}

//! Random traffic, the same every time.

/// Random numbers: `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / 4_294_967_296.0
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
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
    pub(crate) fn bad(&mut self, mean: f64, burst: f64) -> u32 {
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

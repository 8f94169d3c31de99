//! Numbers that look random, from the host's seed: for jitter, never for secrets.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `whole`, each as often as the others.
    pub(super) fn up_to(&mut self, whole: u64) -> u64 {
        let product = (u128::from(whole) + 1) * u128::from(self.next());
        u64::try_from(product >> 64).unwrap_or(whole)
    }

    /// `scale * E`, with E exponentially distributed around 1 and at most 44.
    ///
    /// E is -ln(u/2⁶⁴) = (64 - log2 u)·ln 2. The logarithm is the position of the highest bit and,
    /// for the rest, the parabola through both ends: right to 1 in 100, enough to spread a fleet.
    pub(super) fn exponential(&mut self, scale: u64) -> u64 {
        let u = self.next() | 1;
        let zeros = u.leading_zeros();
        // The bits after the highest, as a fraction of 1024.
        let fraction = ((u << zeros) >> 53) & 1023;
        let log2 = fraction * (4096 - fraction) / 3072;
        let halvings = (u64::from(zeros) + 1) * 1024 - log2; // in 1024ths
        let product = u128::from(halvings) * 710 * u128::from(scale) / (1024 * 1024); // ln 2 = 710/1024
        u64::try_from(product).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_has_its_mean_and_its_median() {
        let mut random = Random::new(7);
        let drawn: alloc::vec::Vec<u64> = (0..100_000)
            .map(|_| random.exponential(1_000_000))
            .collect();
        let mean = drawn.iter().sum::<u64>() / 100_000;
        assert!((980_000..1_020_000).contains(&mean), "{mean}");
        let below = drawn.iter().filter(|value| **value < 693_147).count();
        assert!((49_000..51_000).contains(&below), "{below}");
        assert!(drawn.iter().all(|value| *value < 45_000_000));
    }

    #[test]
    fn all_of_a_range_is_drawn() {
        let mut random = Random::new(1);
        let mut seen = [false; 4];
        for _ in 0..200 {
            seen[usize::try_from(random.up_to(3)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 4]);
    }
}

//! Which traces are recorded.

/// Which traces are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The part of the traces that begin here, 0 to 1.
    ratio: f64,
    /// Whether a trace that began elsewhere is recorded if it is recorded there.
    follows_parent: bool,
}

impl Sampling {
    /// All that are recorded by whoever began them, and all that begin here.
    pub const ALL: Self = Self { ratio: 1.0, follows_parent: true };

    /// This part of the traces, 0 to 1; of those that began elsewhere those that are recorded there, if `follows_parent`.
    #[must_use]
    pub const fn new(ratio: f64, follows_parent: bool) -> Self {
        Self { ratio, follows_parent }
    }

    /// Whether to record a trace. `parent`: what whoever began it says.
    ///
    /// Servers with the same ratio record the same traces: the lower half of the id decides.
    #[must_use]
    pub fn records(&self, trace: u128, parent: Option<bool>) -> bool {
        match parent.filter(|_| self.follows_parent) {
            Some(sampled) => sampled,
            None if self.ratio >= 1.0 => true,
            None => {
                #[expect(clippy::cast_possible_truncation, reason = "the lower half is what decides")]
                let lower = trace as u64 >> 11;
                #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
                let place = lower as f64 / (1_u64 << 53) as f64;
                place < self.ratio
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sampling;

    #[test]
    fn the_ratio_holds_and_the_parent_decides_if_it_is_followed() {
        let ids = (0..10_000_u64).map(|n| u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let quarter = Sampling::new(0.25, true);
        let kept = ids.clone().filter(|id| quarter.records(*id, None)).count();
        assert!((2400..2600).contains(&kept), "{kept}");
        for id in ids.take(100) {
            assert!(quarter.records(id, Some(true)) && !quarter.records(id, Some(false)));
            assert!(Sampling::new(1.0, false).records(id, Some(false)));
            assert!(!Sampling::new(0.0, false).records(id, Some(true)));
        }
        assert!(Sampling::ALL.records(u128::MAX, None) && !Sampling::new(0.0, true).records(0, None));
    }
}

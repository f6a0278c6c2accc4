//! Latencies and their percentiles. Every latency is kept, four bytes each: the percentiles are exact.

use std::time::Duration;

use serde_json::{Value, json};

#[derive(Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds; nothing measured is null.
    pub fn report(mut self) -> Value {
        self.0.sort_unstable();
        let total: u64 = self.0.iter().map(|latency| u64::from(*latency)).sum();
        let count = self.0.len();
        let at = |part: f64| milliseconds(&self.0, part);
        json!({
            "mean": if count == 0 { Value::Null } else { json!(ratio(total, count as u64) / 1000.0) },
            "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1.0),
        })
    }
}

/// The smallest latency that at least this part of all latencies do not exceed.
fn milliseconds(sorted: &[u32], part: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts are small and not negative"
    )]
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map(|latency| f64::from(*latency) / 1000.0)
}

/// `a / b`, and 0 for no `b`.
#[expect(clippy::cast_precision_loss, reason = "no figure here needs more than 53 bits")]
pub fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_definition() {
        let mut latencies = Latencies::default();
        for milli in (1..=100).rev() {
            latencies.add(Duration::from_millis(milli));
        }
        let report = latencies.report();
        let read = |name: &str| report[name].as_f64().unwrap();
        assert!((read("p50") - 50.0).abs() < 1e-9);
        assert!((read("p99") - 99.0).abs() < 1e-9);
        assert!((read("p999") - 100.0).abs() < 1e-9);
        assert!((read("max") - 100.0).abs() < 1e-9);
        assert!((read("mean") - 50.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert!(Latencies::default().report()["p50"].is_null());
    }
}

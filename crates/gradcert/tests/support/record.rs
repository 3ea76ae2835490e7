//! Comparison of what was sampled with what was promised.

use std::collections::BTreeMap;

/// Largest actual / bound for each quantity, and how often it was compared.
#[derive(Default)]
pub(crate) struct Record {
    worst: BTreeMap<&'static str, (f64, u64)>,
}

impl Record {
    /// Demands `actual - slack <= bound`; the slack is the rounding of the sampled side alone.
    pub(crate) fn at_most(&mut self, name: &'static str, actual: f64, bound: f64, slack: f64, case: u64) {
        assert!(actual - slack <= bound, "{name}: {actual:e} exceeds its bound {bound:e} (case {case})");
        let entry = self.worst.entry(name).or_insert((0.0, 0));
        entry.1 += 1;
        // Below this the slack hides everything.
        if bound > 100.0 * slack && bound > 1e-250 && bound.is_finite() {
            entry.0 = entry.0.max((actual - slack) / bound);
        }
    }

    pub(crate) fn checks(&self, name: &str) -> u64 {
        self.worst.get(name).map_or(0, |w| w.1)
    }

    pub(crate) fn largest(&self, name: &str) -> f64 {
        self.worst.get(name).map_or(0.0, |w| w.0)
    }

    pub(crate) fn print(&self, title: &str) {
        #[allow(clippy::print_stderr, reason = "shown with --nocapture")]
        for (name, (ratio, checks)) in &self.worst {
            eprintln!("{title}: {name:24} {ratio:.6}  ({checks} comparisons)");
        }
    }
}

//! Frequencies and what they say about probabilities. Estimates, in plain floats: nothing here is a proof.

/// Wilson's interval for a probability after `hits` in `trials`, with `z` standard deviations (1.96 for 95 %); `(0, 1)` without
/// trials. Unlike the usual `p +- z s` it is sensible for 0 hits and for hits alone.
pub fn wilson(hits: u64, trials: u64, z: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (trials as f64, hits as f64 / trials as f64);
    let share = z * z / n;
    let centre = (p + 0.5 * share) / (1.0 + share);
    let half = z / (1.0 + share) * (p * (1.0 - p) / n + 0.25 * share / n).sqrt();
    // At the ends the interval touches 0 and 1 exactly; rounding must not push it past the frequency.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == trials { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// Standard deviations of a 95 % interval.
pub const NINETY_FIVE: f64 = 1.959_963_984_540_054;

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Wilson (1927) as tabulated by Newcombe (1998).
    #[test]
    fn known_intervals() {
        for (hits, trials, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (l, h) = wilson(hits, trials, NINETY_FIVE);
            assert!((l - low).abs() < 1e-4 && (h - high).abs() < 1e-4, "{hits} of {trials}: {l}, {h}");
        }
        assert_eq!(wilson(0, 0, 1.96), (0.0, 1.0));
        assert_eq!(wilson(7, 7, 1.96).1, 1.0);
    }
}

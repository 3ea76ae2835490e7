//! Scales, ranges and ticks.

use crate::number::{Rounding, rounded, superscript};

/// Linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Log,
}

/// One axis: a scale, the range shown and a label.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) label: String,
    scale: Scale,
    low: f64,
    high: f64,
}

/// A position on an axis with its text; minor ticks have none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) text: String,
}

/// Not more ticks than fit.
const MOST_TICKS: f64 = 6.0;

impl Axis {
    /// The axis that shows all the values that it can show, a linear one from 0. `None` if there is no such value.
    pub(crate) fn over(label: &str, scale: Scale, values: impl Iterator<Item = f64>) -> Option<Axis> {
        let shown = values.filter(|x| x.is_finite() && (scale == Scale::Linear || *x > 0.0));
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return None;
        }
        let (low, high) = match scale {
            Scale::Linear => (low.min(0.0), if high > 0.0 { 1.04 * high } else { 1.0 }),
            // Whole decades, at least one, and never beyond the doubles.
            Scale::Log => {
                let low = low.log10().floor();
                (low, high.log10().ceil().max(low + 1.0))
            }
        };
        Some(Axis { label: label.to_string(), scale, low, high })
    }

    /// The axis between these values, widened to whole decades if it is logarithmic. `None` if it cannot be.
    pub(crate) fn between(label: &str, scale: Scale, low: f64, high: f64) -> Option<Axis> {
        Axis::over(label, scale, [low, high].into_iter())
    }

    /// The nearest value that the axis shows.
    pub(crate) fn nearest(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value.clamp(self.low, self.high),
            Scale::Log => value.clamp(10f64.powf(self.low), 10f64.powf(self.high)),
        }
    }

    /// Cuts the axis at this value.
    pub(crate) fn up_to(mut self, high: f64) -> Axis {
        if self.scale == Scale::Linear && high.is_finite() && high > self.low {
            self.high = self.high.min(high);
        }
        self
    }

    /// Position in `[0, 1]`; `None` for what the axis does not show.
    pub(crate) fn position(&self, value: f64) -> Option<f64> {
        let coordinate = match self.scale {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => return None,
        };
        // Differences of huge numbers may overflow, halves do not.
        let position = (coordinate / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        (-1e-9..=1.0 + 1e-9).contains(&position).then(|| position.clamp(0.0, 1.0))
    }

    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    pub(crate) fn ticks(&self) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.decades(),
        }
    }

    fn decades(&self) -> Vec<Tick> {
        let every = [1, 2, 3, 5, 10, 20, 50, 100, 200]
            .into_iter()
            .find(|&every| (self.high - self.low) / f64::from(every) <= MOST_TICKS)
            .unwrap_or(500);
        let (low, high) = (self.low as i32, self.high as i32);
        (low..=high)
            .filter(|decade| decade.rem_euclid(every) == 0)
            .map(|decade| Tick { value: 10f64.powi(decade), text: power_of_ten(decade) })
            .collect()
    }

    /// Steps of 1, 2 or 5 times a power of ten.
    fn linear_ticks(&self) -> Vec<Tick> {
        let rough = self.high / MOST_TICKS - self.low / MOST_TICKS;
        let magnitude = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|&step| step >= rough);
        let Some(step) = step.filter(|step| step.is_normal()) else {
            return Vec::new();
        };
        let first = (self.low / step).ceil() as i64;
        (first..first + 2 * MOST_TICKS as i64)
            .map(|k| k as f64 * step)
            .take_while(|&value| value <= self.high)
            .map(|value| Tick { value, text: rounded(value, 3, Rounding::Nearest).replace(" × ", "×") })
            .collect()
    }
}

fn power_of_ten(decade: i32) -> String {
    match decade {
        0 => "1".to_string(),
        1 => "10".to_string(),
        _ => format!("10{}", superscript(decade)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_few() {
        let axis = Axis::over("x", Scale::Linear, [403.0].into_iter()).expect("a value");
        assert_eq!(texts(&axis), ["0", "100", "200", "300", "400"]);
    }

    #[test]
    fn log_ticks_are_decades_and_few() {
        let axis = Axis::over("y", Scale::Log, [3.0, 1e-20, 0.0, f64::NAN].into_iter()).expect("a value");
        assert_eq!(texts(&axis), ["10⁻²⁰", "10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1"]);
        assert_eq!(axis.position(0.0), None);
        assert_eq!(axis.position(1e-20), Some(0.0));
        assert_eq!(axis.position(10.0), Some(1.0));
    }

    #[test]
    fn extreme_ranges_stay_finite() {
        let values = [f64::MAX, -f64::MAX, f64::from_bits(1)];
        for scale in [Scale::Linear, Scale::Log] {
            let axis = Axis::over("x", scale, values.into_iter()).expect("a value");
            assert!(axis.ticks().len() < 16);
            assert!(values.iter().filter_map(|&x| axis.position(x)).all(f64::is_finite));
        }
        assert!(Axis::over("x", Scale::Log, [0.0, -1.0].into_iter()).is_none());
    }
}

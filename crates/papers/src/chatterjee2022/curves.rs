//! Mean curves over seeds.

use gradcert::sweep::Record;
use gradcert::sweep::execute::next_recorded;
use gradcert::sweep::record::{History, Training};
use gradcert::train::run::Stop;
use gradcert_report::article::{Colour, Curve};

/// Mean, smallest and largest loss over runs at common iterations.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MeanCurve {
    pub(crate) iteration: Vec<u64>,
    pub(crate) mean: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
    /// Mean certified bound; empty unless every run has one.
    pub(crate) envelope: Vec<f64>,
    pub(crate) runs: usize,
    pub(crate) diverged: usize,
}

/// The value at iteration k, or the last one before: a run that reached the tolerance, or the end of double precision, stays there.
fn at(history: &History, values: &[f64], k: u64) -> Option<f64> {
    let after = history.iteration.partition_point(|&i| i <= k);
    values.get(after.checked_sub(1)?).copied()
}

fn training(record: &Record) -> Option<(&Training, &History)> {
    let training = record.training.as_ref()?;
    Some((training, training.history.as_ref()?))
}

impl MeanCurve {
    /// Over the runs that did not diverge. The curve ends where the first run ends that used up its iterations, and where
    /// the last one reaches the tolerance or the end of double precision.
    pub(crate) fn over(records: &[&Record]) -> MeanCurve {
        let all: Vec<_> = records.iter().filter_map(|r| training(r)).collect();
        let kept: Vec<_> = all.iter().filter(|(t, _)| t.stop != Stop::Diverged).copied().collect();
        let mut curve = MeanCurve { runs: all.len(), diverged: all.len() - kept.len(), ..MeanCurve::default() };
        let longest = kept.iter().map(|(t, _)| t.iterations).max();
        let exhausted = kept.iter().filter(|(t, _)| t.stop == Stop::Iterations).map(|(t, _)| t.iterations).min();
        let Some(end) = exhausted.or(longest) else { return curve };
        let bounded = kept.iter().all(|(_, h)| h.envelope.len() == h.loss.len());
        let mut k = 0;
        while k <= end {
            let losses: Vec<f64> = kept.iter().filter_map(|(_, h)| at(h, &h.loss, k)).collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            curve.iteration.push(k);
            curve.mean.push(mean(&losses));
            curve.low.push(losses.iter().copied().fold(f64::INFINITY, f64::min));
            curve.high.push(losses.iter().copied().fold(0.0, f64::max));
            if bounded {
                let bounds: Vec<f64> = kept.iter().filter_map(|(_, h)| at(h, &h.envelope, k)).collect();
                curve.envelope.push(mean(&bounds));
            }
            k = if k < end { next_recorded(k).min(end) } else { end + 1 };
        }
        curve
    }

    /// The curve and its band, from iteration 1: there is no 0 on a logarithmic axis.
    pub(crate) fn curve(&self, name: &str, colour: Colour) -> Curve {
        let shown = |values: &[f64]| {
            self.iteration.iter().map(|&k| k as f64).zip(values.iter().copied()).skip(1).collect::<Vec<_>>()
        };
        let band = shown(&self.low).into_iter().zip(&self.high[1.min(self.high.len())..]);
        Curve {
            name: name.to_owned(),
            points: shown(&self.mean),
            band: band.map(|((x, low), &high)| (x, low, high)).collect(),
            dashed: false,
            dots: false,
            colour,
        }
    }

    /// The certified bound in dashes, if there is one.
    pub(crate) fn bound(&self, name: &str, colour: Colour) -> Option<Curve> {
        if self.envelope.is_empty() {
            return None;
        }
        let points = self.iteration.iter().map(|&k| k as f64).zip(self.envelope.iter().copied()).skip(1).collect();
        Some(Curve { name: name.to_owned(), points, band: vec![], dashed: true, dots: false, colour })
    }

    /// Rows of a table: the given cells, then iteration, mean, smallest, largest, bound.
    pub(crate) fn rows(&self, before: &[&str]) -> Vec<Vec<String>> {
        let row = |at: usize| {
            let number = |values: &[f64]| values.get(at).map_or_else(String::new, |x| format!("{x:e}"));
            let mut cells: Vec<String> = before.iter().map(|c| (*c).to_owned()).collect();
            cells.push(self.iteration[at].to_string());
            cells.extend([number(&self.mean), number(&self.low), number(&self.high), number(&self.envelope)]);
            cells
        };
        (0..self.iteration.len()).map(row).collect()
    }
}

/// The columns of [`MeanCurve::rows`] after those of the caller.
pub(crate) const CURVE_COLUMNS: [&str; 5] =
    ["iteration", "mean_loss", "smallest_loss", "largest_loss", "certified_bound"];

/// Median and range of what was reached, among so many.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) reached: Vec<f64>,
    pub(crate) all: usize,
}

impl Spread {
    pub(crate) fn of(values: &[Option<f64>]) -> Spread {
        let mut reached: Vec<f64> = values.iter().flatten().copied().collect();
        reached.sort_by(f64::total_cmp);
        Spread { reached, all: values.len() }
    }

    /// The median over all, what was not reached counting as infinite.
    pub(crate) fn median(&self) -> f64 {
        let get = |at: usize| self.reached.get(at).copied().unwrap_or(f64::INFINITY);
        match self.all {
            0 => f64::NAN,
            all if all % 2 == 1 => get(all / 2),
            all => 0.5 * (get(all / 2 - 1) + get(all / 2)),
        }
    }

    /// `median (smallest–largest)`, and the share if not all reached it.
    pub(crate) fn text(&self) -> String {
        let (Some(low), Some(high)) = (self.reached.first(), self.reached.last()) else {
            return format!("0 of {}", self.all);
        };
        let share = if self.reached.len() < self.all {
            format!(", {} of {}", self.reached.len(), self.all)
        } else {
            String::new()
        };
        let median = if self.median().is_finite() { number(self.median()) } else { "—".to_owned() };
        format!("{median} ({}–{}{share})", number(*low), number(*high))
    }
}

/// Whole numbers with separators, others with three digits.
pub(crate) fn number(x: f64) -> String {
    use gradcert_report::number::{Rounding, count, rounded};
    if (0.0..1e12).contains(&x) && x >= 100.0 { count(x.round() as u64) } else { rounded(x, 3, Rounding::Nearest) }
}

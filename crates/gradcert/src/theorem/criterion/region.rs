//! Boxes, and how they meet balls.

use gradcert_rigor::rounding::{add_up, sub_down, sub_up};
use gradcert_rigor::{Interval, Lower, Upper};

/// A lower and an upper bound of the distances from `centre` of the points of the box.
pub(super) fn distances(region: &[Interval], centre: &[f64]) -> (Lower, Upper) {
    let near: Lower = region.iter().zip(centre).map(|(x, &c)| offset(*x, c).mignitude().square()).sum();
    let far = Upper::norm(region.iter().zip(centre).map(|(x, &c)| offset(*x, c).magnitude()).collect::<Vec<_>>());
    (near.sqrt(), far)
}

/// `x - c`.
fn offset(x: Interval, c: f64) -> Interval {
    Interval::new(sub_down(x.lo(), c), sub_up(x.hi(), c))
}

/// Shrinks the box to a smaller one with the same points of the closed ball; `false` if there are none.
///
/// In the ball `(x_i - c_i)^2 <= r^2 - sum_{j != i} (x_j - c_j)^2`, and the sum is at least that of the squared distances of the
/// other sides from the centre.
pub(super) fn shrink_to_ball(region: &mut [Interval], centre: &[f64], radius: f64) -> bool {
    for i in 0..region.len() {
        let others = region.iter().zip(centre).enumerate().filter(|(j, _)| *j != i);
        let used: Lower = others.map(|(_, (x, &c))| offset(*x, c).mignitude().square()).sum();
        let left = sub_up(Upper::new(radius).square().get(), used.get());
        if left < 0.0 {
            return false;
        }
        let half = Upper::new(left).sqrt().get();
        let side = region[i];
        let (lo, hi) = (side.lo().max(sub_down(centre[i], half)), side.hi().min(add_up(centre[i], half)));
        if lo > hi {
            return false;
        }
        region[i] = Interval::new(lo, hi);
    }
    true
}

/// The smallest box of doubles around the ball.
pub(super) fn box_around(centre: &[f64], radius: f64) -> Vec<Interval> {
    centre.iter().map(|&c| Interval::around(c, Upper::new(radius))).collect()
}

/// The two halves.
pub(super) fn halves(region: &[Interval], coordinate: usize) -> [Vec<Interval>; 2] {
    let side = region[coordinate];
    let middle = side.middle();
    [Interval::new(side.lo(), middle), Interval::new(middle, side.hi())].map(|half| {
        let mut part = region.to_vec();
        part[coordinate] = half;
        part
    })
}

/// Length of a side, in doubles.
pub(super) fn width(x: Interval) -> f64 {
    x.hi() - x.lo()
}

/// The coordinate of the widest side and its width.
pub(super) fn widest(region: &[Interval]) -> (usize, f64) {
    let widths = region.iter().map(|&x| width(x)).enumerate();
    widths.fold((0, 0.0), |best, (i, w)| if w > best.1 { (i, w) } else { best })
}

/// The middle of the box.
pub(super) fn middle(region: &[Interval]) -> Vec<f64> {
    region.iter().map(|x| x.middle()).collect()
}

/// Distance of two points, in doubles.
pub(super) fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).fold(0.0, |sum: f64, (a, b)| sum.hypot(a - b))
}

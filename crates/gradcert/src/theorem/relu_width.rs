//! (T14) How far the patterns of a two-layer ReLU network can have changed, and what that leaves of its tangent kernel.
//!
//! `f(x) = m^{-1/2} sum_r a_r relu(w_r.x)`, `a_r = +-1`, W trained; an iteration is `w <- w - c J^T rho`. The *clock* of an iteration is
//! `tau_k = sum_{l<k} c |rho_l|` (of the flow: `c |rho|` integrated over time), and runs linearly within a step.
//!
//! *Movement.* Let `P_r(tau)` contain every sample at which neuron r can have been active up to the clock tau, non-decreasing. While a
//! step from `w_k` is made, with patterns theta in [0, 1] at `w_k`,
//!
//! `d(x_i.w_r) / d tau = -a_r m^{-1/2} sum_j theta_jr (rho_j / |rho|) x_i.x_j`, so `|d(x_i.w_r) / d tau| <= m^{-1/2} q_ir(tau)`, `q_ir(tau)^2 =
//! sum_{j in P_r(tau)} (x_i.x_j)^2`
//!
//! by Cauchy-Schwarz, since theta_jr = 0 off `P_r(tau)`. Hence sample i keeps its side of neuron r as long as `m^{-1/2} integral_0^tau q_ir <
//! |w_r(0).x_i|`. An inactive sample that has kept its side does not move its own margin: `x_i.x_i` is not in its sum. (For
//! nearly orthogonal samples this leaves a third of the movement or less; `|x_i| smax(X)` for all of them is cruder still.)
//!
//! *Cells.* On clocks `0 = tau_0 < tau_1 < ...` let `P_r` be constant on every cell `(tau_{j-1}, tau_j]`: the smallest set that contains `P_r` of
//! the cell before and every sample whose reach at `tau_j`, computed with this very set, is not below its margin. By induction over the
//! first clock at which a pattern leaves what is said about it, the sets hold: up to that clock all movement is bounded by `q`, so
//! no margin without a place in the list of changes is used up. The same holds along every solution of the flow in Filippov's sense
//! (theta in [0, 1] where `w_r.x_i = 0`).
//!
//! *Kernel.* A neuron is *surely* active at i up to `tau_j` if it is at the start and its margin is not used up, *possibly* if `i in P_r`. Every
//! matrix `Jbar J_k^T` of the run up to the clock `tau_j` (Jbar with patterns averaged over a step, `rho_{k+1} = rho_k + Jbar Delta_k`
//! exactly, through kinks) has the entries `x_i.x_j (1/m) sum_r theta'_ir theta_jr`, and the sum lies between the counts `S_ij` of neurons surely
//! active at both and `P_ij` of those possibly active at both. So it is within `|.| <= |D|` of the symmetric matrix C,
//!
//! `C_ij = x_i.x_j (S_ij + P_ij) / 2m`, `D_ij = |x_i.x_j| (P_ij - S_ij) / 2m`.
//!
//! (A matrix that is entrywise below a non-negative one has at most its norm.) Where patterns can only be lost, or only be
//! won, the centre moves along and the spread is half of the change: no cancellation is given away that the signs allow.
//!
//! *Rounding.* Margins are float products with the bound `gamma_d |x_i||w_r|` of their error and lose a billionth, so that
//! another program finds no more changes; a sign that is not certain has the margin 0. Counts are exact.

use crate::network::product::matmul;
use crate::relu::patterns::Patterns;
use crate::relu::start::Start;
use faer::{Accum, Mat, MatRef, Par};
use gradcert_rigor::linear::{
    EnclosedMatrix, SymmetricBall, largest_eigenvalue_upper, norm_upper, norm_upper_of, smallest_eigenvalue_lower,
};
use gradcert_rigor::rounding::{add_up, div_up, mul_down, mul_up, sqrt_down, sqrt_up, sub_down, sub_up};
use gradcert_rigor::{Interval, Upper};
use rayon::prelude::*;

/// Neurons that are treated together.
const BLOCK: usize = 2048;
/// What margins lose.
const WEAKER: f64 = 1e-9;

/// The samples as (T14) needs them.
#[derive(Clone, Debug)]
pub struct Samples {
    x: Mat<f64>,
    gram: Vec<Interval>,
    /// Upper bounds of `(x_i.x_j)^2`, row by row.
    squares: Vec<f64>,
    /// `q_i` with every sample in P.
    speeds: Vec<f64>,
    norms: Vec<Upper>,
    smax: Upper,
}

impl Samples {
    /// Of an exact n x d matrix, samples in rows.
    pub fn new(x: &Mat<f64>) -> Samples {
        let n = x.nrows();
        let exact = EnclosedMatrix::exact(x.clone());
        let product = exact.times_own_transpose();
        let gram: Vec<Interval> = (0..n * n).map(|k| product.entry(k / n, k % n)).collect();
        let squares: Vec<f64> = gram.iter().map(|g| g.magnitude().square().get()).collect();
        let speeds = squares.chunks(n).map(|row| sqrt_up(sum_up(row.iter().copied(), n))).collect();
        let rows = x.transpose().to_owned();
        let norms = (0..n).map(|i| norm_upper_of(rows.col_as_slice(i))).collect();
        Samples { x: x.clone(), gram, squares, speeds, norms, smax: norm_upper(&exact) }
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.norms.len()
    }

    /// Upper bound of the norm of X.
    pub fn smax(&self) -> Upper {
        self.smax
    }

    /// The samples, n x d.
    pub fn inputs(&self) -> &Mat<f64> {
        &self.x
    }

    /// `W x_i` for some neurons (columns of `weights`), n x block, in floats, and what they are wrong by at most: `gamma_d |x_i||w_r| + d eta`.
    fn activations(&self, weights: MatRef<'_, f64>) -> (Mat<f64>, Vec<Upper>) {
        let d = weights.nrows();
        let mut z = Mat::zeros(self.count(), weights.ncols());
        matmul(z.as_mut(), Accum::Replace, &self.x, weights, 1.0, Par::Seq);
        let unit = f64::EPSILON / 2.0 * d as f64;
        let gamma = if unit < 0.125 { div_up(unit, sub_down(1.0, unit)) } else { f64::INFINITY };
        let owned = weights.to_owned();
        let error = (0..weights.ncols()).map(|r| norm_upper_of(owned.col_as_slice(r)) * Upper::new(gamma));
        (z, error.collect())
    }

    /// The error of `z_ir`, from that of its neuron.
    fn error(&self, i: usize, of_neuron: Upper) -> Upper {
        self.norms[i] * of_neuron + Upper::new(self.x.ncols() as f64 * f64::from_bits(1))
    }
}

/// Exact counts on every cell, lower triangles (`j <= i` at `i (i + 1) / 2 + j`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Neurons surely active at both samples.
    pub sure: Vec<Vec<u32>>,
    /// Neurons possibly active at both.
    pub possible: Vec<Vec<u32>>,
    /// Pairs (sample, neuron) whose margin is used up by the last clock.
    pub changeable: u64,
}

/// What is known about the sign of `w_r(0).x_i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Active,
    Inactive,
    Unknown,
}

/// Counts up to every clock.
///
/// # Panics
/// If the start reads another number of features.
pub fn counts(samples: &Samples, start: &Start, clocks: &[f64]) -> Counts {
    let (n, m) = (samples.count(), start.width());
    assert_eq!(samples.x.ncols(), start.features(), "the numbers of features differ");
    // Equal weights have equal margins and reaches: signs do not enter.
    let (neurons, copies) = if start.is_antisymmetric() { (m / 2, 2) } else { (m, 1) };
    let size = n * (n + 1) / 2;
    let sums = (0..neurons.div_ceil(BLOCK))
        .into_par_iter()
        .fold(
            || Sums::new(size, clocks.len()),
            |mut sums, block| {
                let first = block * BLOCK;
                let weights = start.weights().subcols(first, BLOCK.min(neurons - first));
                sums.add(samples, weights, clocks, (m as f64).sqrt());
                sums
            },
        )
        .reduce(|| Sums::new(size, clocks.len()), Sums::plus);
    sums.counts(copies)
}

/// Counts at the start, and what they lose and win on each cell.
struct Sums {
    sure: Vec<u32>,
    possible: Vec<u32>,
    lost: Vec<Vec<u32>>,
    won: Vec<Vec<u32>>,
    changeable: u64,
}

fn add_to(x: &mut [u32], y: &[u32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

fn at(i: usize, j: usize) -> usize {
    let (i, j) = (i.max(j), i.min(j));
    i * (i + 1) / 2 + j
}

impl Sums {
    fn new(size: usize, cells: usize) -> Sums {
        let none = || vec![0; size];
        let cells = || (0..cells).map(|_| none()).collect();
        Sums { sure: none(), possible: none(), lost: cells(), won: cells(), changeable: 0 }
    }

    fn plus(mut self, other: Sums) -> Sums {
        add_to(&mut self.sure, &other.sure);
        add_to(&mut self.possible, &other.possible);
        for (x, y) in self.lost.iter_mut().chain(&mut self.won).zip(other.lost.iter().chain(&other.won)) {
            add_to(x, y);
        }
        self.changeable += other.changeable;
        self
    }

    fn add(&mut self, samples: &Samples, weights: MatRef<'_, f64>, clocks: &[f64], root: f64) {
        let n = samples.count();
        let (z, errors) = samples.activations(weights);
        let side = |(i, r): (usize, usize)| {
            let error = samples.error(i, errors[r]).get();
            match z[(i, r)] {
                z if z > error => Side::Active,
                z if z < -error => Side::Inactive,
                _ => Side::Unknown,
            }
        };
        let all: Vec<Side> = (0..weights.ncols()).flat_map(|r| (0..n).map(move |i| (i, r))).map(side).collect();
        let sure = Patterns::new(n, weights.ncols(), |i, r| all[r * n + i] == Side::Active).counts();
        let possible = Patterns::new(n, weights.ncols(), |i, r| all[r * n + i] != Side::Inactive).counts();
        add_to(&mut self.sure, &sure);
        add_to(&mut self.possible, &possible);
        let mut march = March::new(n);
        for (r, sides) in all.chunks(n).enumerate() {
            // |w_r.x_i| sqrt m, down; what the clocks are compared with.
            let margin = |i: usize| match sides[i] {
                Side::Unknown => 0.0,
                _ => {
                    let distance = sub_down(z[(i, r)].abs(), samples.error(i, errors[r]).get()).max(0.0);
                    mul_down(mul_down(distance, 1.0 - WEAKER), sqrt_down_of(root))
                }
            };
            march.run(samples, sides, margin, clocks);
            self.record(sides, &march.changes);
        }
    }

    /// Changes in the order of their cells: i leaves the surely active ones, or joins the possibly active ones.
    fn record(&mut self, sides: &[Side], changes: &[(usize, usize)]) {
        self.changeable += changes.len() as u64;
        if changes.is_empty() {
            return;
        }
        let mut sure: Vec<bool> = sides.iter().map(|&s| s == Side::Active).collect();
        let mut possible: Vec<bool> = sides.iter().map(|&s| s != Side::Inactive).collect();
        for &(cell, i) in changes {
            match sides[i] {
                Side::Active => {
                    (0..sides.len()).filter(|&j| sure[j]).for_each(|j| self.lost[cell][at(i, j)] += 1);
                    sure[i] = false;
                }
                Side::Inactive => {
                    possible[i] = true;
                    (0..sides.len()).filter(|&j| possible[j]).for_each(|j| self.won[cell][at(i, j)] += 1);
                }
                Side::Unknown => {}
            }
        }
    }

    fn counts(self, copies: u32) -> Counts {
        let (mut sure, mut possible) = (self.sure, self.possible);
        let mut counts = Counts { sure: vec![], possible: vec![], changeable: u64::from(copies) * self.changeable };
        for (lost, won) in self.lost.iter().zip(&self.won) {
            sure.iter_mut().zip(lost).for_each(|(x, y)| *x -= y);
            add_to(&mut possible, won);
            counts.sure.push(sure.iter().map(|x| copies * x).collect());
            counts.possible.push(possible.iter().map(|x| copies * x).collect());
        }
        counts
    }
}

/// The square root was rounded to nearest.
fn sqrt_down_of(root: f64) -> f64 {
    root.next_down()
}

/// One neuron along the clocks.
struct March {
    possible: Vec<bool>,
    pending: Vec<Pending>,
    /// (cell, sample), cells increasing.
    changes: Vec<(usize, usize)>,
}

/// A sample whose margin may be used up before the last clock.
#[derive(Clone, Copy, Debug)]
struct Pending {
    sample: usize,
    margin: f64,
    /// `integral q` up to the cell, rounded up.
    moved: f64,
    /// `q^2` on the cell, rounded up.
    square: f64,
}

impl March {
    fn new(n: usize) -> March {
        March { possible: vec![false; n], pending: vec![], changes: vec![] }
    }

    fn run(&mut self, samples: &Samples, sides: &[Side], margin: impl Fn(usize) -> f64, clocks: &[f64]) {
        let n = sides.len();
        self.changes.clear();
        self.pending.clear();
        let Some(&last) = clocks.last() else { return };
        self.possible.iter_mut().zip(sides).for_each(|(p, &s)| *p = s != Side::Inactive);
        for i in 0..n {
            let (row, margin) = (&samples.squares[i * n..(i + 1) * n], margin(i));
            if margin > mul_up(last, samples.speeds[i]) {
                continue;
            }
            let here = row.iter().zip(&self.possible).map(|(&g, &p)| if p { g } else { 0.0 });
            self.pending.push(Pending { sample: i, margin, moved: 0.0, square: sum_up(here, n) });
        }
        let mut before = 0.0;
        for (cell, &clock) in clocks.iter().enumerate() {
            if self.pending.is_empty() {
                return;
            }
            let length = sub_up(clock, before);
            while self.settle(samples, sides, cell, length) {}
            self.pending.iter_mut().for_each(|p| p.moved = p.reach(length));
            before = clock;
        }
    }

    /// Moves what has changed on the cell from pending to changes; has the set P grown?
    fn settle(&mut self, samples: &Samples, sides: &[Side], cell: usize, length: f64) -> bool {
        let (n, first) = (sides.len(), self.changes.len());
        let changes = &mut self.changes;
        self.pending.retain(|p| {
            let used_up = p.reach(length) >= p.margin;
            if used_up {
                changes.push((cell, p.sample));
            }
            !used_up
        });
        let mut grown = false;
        for &(_, joined) in &self.changes[first..] {
            if sides[joined] == Side::Inactive {
                grown = true;
                self.possible[joined] = true;
                for p in &mut self.pending {
                    p.square = add_up(p.square, samples.squares[p.sample * n + joined]);
                }
            }
        }
        grown
    }
}

impl Pending {
    fn reach(&self, length: f64) -> f64 {
        add_up(self.moved, mul_up(sqrt_up(self.square), length))
    }
}

/// A float sum of n non-negative numbers, enlarged by more than its n - 1 roundings: `(1 + u)^n <= 1 + 2 n u`.
fn sum_up(values: impl Iterator<Item = f64>, n: usize) -> f64 {
    mul_up(values.sum(), add_up(1.0, mul_up(f64::EPSILON, n as f64)))
}

/// Eigenvalues of the centre C and the norm of the spread D on one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Right end of the cell: the clock up to which the rest holds.
    pub clock: f64,
    /// `lmin(C) >= low`.
    pub low: f64,
    /// `lmax(C) <= high`.
    pub high: f64,
    /// `|D| <= spread`.
    pub spread: f64,
}

impl Cell {
    /// lambda with `|I - c Jbar J^T| <= 1 - c lambda`: from `|I - cC| = max(1 - c lmin, c lmax - 1)`. For the flow c = 0. Negative
    /// where nothing is certified.
    pub fn decay(&self, c: Interval) -> f64 {
        let own = sub_down(self.low, self.spread);
        if c.hi() == 0.0 {
            return own;
        }
        let other = (Interval::exact(2.0) / c - Interval::exact(self.high) - Interval::exact(self.spread)).lo();
        own.min(other)
    }
}

/// Enclosed centres and spreads, cell by cell; eigenvalues lose a billionth, so that another program can confirm them.
pub fn cells(samples: &Samples, counts: &Counts, clocks: &[f64], width: usize) -> Vec<Cell> {
    let n = samples.count();
    let twice = Interval::exact(2.0 * width as f64);
    let count = |x: f64| Interval::exact(x) / twice;
    let cell = |(k, &clock): (usize, &f64)| {
        let [sure, possible] = [&counts.sure[k], &counts.possible[k]].map(|c| |i, j| f64::from(c[at(i, j)]));
        let ball = |entry: &dyn Fn(usize, usize) -> Interval| {
            SymmetricBall::from_enclosed(&EnclosedMatrix::from_fn(n, n, entry))
        };
        let centre = ball(&|i, j| samples.gram[i * n + j] * count(sure(i, j) + possible(i, j)));
        let spread = ball(&|i, j| samples.gram[i * n + j].abs() * count(possible(i, j) - sure(i, j)));
        let low = smallest_eigenvalue_lower(&centre).unwrap_or(f64::NEG_INFINITY);
        let high = largest_eigenvalue_upper(&centre).get() * (1.0 + WEAKER);
        // A spread of 0 is exact here, and is not for a program that encloses it otherwise.
        let spread = largest_eigenvalue_upper(&spread).get() * (1.0 + WEAKER) + WEAKER * high;
        Cell { clock, low: low - WEAKER * high, high, spread }
    };
    clocks.par_iter().enumerate().map(cell).collect()
}

/// Upper bound of `|rho(0)|`. Of an antisymmetric start all outputs are exactly 0. Otherwise the outputs are float sums of m terms `a_r
/// relu(z_ir)`, wrong by `gamma_m sum_r relu(z_ir)` and by the errors of the terms (relu has slope at most 1).
pub fn residual(samples: &Samples, targets: &[f64], start: &Start) -> Upper {
    let (n, m) = (samples.count(), start.width());
    let mut outputs = vec![Interval::ZERO; n];
    if !start.is_antisymmetric() {
        for first in (0..m).step_by(BLOCK) {
            let weights = start.weights().subcols(first, BLOCK.min(m - first));
            let (z, errors) = samples.activations(weights);
            for (i, output) in outputs.iter_mut().enumerate() {
                let (mut sum, mut size, mut error) = (0.0, 0.0, Upper::ZERO);
                for r in 0..weights.ncols() {
                    let h = z[(i, r)].max(0.0);
                    sum += start.signs()[first + r] * h;
                    size += h;
                    error += samples.error(i, errors[r]);
                }
                // At most BLOCK additions, far below 1 / u; twice their bound covers the rounding of `size`.
                let rounding = Upper::new(mul_up(size, f64::EPSILON * 2.0 * BLOCK as f64));
                *output = *output + Interval::around(sum, error + rounding);
            }
        }
    }
    let root = Interval::exact(m as f64).sqrt();
    Upper::norm(outputs.iter().zip(targets).map(|(&f, &y)| (f / root - Interval::exact(y)).magnitude()))
}

/// No neuron is farther from its start than `m^{-1/2} smax(X) tau` at the clock tau: `|X^T (theta o rho)| <= smax(X) |rho|`.
pub fn radius(samples: &Samples, clock: f64, width: usize) -> Upper {
    samples.smax * Upper::new(div_up(clock, sqrt_down(width as f64)))
}

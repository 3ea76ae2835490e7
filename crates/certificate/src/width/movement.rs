//! How far margins can be used up, and who is surely or possibly active with whom, counted bit by bit.
//!
//! While only samples of the set P have been active at neuron r, `x_i.w_r` moves by at most `m^{-1/2} q_i` per unit of the clock, `q_i^2 = sum over
//! P of (x_i.x_j)^2`. On every cell between two clocks P is the smallest set that contains all samples whose margin this, summed over the cells, can
//! use up by the end of the cell.

use crate::matrix::{Enclosed, Matrix};
use gradcert_rigor::rounding::sub_up;
use gradcert_rigor::{Interval, Lower, Upper};

/// Neurons whose patterns share a word.
const WORD: usize = 64;

/// What the start and its movement give.
pub(crate) struct Movement {
    /// `sum_r a_r relu(w_r.x_i)`.
    pub(crate) outputs: Vec<Interval>,
    /// For every clock the number of neurons surely and possibly active at samples i >= j, at `i (i + 1) / 2 + j`.
    pub(crate) sure: Vec<Vec<u64>>,
    pub(crate) possible: Vec<Vec<u64>>,
}

/// Goes through all neurons, a word of them at a time.
pub(crate) fn follow(x: &Enclosed, gram: &[Interval], w: &[f64], a: &[f64], clocks: &[f64]) -> Movement {
    let (n, d) = (x.middle.rows, x.middle.columns);
    let none = || vec![vec![0; n * (n + 1) / 2]; clocks.len()];
    let mut movement = Movement { outputs: vec![Interval::ZERO; n], sure: none(), possible: none() };
    let squares: Vec<Upper> = gram.iter().map(|g| g.magnitude().square()).collect();
    let all: Vec<Upper> = squares.chunks(n).map(|row| row.iter().copied().sum::<Upper>().sqrt()).collect();
    let root = Interval::exact(a.len() as f64).sqrt().lower();
    for (rows, signs) in w.chunks(WORD * d).zip(a.chunks(WORD)) {
        let block = Matrix { rows: signs.len(), columns: d, values: rows.to_vec() };
        let z = x.times_transposed(&Enclosed::exact(block)).intervals();
        let mut words = vec![[vec![0u64; n], vec![0u64; n]]; clocks.len()];
        for (r, &sign) in signs.iter().enumerate() {
            let z: Vec<Interval> = (0..n).map(|i| z[i * signs.len() + r]).collect();
            for (output, z) in movement.outputs.iter_mut().zip(&z) {
                *output = *output + Interval::exact(sign) * z.positive_part();
            }
            let mut state = Neuron::new(&z, &all, root, clocks, &squares);
            for (cell, words) in words.iter_mut().enumerate() {
                state.cell(&squares, clocks, cell);
                for i in 0..n {
                    words[0][i] |= u64::from(state.sure[i]) << r;
                    words[1][i] |= u64::from(state.possible[i]) << r;
                }
            }
        }
        for (cell, [sure, possible]) in words.iter().enumerate() {
            count(&mut movement.sure[cell], sure);
            count(&mut movement.possible[cell], possible);
        }
    }
    movement
}

fn count(counts: &mut [u64], words: &[u64]) {
    for (i, x) in words.iter().enumerate() {
        let row = &mut counts[i * (i + 1) / 2..][..=i];
        row.iter_mut().zip(words).for_each(|(count, y)| *count += u64::from((x & y).count_ones()));
    }
}

/// A sample whose margin can be used up before the last clock.
struct Open {
    sample: usize,
    /// `|w_r.x_i| sqrt m`.
    margin: Lower,
    used: Upper,
    speed: Upper,
}

/// One neuron on its way through the cells.
struct Neuron {
    sure: Vec<bool>,
    possible: Vec<bool>,
    open: Vec<Open>,
}

impl Neuron {
    fn new(z: &[Interval], all: &[Upper], root: Lower, clocks: &[f64], squares: &[Upper]) -> Neuron {
        let last = Upper::new(clocks[clocks.len() - 1]);
        let mut open = Vec::new();
        for (sample, (z, &all)) in z.iter().zip(all).enumerate() {
            let margin = z.mignitude() * root;
            if margin.get() <= (all * last).get() {
                open.push(Open { sample, margin, used: Upper::ZERO, speed: Upper::ZERO });
            }
        }
        let sure = z.iter().map(|z| z.lo() > 0.0).collect();
        let mut neuron = Neuron { sure, possible: z.iter().map(|z| z.hi() >= 0.0).collect(), open };
        neuron.speeds(squares);
        neuron
    }

    fn speeds(&mut self, squares: &[Upper]) {
        let n = self.possible.len();
        for open in &mut self.open {
            let row = squares[open.sample * n..].iter().zip(&self.possible);
            open.speed = row.filter(|(_, possible)| **possible).map(|(&square, _)| square).sum::<Upper>().sqrt();
        }
    }

    /// The sets at the end of a cell.
    fn cell(&mut self, squares: &[Upper], clocks: &[f64], cell: usize) {
        let before = if cell == 0 { 0.0 } else { clocks[cell - 1] };
        let length = Upper::new(sub_up(clocks[cell], before));
        let reach = |open: &Open| open.used + open.speed * length;
        while self.open.iter().any(|open| reach(open).get() >= open.margin.get()) {
            for open in &self.open {
                if reach(open).get() >= open.margin.get() {
                    (self.sure[open.sample], self.possible[open.sample]) = (false, true);
                }
            }
            self.open.retain(|open| reach(open).get() < open.margin.get());
            self.speeds(squares);
        }
        self.open.iter_mut().for_each(|open| open.used = reach(open));
    }
}

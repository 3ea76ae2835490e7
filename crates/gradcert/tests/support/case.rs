//! Random networks and data, and their translation into the library's types.

use super::plain::{Plain, Sampled};
use super::sigma::{self, Sigma};
use super::{Dice, norm};
use faer::Mat;
use gradcert::network::Network;
use gradcert::theorem::centre::{Centre, Metric};
use gradcert::theorem::general::{self, EnclosedPasses};
use gradcert::theorem::inputs::InputBounds;
use gradcert::theorem::start::PositiveStart;
use gradcert_rigor::Interval;
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall};

/// A network at its start with data.
pub(crate) struct Case {
    pub(crate) net: Plain,
    pub(crate) x: Vec<Vec<f64>>,
    pub(crate) multiplicity: Vec<u32>,
}

impl Case {
    pub(crate) fn weight(&self) -> Vec<f64> {
        self.multiplicity.iter().map(|&m| f64::from(m).sqrt()).collect()
    }

    pub(crate) fn total(&self) -> f64 {
        self.multiplicity.iter().map(|&m| f64::from(m)).sum()
    }

    pub(crate) fn sampled(&self) -> Sampled {
        Sampled { net: self.net.clone(), x: self.x.clone(), weight: self.weight() }
    }

    pub(crate) fn widths(&self) -> Vec<usize> {
        std::iter::once(self.x[0].len()).chain(self.net.biases[1..].iter().map(Vec::len)).collect()
    }

    pub(crate) fn network(&self) -> Network {
        let matrix = |w: &Vec<Vec<f64>>| Mat::from_fn(w.len(), w[0].len(), |i, j| w[i][j]);
        let weights = std::iter::once(Mat::zeros(0, 0)).chain(self.net.weights[1..].iter().map(matrix)).collect();
        Network { activation: self.net.sigma.of_library, weights, biases: self.net.biases.clone() }
    }

    pub(crate) fn metric(&self) -> Metric {
        Metric { weights: self.net.weight_factor.clone(), biases: self.net.bias_factor.clone() }
    }

    pub(crate) fn rows(&self) -> EnclosedMatrix {
        EnclosedMatrix::exact(Mat::from_fn(self.x.len(), self.x[0].len(), |i, j| self.x[i][j]))
    }

    /// Bounds of `[D_W1 X, D_b1 1]`: the inputs in the metric.
    pub(crate) fn inputs(&self) -> InputBounds {
        let (weight, bias) = (self.net.weight_factor[1], self.net.bias_factor[1]);
        if weight == 1.0 && (bias == 1.0 || bias == 0.0) {
            return InputBounds::of_rows(&self.rows(), &self.multiplicity, bias == 1.0);
        }
        let scaled = self.rows().scaled(Interval::exact(weight));
        let extended = scaled.append_column(&vec![Interval::exact(bias); self.x.len()]);
        InputBounds::of_rows(&extended, &self.multiplicity, false)
    }

    pub(crate) fn passes(&self) -> EnclosedPasses {
        EnclosedPasses::new(&self.network(), &self.rows())
    }

    pub(crate) fn centre(&self) -> (Centre, SymmetricBall) {
        general::centre(&self.network(), &self.passes(), &self.metric(), &self.inputs())
    }
}

fn samples(dice: &mut Dice, n: usize, d: usize) -> Vec<Vec<f64>> {
    let scale = dice.pick(&[0.3, 1.0, 3.0]);
    let mut x: Vec<Vec<f64>> = (0..n).map(|_| dice.normals(d).iter().map(|v| scale * v).collect()).collect();
    if dice.chance(0.15) {
        x[n - 1] = x[0].clone();
    }
    if dice.chance(0.15) {
        x.iter_mut().for_each(|row| row[0] = 0.0);
    }
    x
}

fn multiplicities(dice: &mut Dice, n: usize) -> Vec<u32> {
    if dice.chance(0.6) { vec![1; n] } else { (0..n).map(|_| dice.pick(&[1, 1, 3, 9])).collect() }
}

/// Metric factors: plain, random, or one group that moves much more than the others.
fn factors(dice: &mut Dice, layers: usize, biases: bool) -> (Vec<f64>, Vec<f64>) {
    let mut weights = vec![1.0; layers + 1];
    let mut shifts = vec![1.0; layers + 1];
    match dice.integer(0, 9) {
        0..=3 => {}
        4..=6 => {
            let values = [0.0, 0.3, 1.0, 3.0];
            weights.iter_mut().chain(&mut shifts).for_each(|d| *d = dice.pick(&values));
        }
        _ => {
            let others = dice.pick(&[0.0, 0.05]);
            weights.fill(others);
            shifts.fill(others);
            let l = dice.integer(1, layers);
            if dice.chance(0.7) {
                weights[l] = dice.pick(&[0.3, 1.0, 10.0])
            } else {
                shifts[l] = dice.pick(&[1.0, 10.0])
            }
        }
    }
    if !biases {
        shifts.fill(0.0);
    }
    (weights, shifts)
}

/// Any start: depth 2 to 6, widths from 1 upward, all activations, biases on or off, metrics, multiplicities,
/// duplicated rows, zero columns, n > p.
pub(crate) fn any_start(dice: &mut Dice) -> Case {
    let sigma = dice.pick(&sigma::all());
    let needle = dice.chance(0.35);
    let layers = dice.integer(2, 6);
    let n = if needle { dice.integer(1, 2) } else { dice.integer(1, 5) };
    let d = if needle { dice.integer(1, 2) } else { dice.integer(1, 5) };
    let mut widths = vec![d];
    widths.extend((1..layers).map(|_| if needle { 1 } else { dice.integer(1, 5) }));
    widths.push(1);
    let biases = dice.chance(0.5);
    let scale = dice.pick(&[0.1, 0.5, 1.0, 1.0, 2.0]);
    let aligned = dice.chance(0.2);
    let mut net = zeros(sigma, &widths);
    for l in 1..=layers {
        let size = scale / (widths[l - 1] as f64).sqrt();
        for w in net.weights[l].iter_mut().flatten() {
            *w = if aligned { size } else { size * dice.normal() };
        }
        let shift = if biases { dice.pick(&[0.0, 0.3]) } else { 0.0 };
        net.biases[l].iter_mut().for_each(|b| *b = shift * dice.normal());
    }
    (net.weight_factor, net.bias_factor) = factors(dice, layers, biases);
    Case { net, x: samples(dice, n, d), multiplicity: multiplicities(dice, n) }
}

/// A start with independent inputs and a kernel that is positive definite: layers of width 4 to 8, plain metric.
pub(crate) fn regular_start(dice: &mut Dice) -> Case {
    let sigma = dice.pick(&sigma::all());
    let layers = dice.integer(2, 5);
    let (n, d) = (dice.integer(1, 5), dice.integer(1, 6));
    let mut widths = vec![d];
    widths.extend((1..layers).map(|_| dice.integer(4, 8)));
    widths.push(1);
    let mut net = zeros(sigma, &widths);
    for l in 1..=layers {
        let size = dice.pick(&[0.7, 1.0, 1.5]) / (widths[l - 1] as f64).sqrt();
        net.weights[l].iter_mut().flatten().for_each(|w| *w = size * dice.normal());
        net.biases[l].iter_mut().for_each(|b| *b = 0.3 * dice.normal());
    }
    if dice.chance(0.5) {
        net.bias_factor.fill(0.0);
    }
    let x = (0..n).map(|_| dice.normals(d)).collect();
    Case { net, x, multiplicity: multiplicities(dice, n) }
}

/// The same with one output more.
pub(crate) fn with_another_output(mut case: Case, dice: &mut Dice) -> Case {
    let last = case.net.layers();
    let row = &case.net.weights[last][0];
    let size = norm(row) / (row.len() as f64).sqrt();
    let another = row.iter().map(|_| size * dice.normal()).collect();
    case.net.weights[last].push(another);
    case.net.biases[last].push(0.3 * dice.normal());
    case
}

/// The positive start with its scales.
pub(crate) struct PositiveCase {
    pub(crate) case: Case,
    pub(crate) hidden: Vec<f64>,
    pub(crate) output: f64,
}

impl PositiveCase {
    pub(crate) fn start(&self) -> PositiveStart {
        let (case, inputs) = (&self.case, self.case.inputs());
        let sigma = case.net.sigma.of_library;
        PositiveStart::new(sigma, &case.widths(), &self.hidden, self.output, case.metric(), &inputs)
    }
}

/// `W_1 = 0`, `b = 0`, equal entries in each later layer, metric factors of later layers down to 0.
pub(crate) fn positive_start(dice: &mut Dice) -> PositiveCase {
    let choices: Vec<Sigma> = sigma::all().into_iter().filter(|s| s.increasing).collect();
    let sigma = dice.pick(&choices);
    let (layers, n) = (dice.integer(2, 6), dice.integer(1, 4));
    let d = n + dice.integer(0, 2);
    let mut widths = vec![d];
    let widest = dice.pick(&[1, 3, 6]);
    widths.extend((1..layers).map(|_| dice.integer(1, widest)));
    widths.push(1);
    let hidden: Vec<f64> = (2..layers).map(|_| dice.uniform(0.2, 2.0)).collect();
    let output = dice.uniform(0.5, 5.0);
    let mut net = zeros(sigma, &widths);
    for l in 2..=layers {
        let entry = if l == layers { output } else { hidden[l - 2] };
        net.weights[l].iter_mut().flatten().for_each(|w| *w = entry);
    }
    let biases = dice.chance(0.5);
    for l in 1..=layers {
        let factor = if l == 1 { 1.0 } else { dice.pick(&[0.0, 0.02, 0.2, 1.0]) };
        net.weight_factor[l] = factor;
        net.bias_factor[l] = if !biases { 0.0 } else { dice.pick(&[factor, 1.0]) };
    }
    let x = (0..n).map(|_| dice.normals(d)).collect();
    PositiveCase { case: Case { net, x, multiplicity: multiplicities(dice, n) }, hidden, output }
}

/// Zero parameters, plain metric.
pub(crate) fn zeros(sigma: Sigma, widths: &[usize]) -> Plain {
    let layers = widths.len() - 1;
    let mut weights = vec![vec![]];
    let mut biases = vec![vec![]];
    for l in 1..=layers {
        weights.push(vec![vec![0.0; widths[l - 1]]; widths[l]]);
        biases.push(vec![0.0; widths[l]]);
    }
    Plain { sigma, weights, biases, weight_factor: vec![1.0; layers + 1], bias_factor: vec![1.0; layers + 1] }
}

/// A displacement of length `s` with a random split among the layers; frozen groups may get a part too.
pub(crate) fn displacement(dice: &mut Dice, net: &Plain, s: f64) -> Vec<f64> {
    let mut u = vec![];
    for l in 1..=net.layers() {
        let size = net.weights[l].len() * (net.weights[l][0].len() + 1);
        let moves = net.weight_factor[l] > 0.0 || net.bias_factor[l] > 0.0;
        let share = if moves { dice.unit().powi(3) } else { 0.0 };
        let block = dice.normals(size);
        let length = norm(&block).max(1e-300);
        u.extend(block.iter().map(|x| share * x / length));
    }
    super::scaled_to(&u, s).unwrap_or(u)
}

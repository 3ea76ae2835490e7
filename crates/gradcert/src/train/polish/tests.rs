use super::*;
use crate::network::activation::Activation;
use crate::network::random::{Law, draw};

/// Samples and targets that look random: sines of a quadratic phase. (With a linear phase all samples would lie in a plane.)
struct Table {
    rows: Mat<f64>,
    targets: Vec<f64>,
    multiplicity: Vec<u32>,
}

fn table(n: usize, d: usize, outputs: usize) -> Table {
    let wave = |k: usize, speed: f64| (speed * (k * k) as f64).sin();
    Table {
        rows: Mat::from_fn(n, d, |i, j| wave(1 + i * d + j, 1.7)),
        targets: (0..n * outputs).map(|r| wave(r, 0.9)).collect(),
        multiplicity: vec![1; n],
    }
}

impl Table {
    fn samples(&self) -> Samples<'_> {
        Samples { rows: self.rows.as_ref(), targets: &self.targets, multiplicity: &self.multiplicity }
    }
}

fn go(_: PolishStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn polished(network: &Network, table: &Table, options: &PolishOptions) -> Polished {
    polish(network, &table.samples(), options, &mut go).expect("polishes")
}

/// The worst difference of an output of `evaluate` and its target.
fn worst(network: &Network, table: &Table) -> f64 {
    let outputs = network.evaluate(table.rows.as_ref(), Par::Seq);
    let d = network.outputs();
    table.targets.iter().enumerate().map(|(r, y)| (outputs[(r % d, r / d)] - y).abs()).fold(0.0, f64::max)
}

/// Columns of `M J D` by central differences of the outputs, one parameter after the other.
fn jacobian(network: &Network, table: &Table, metric: &Metric) -> Mat<f64> {
    let d = network.outputs();
    let (step, mut columns) = (1e-5, vec![]);
    let mut column = |plus: &Network, minus: &Network, factor: f64| {
        let (plus, minus) =
            (plus.evaluate(table.rows.as_ref(), Par::Seq), minus.evaluate(table.rows.as_ref(), Par::Seq));
        let root = |i: usize| f64::from(table.multiplicity[i]).sqrt();
        let entry = |r: usize| root(r / d) * factor * (plus[(r % d, r / d)] - minus[(r % d, r / d)]) / (2.0 * step);
        columns.push((0..table.targets.len()).map(entry).collect::<Vec<f64>>());
    };
    for l in 1..=network.layers() {
        for i in 0..network.weights[l].nrows() {
            for j in 0..network.weights[l].ncols() {
                let (mut plus, mut minus) = (network.clone(), network.clone());
                plus.weights[l][(i, j)] += step;
                minus.weights[l][(i, j)] -= step;
                column(&plus, &minus, metric.weights[l]);
            }
            let (mut plus, mut minus) = (network.clone(), network.clone());
            plus.biases[l][i] += step;
            minus.biases[l][i] -= step;
            column(&plus, &minus, metric.biases[l]);
        }
    }
    Mat::from_fn(table.targets.len(), columns.len(), |r, p| columns[p][r])
}

/// Three layers, two outputs, multiplicities, a metric with frozen groups.
fn weighted() -> (Network, Table, Metric) {
    let mut table = table(5, 3, 2);
    table.multiplicity = vec![1, 3, 2, 1, 4];
    let network = draw(Activation::Tanh, &[3, 6, 5, 2], Law::LeCun, 4);
    (network, table, Metric { weights: vec![1.0, 1.0, 0.5, 2.0], biases: vec![1.0, 0.7, 0.0, 1.5] })
}

#[test]
fn kernel_and_first_step_are_those_of_the_jacobian() {
    let (network, table, metric) = weighted();
    let samples = table.samples();
    let options = PolishOptions { max_steps: 1, damping: 0.3, ..PolishOptions::new(metric.clone(), Par::Seq) };
    let mut state = Polish::new(&network, &samples, &options).expect("fits");
    let residual = state.state.residual.clone();
    let mu = state.step().expect("falls");
    let jacobian = jacobian(&network, &table, &metric);
    let kernel = &jacobian * jacobian.transpose();
    for s in 0..10 {
        for r in s..10 {
            assert!((kernel[(r, s)] - state.kernel[(r, s)]).abs() < 1e-8 * kernel.norm_max(), "({r}, {s})");
        }
    }
    // u solves (J^T J + mu I) u = -J^T rho, the other form of the step.
    let p = jacobian.ncols();
    let moved = Mat::from_fn(p, 1, |k, _| {
        let (new, old) = (flat(&state.network)[k], flat(&network)[k]);
        let factor = factors(&network, &metric)[k];
        if factor > 0.0 { (new - old) / factor } else { 0.0 }
    });
    let rho = Mat::from_fn(10, 1, |r, _| residual[r]);
    let defect = jacobian.transpose() * (&jacobian * &moved + &rho) + &moved * faer::Scale(mu);
    assert!(defect.norm_max() < 1e-8 * (jacobian.transpose() * rho).norm_max(), "{}", defect.norm_max());
}

/// Parameters in the order of [`jacobian`].
fn flat(network: &Network) -> Vec<f64> {
    let row = |l: usize, i: usize| {
        let w = network.weights[l].row(i).iter().copied().collect::<Vec<f64>>();
        [w, vec![network.biases[l][i]]].concat()
    };
    (1..=network.layers()).flat_map(|l| (0..network.weights[l].nrows()).flat_map(move |i| row(l, i))).collect()
}

fn factors(network: &Network, metric: &Metric) -> Vec<f64> {
    let row = |l: usize| [vec![metric.weights[l]; network.weights[l].ncols()], vec![metric.biases[l]]].concat();
    (1..=network.layers()).flat_map(|l| (0..network.weights[l].nrows()).flat_map(move |_| row(l))).collect()
}

#[test]
fn several_outputs_are_interpolated_and_frozen_groups_stay() {
    let (network, table, metric) = weighted();
    let polished = polished(&network, &table, &PolishOptions::new(metric, Par::Seq));
    assert_eq!(polished.stop, PolishStop::Rounding);
    assert!(polished.residual_after < 2e-15, "{:e}", polished.residual_after);
    assert!(worst(&polished.network, &table) < 2e-15);
    assert_eq!(polished.network.biases[2], network.biases[2]);
    assert_ne!(polished.network.biases[3], network.biases[3]);
    let change: f64 = flat(&polished.network).iter().zip(flat(&network)).map(|(a, b)| (a - b).powi(2)).sum();
    assert!((polished.change - change.sqrt()).abs() < 1e-12 * polished.change);
    let before = worst(&network, &table);
    assert!((polished.prediction_change - before).abs() < 1e-12, "outputs move onto their targets");
}

/// Near the end each step squares the residual, up to a constant.
#[test]
fn convergence_is_quadratic() {
    let table = table(60, 4, 1);
    let network = draw(Activation::Tanh, &[4, 80, 1], Law::LeCun, 1);
    let polished = polished(&network, &table, &PolishOptions::new(Metric::plain(2), Par::Seq));
    let residuals: Vec<f64> = polished.steps.iter().map(|s| s.residual).collect();
    let near: Vec<f64> = residuals.iter().copied().filter(|&r| r < 1e-2 && r > 1e-13).collect();
    assert!(near.len() <= 5, "{residuals:?}");
    assert!(polished.residual_after < 1e-13, "{residuals:?}");
}

/// Depth four, one output; the residual ends where rounding the weights does.
#[test]
fn deep_networks_reach_the_rounding_of_their_weights() {
    let table = table(20, 6, 1);
    let network = draw(Activation::Softplus, &[6, 40, 40, 40, 1], Law::LeCun, 2);
    let polished = polished(&network, &table, &PolishOptions::new(Metric::plain(4), Par::Seq));
    assert_eq!(polished.stop, PolishStop::Rounding, "{:?}", polished.steps);
    assert!(polished.residual_after < 1e-14, "{:e}", polished.residual_after);
}

/// A sample with multiplicity m is m equal samples: the same step for the same mu.
#[test]
fn multiplicities_are_repeated_samples() {
    let (network, table, metric) = weighted();
    let repeated: Vec<usize> = (0..5).flat_map(|i| std::iter::repeat_n(i, table.multiplicity[i] as usize)).collect();
    let longer = Table {
        rows: Mat::from_fn(11, 3, |i, j| table.rows[(repeated[i], j)]),
        targets: repeated.iter().flat_map(|&i| table.targets[2 * i..2 * i + 2].to_vec()).collect(),
        multiplicity: vec![1; 11],
    };
    let options = |rows: f64| PolishOptions {
        max_steps: 1,
        // mu is a multiple of trace / rows, and the traces are equal.
        damping: 1e-3 * rows,
        ..PolishOptions::new(metric.clone(), Par::Seq)
    };
    let (short, long) = (polished(&network, &table, &options(10.0)), polished(&network, &longer, &options(22.0)));
    assert!((short.residual_before - long.residual_before).abs() < 1e-13);
    assert!((short.residual_after - long.residual_after).abs() < 1e-10);
    for (a, b) in flat(&short.network).iter().zip(flat(&long.network)) {
        assert!((a - b).abs() < 1e-10);
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let table = table(150, 5, 2);
    let network = draw(Activation::Tanh, &[5, 40, 20, 2], Law::LeCun, 9);
    let run = |par| {
        let options = PolishOptions { max_steps: 4, ..PolishOptions::new(Metric::plain(3), par) };
        polished(&network, &table, &options)
    };
    let alone = run(Par::Seq);
    for threads in [2, 3, 8] {
        let together = run(Par::rayon(threads));
        assert_eq!(alone.network, together.network, "{threads} threads");
        assert_eq!(alone.steps, together.steps, "{threads} threads");
    }
}

#[test]
fn tolerance_steps_and_interruption() {
    let table = table(20, 4, 1);
    let network = draw(Activation::Tanh, &[4, 30, 1], Law::LeCun, 1);
    let base = PolishOptions::new(Metric::plain(2), Par::Seq);
    let loose = polished(&network, &table, &PolishOptions { tolerance: 1e-3, ..base.clone() });
    assert_eq!(loose.stop, PolishStop::Tolerance);
    assert!(loose.residual_after <= 1e-3);
    let short = polished(&network, &table, &PolishOptions { max_steps: 1, ..base.clone() });
    assert_eq!((short.stop, short.steps.len()), (PolishStop::Steps, 1));
    let stop = &mut |_| ControlFlow::Break(());
    let broken = polish(&network, &table.samples(), &base, stop).expect("polishes");
    assert_eq!((broken.stop, broken.steps), (PolishStop::Interrupted, short.steps));
}

fn refusal(network: &Network, table: &Table, options: &PolishOptions) -> PolishError {
    polish(network, &table.samples(), options, &mut go).expect_err("refused")
}

#[test]
fn what_cannot_be_polished_is_refused() {
    let good = table(6, 3, 1);
    let network = draw(Activation::Tanh, &[3, 5, 1], Law::LeCun, 1);
    let options = PolishOptions::new(Metric::plain(2), Par::Seq);
    let with = |change: fn(&mut Table)| {
        let mut changed = table(6, 3, 1);
        change(&mut changed);
        refusal(&network, &changed, &options)
    };
    assert_eq!(with(|t| t.targets.truncate(5)), PolishError::Shapes);
    assert_eq!(with(|t| t.multiplicity.truncate(5)), PolishError::Shapes);
    assert_eq!(with(|t| t.rows = Mat::zeros(6, 2)), PolishError::Shapes);
    assert_eq!(with(|t| t.rows = Mat::zeros(0, 3)), PolishError::Shapes);
    assert_eq!(with(|t| t.targets[2] = f64::NAN), PolishError::NotFinite);
    assert_eq!(with(|t| t.rows[(1, 1)] = f64::INFINITY), PolishError::NotFinite);
    assert_eq!(with(|t| t.multiplicity[0] = 0), PolishError::NotFinite);
    let layers = PolishOptions::new(Metric::plain(3), Par::Seq);
    assert_eq!(refusal(&network, &good, &layers), PolishError::Shapes);
    let mut huge = network.clone();
    huge.weights[2] *= faer::Scale(1e308);
    huge.weights[1] *= faer::Scale(1e308);
    assert_eq!(refusal(&huge, &good, &options), PolishError::NotFinite);
    let small = PolishOptions { memory: 16.0 * 35.0, ..options.clone() };
    assert_eq!(refusal(&network, &good, &small), PolishError::Memory { rows: 6, gigabytes: 16.0 * 36.0 / 1e9 });
    let frozen = Metric { weights: vec![1.0, 0.0, 1.0], biases: vec![1.0, 0.0, 0.0] };
    let few = refusal(&network, &good, &PolishOptions::new(frozen, Par::Seq));
    assert_eq!(few, PolishError::TooFewParameters { parameters: 5, rows: 6 });
    assert_eq!(few.code(), "singular_kernel");
}

/// Equal samples with targets 1 and 0: no network does better than 1/2 for both.
#[test]
fn conflicting_samples_end_at_a_singular_kernel() {
    let mut table = table(6, 3, 1);
    for j in 0..3 {
        table.rows[(5, j)] = table.rows[(4, j)];
    }
    (table.targets[4], table.targets[5]) = (1.0, 0.0);
    let network = draw(Activation::Tanh, &[3, 8, 1], Law::LeCun, 1);
    let options = PolishOptions { max_steps: 1000, ..PolishOptions::new(Metric::plain(2), Par::Seq) };
    match refusal(&network, &table, &options) {
        PolishError::SingularKernel { residual } => assert!((residual - 0.5f64.sqrt()).abs() < 1e-6, "{residual}"),
        other => panic!("{other}"),
    }
}

/// Equal samples with equal targets, not merged: K is singular, interpolation possible.
#[test]
fn equal_samples_with_equal_targets_are_no_obstacle() {
    let mut table = table(6, 3, 1);
    for j in 0..3 {
        table.rows[(5, j)] = table.rows[(4, j)];
    }
    table.targets[5] = table.targets[4];
    let network = draw(Activation::Tanh, &[3, 8, 1], Law::LeCun, 1);
    let polished = polished(&network, &table, &PolishOptions::new(Metric::plain(2), Par::Seq));
    assert!(polished.residual_after < 1e-13, "{:e}", polished.residual_after);
}

#[test]
fn rounding_to_float32() {
    let mut network = draw(Activation::Tanh, &[3, 4, 1], Law::LeCun, 1);
    network.biases[1][0] = 0.1;
    network.biases[1][1] = 1e39;
    let rounded = round_to_f32(&network);
    assert_eq!(rounded.biases[1], vec![0.10000000149011612, f64::INFINITY, 0.0, 0.0]);
    for (a, b) in entries(&rounded).zip(entries(&network)).filter(|(a, _)| a.is_finite()) {
        assert!((a - b).abs() <= b.abs() * 0.5f64.powi(24));
        assert_eq!(a, f64::from(a as f32));
    }
}

/// As many samples as the handwritten digits have, with more than one sample per feature.
#[test]
#[ignore = "a minute; make test-long"]
fn eighteen_hundred_samples() {
    let table = table(1797, 64, 1);
    let network = draw(Activation::Tanh, &[64, 512, 1], Law::LeCun, 1);
    let polished = polished(&network, &table, &PolishOptions::new(Metric::plain(2), Par::rayon(2)));
    assert!(polished.residual_after < 1e-12, "{:e}", polished.residual_after);
}

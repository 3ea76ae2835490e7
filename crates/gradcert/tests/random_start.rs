//! (T10): the probability of the event against simulation, and what the event promises.

use faer::Mat;
use gradcert::kernel::tangent_kernel;
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::network::passes::{LayerInputs, Passes};
use gradcert::network::random::{Law, draw};
use gradcert::statistics::wilson;
use gradcert::theorem::centre::Metric;
use gradcert::theorem::inputs::InputBounds;
use gradcert::theorem::random_start::{RandomStart, Unmet};
use gradcert_rigor::Upper;
use gradcert_rigor::linear::EnclosedMatrix;

struct Case {
    activation: Activation,
    widths: Vec<usize>,
    inputs: Mat<f64>,
    targets: Vec<f64>,
}

/// Small enough for the event to be seen.
fn cases() -> Vec<Case> {
    let case = |activation, widths: &[usize], inputs: &[&[f64]], targets: &[f64]| Case {
        activation,
        widths: widths.to_vec(),
        inputs: Mat::from_fn(inputs.len(), widths[0], |i, j| inputs[i][j]),
        targets: targets.to_vec(),
    };
    vec![
        case(Activation::Identity, &[1, 1, 1], &[&[1.0]], &[0.01]),
        case(Activation::Identity, &[2, 1, 1], &[&[1.0, 0.5], &[-0.3, 1.0]], &[0.01, -0.02]),
        case(Activation::SmoothLeakyRelu(0.9), &[1, 1, 1], &[&[2.0]], &[-0.01]),
        case(Activation::SmoothLeakyRelu(0.7), &[1, 2, 1], &[&[0.1]], &[0.001]),
        case(Activation::Identity, &[1, 1, 1, 1], &[&[0.1]], &[0.001]),
    ]
}

impl Case {
    fn bounds(&self) -> (InputBounds, Upper) {
        let rows = EnclosedMatrix::exact(self.inputs.clone());
        let ones = vec![1; self.targets.len()];
        (InputBounds::of_rows(&rows, &ones, true), InputBounds::of_rows(&rows, &ones, false).smax)
    }

    fn theorem(&self) -> RandomStart {
        let (trained, plain) = self.bounds();
        let targets = Upper::norm(self.targets.iter().map(|&y| Upper::new(y.abs())));
        RandomStart::new(self.activation, &self.widths, &trained, plain, targets).expect("the hypotheses hold")
    }

    fn residual(&self, network: &Network) -> f64 {
        let mut passes = Passes::new(network, self.targets.len());
        passes.forward(network, &LayerInputs::Rows(self.inputs.clone()), faer::Par::Seq);
        passes.output.iter().zip(&self.targets).map(|(f, y)| (f - y).powi(2)).sum::<f64>().sqrt()
    }

    fn smin(&self, network: &Network) -> f64 {
        let metric = Metric::plain(network.layers());
        let kernel = tangent_kernel(network, &LayerInputs::Rows(self.inputs.clone()), &metric, faer::Par::Seq);
        let values = kernel.self_adjoint_eigenvalues(faer::Side::Lower).expect("it converges");
        values.into_iter().fold(f64::INFINITY, f64::min).max(0.0).sqrt()
    }
}

fn in_event(network: &Network, scale: f64, largest_first_layer: f64) -> bool {
    let entries = |w: &Mat<f64>| w.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<f64>>()).collect::<Vec<_>>();
    let inside = |x: f64| scale <= x && x <= 2.0 * scale;
    network.weights[2..].iter().all(|w| entries(w).into_iter().all(inside))
        && network.weights[1].norm_l2() < largest_first_layer
}

/// The 99.99 % interval, since there are several cases; seeds are fixed.
#[test]
fn the_event_is_as_frequent_as_computed() {
    const DRAWS: u64 = 200_000;
    for case in cases() {
        let theorem = case.theorem();
        let best = theorem.likeliest().expect("a probability");
        let probability = theorem.ln_probability(best.scale);
        assert!(probability.hi() - probability.lo() < 1e-9);
        let hits = (0..DRAWS)
            .filter(|&seed| {
                let network = draw(case.activation, &case.widths, Law::LeCun, seed);
                in_event(&network, best.scale, best.largest_first_layer.get())
            })
            .count();
        let (low, high) = wilson(hits as u64, DRAWS, 3.89);
        let p = probability.lo().exp();
        assert!(p > 1e-3, "{:?} is too rare to be seen: {p}", case.widths);
        assert!(low <= p && p <= high, "{:?}: {hits} of {DRAWS}, computed {p}", case.widths);
        assert!((best.log10_probability - p.log10()).abs() < 1e-9);
    }
}

/// No other A is much better than the one found.
#[test]
fn the_likeliest_scale_is_the_likeliest() {
    for case in cases() {
        let theorem = case.theorem();
        let best = theorem.likeliest().expect("a probability");
        for k in -400..=400 {
            let scale = best.scale * 10f64.powf(0.01 * f64::from(k));
            let other = theorem.ln_probability(scale).lo() / std::f64::consts::LN_10;
            assert!(other <= best.log10_probability + 1e-6, "{scale} instead of {}", best.scale);
        }
    }
}

/// The hypothesis of (T3) on every draw in the event: the residual is below `(A/2) psi`, and psi is a lower bound of smin(J) on the
/// ball of radius A/2, tried at random points and at the corners that shrink W_2, ..., W_L.
#[test]
fn every_draw_in_the_event_is_certified() {
    for case in cases() {
        let theorem = case.theorem();
        let best = theorem.likeliest().expect("a probability");
        let (a, w) = (best.scale, best.largest_first_layer.get());
        let floor = case.activation.slope_floor().get();
        let hidden: f64 = case.widths[2..case.widths.len() - 1].iter().map(|&d| d as f64).product();
        let layers = case.widths.len() - 1;
        let kappa = (floor * a / 2.0).powi(layers as i32 - 1) * hidden;
        let psi = (case.widths[1] as f64).sqrt() * kappa * case.bounds().0.smin.get();
        let draws = (0..20_000).map(|seed| draw(case.activation, &case.widths, Law::LeCun, seed));
        let mut seen = 0;
        for start in draws.filter(|start| in_event(start, a, w)).take(50) {
            seen += 1;
            assert!(case.residual(&start) < a / 2.0 * psi, "{:?}", case.widths);
            for direction in 0..40 {
                let moved = moved(&start, a / 2.0, direction);
                let smin = case.smin(&moved);
                // Slack for the float eigenvalue alone.
                assert!(smin >= psi * (1.0 - 1e-9), "{:?}: {smin} < {psi}", case.widths);
            }
        }
        assert!(seen >= 20, "{:?}: only {seen} draws", case.widths);
    }
}

/// The start moved by `length` in a random direction; for even seeds the direction has no positive entry in the later layers.
fn moved(start: &Network, length: f64, seed: u64) -> Network {
    let mut direction = draw(start.activation, &start.widths(), Law::LeCun, 1_000_000 + seed);
    if seed.is_multiple_of(2) {
        for w in &mut direction.weights[2..] {
            *w = Mat::from_fn(w.nrows(), w.ncols(), |i, j| -w[(i, j)].abs());
        }
    }
    let norm = direction.weights[1..].iter().map(Mat::squared_norm_l2).sum::<f64>().sqrt();
    let mut network = start.clone();
    for (w, d) in network.weights.iter_mut().zip(&direction.weights).skip(1) {
        *w += d * faer::Scale(length / norm);
    }
    network
}

#[test]
fn hypotheses_are_checked() {
    let case = &cases()[0];
    let (trained, plain) = case.bounds();
    for activation in [Activation::Tanh, Activation::Softplus, Activation::Silu, Activation::Gelu] {
        let refused = RandomStart::new(activation, &case.widths, &trained, plain, Upper::ONE);
        assert_eq!(refused.err(), Some(Unmet::Slope));
    }
    let rows = EnclosedMatrix::exact(Mat::full(2, 1, 1.0));
    let twice = InputBounds::of_rows(&rows, &[1, 1], true);
    let refused = RandomStart::new(Activation::Identity, &[1, 1, 1], &twice, plain, Upper::ONE);
    assert_eq!(refused.err(), Some(Unmet::DependentInputs));
}

/// Two thousand inputs and a hundred neurons: far below the smallest double, and still a number.
#[test]
fn tiny_probabilities_are_finite() {
    let inputs = Mat::from_fn(5, 2000, |i, j| if j % 5 == i { 1.0 } else { 0.0 });
    let rows = EnclosedMatrix::exact(inputs);
    let bounds = InputBounds::of_rows(&rows, &[1; 5], true);
    let mut before = 0.0;
    for widths in [vec![2000, 4, 1], vec![2000, 32, 1], vec![2000, 100, 1], vec![2000, 100, 100, 1]] {
        let theorem =
            RandomStart::new(Activation::SmoothLeakyRelu(0.1), &widths, &bounds, bounds.smax, Upper::new(3.0));
        let best = theorem.expect("the hypotheses hold").likeliest().expect("a probability");
        assert!(best.log10_probability.is_finite() && best.log10_probability < before - 100.0);
        before = best.log10_probability;
    }
    assert!(before < -30_000.0, "{before}");
}

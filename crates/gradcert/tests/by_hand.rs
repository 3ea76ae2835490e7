//! Networks that are small enough to be solved by hand.

mod support;

use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::{Options, Outcome, given};
use gradcert::theorem::ball::ball;
use gradcert::theorem::descent::Descent;
use gradcert::theorem::envelope::{contraction_count, target};
use gradcert::theorem::general;
use gradcert::theorem::profile::Profile;
use gradcert_rigor::{Interval, Lower, Upper};
use support::case::{Case, PositiveCase, zeros};
use support::plain::Plain;
use support::sigma;

/// d = n, X = I, identity, `W_1 = 0`, `W_2 = A 1^T` frozen, no biases: `K = A^2 d_1 I` on the whole space, so that
/// `rho_k = (1 - c A^2 d_1)^k rho_0`, and nothing is lost in the bounds.
#[test]
fn linear_network_on_unit_vectors_is_known_in_closed_form() {
    let (n, width, output) = (4usize, 9usize, 2.0f64);
    let mut net = zeros(sigma::identity(), &[n, width, 1]);
    net.weights[2][0].fill(output);
    net.weight_factor[2] = 0.0;
    net.bias_factor.fill(0.0);
    let x = (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
    let case = Case { net, x, multiplicity: vec![1; n] };
    let positive = PositiveCase { case, hidden: vec![], output };
    let inputs = positive.case.inputs();
    let centre = positive.start().centre(&inputs);
    let exact = output * (width as f64).sqrt();
    for s in [1e-3, 1.0, 1e3] {
        let b = ball(&centre, s);
        assert!((b.psi().get() - exact).abs() < 1e-12 && (b.norm.get() - exact).abs() < 1e-12, "{b:?}");
        assert!(b.lipschitz.get() < 1e-12 && b.drift.get() < 1e-12, "{b:?}");
    }
    let residual = Upper::new(3.0);
    let profile = Profile::new(&centre, &[0.6], &|_| Lower::ZERO);
    for t1 in [0.5, 0.9, 1.0, 1.5] {
        let step_size = t1 * n as f64 / 2.0 / (exact * exact);
        let descent = Descent::certify(&profile, residual, n as f64, 0, step_size);
        // |rho(w0)| = 3 < 6 * 0.6 = integral of psi for t1 <= 1; beyond, theta = (2 - t1)/t1 is 1/3.
        let Some(descent) = descent else {
            assert!(t1 > 1.0);
            continue;
        };
        assert!(t1 <= 1.0);
        let tolerance = 1e-20;
        let decay = (1.0f64 - t1).abs();
        let count = contraction_count(&descent, residual, target(n as f64, tolerance), 1000).unwrap();
        let start = 9.0 / n as f64;
        let expected = if decay < 1e-12 { 1.0 } else { ((tolerance / start).ln() / (2.0 * decay.ln())).ceil() };
        // The published bounds are weakened by a millionth, so an exact step no longer hits zero at once.
        let allowed = if decay < 1e-12 { 2.0 } else { expected };
        assert!(count as f64 >= expected && count as f64 <= allowed, "{count} {expected} at t1 = {t1}");
    }
}

/// `f = w_2 w_1`, n = 1, x = 1, start (0, A): J = (w_2, w_1), so `smin(J) >= A - s` exactly, `|J| <= A + s`, `LJ = 1`,
/// `dJ = s`, and the flow is certified iff `|y| < integral_0^A (A - s) ds = A^2/2`.
#[test]
fn two_weights_by_hand() {
    let output = 3.0;
    let mut net = zeros(sigma::identity(), &[1, 1, 1]);
    net.weights[2][0][0] = output;
    net.bias_factor.fill(0.0);
    let case = Case { net, x: vec![vec![1.0]], multiplicity: vec![1] };
    let (centre, _) = case.centre();
    for s in [1e-3, 0.5, 2.0, 2.999] {
        let b = ball(&centre, s);
        for (found, exact) in
            [(b.psi().get(), output - s), (b.norm.get(), output + s), (b.lipschitz.get(), 1.0), (b.drift.get(), s)]
        {
            assert!((found - exact).abs() < 1e-9, "{found} {exact} at {s}");
        }
    }
    assert!(!ball(&centre, 3.0).psi().is_positive());
    let radii: Vec<f64> = (1..=4000).map(|k| output * f64::from(k) / 4000.0).collect();
    let profile = Profile::new(&centre, &radii, &|_| Lower::ZERO);
    let limit = output * output / 2.0;
    assert!(profile.flow_index(Upper::new(0.999 * limit)).is_some());
    assert!(profile.flow_index(Upper::new(limit)).is_none());
    assert!(profile.integral.last().unwrap().get() < limit);
}

/// The same two weights where the first moves with the factor 10, from (0, 1) with y = 0.4. Its J is (10 w_2, w_1), so
/// `dJ >= 0.5` at s = 0.05; with inputs that ignore the factor dJ was 0.05 and one iteration was certified to S = 1e-16,
/// after which S is 0.11.
#[test]
fn factor_of_the_first_layer_counts() {
    let mut net = zeros(sigma::identity(), &[1, 1, 1]);
    net.weights[2][0][0] = 1.0;
    net.weight_factor[1] = 10.0;
    net.bias_factor.fill(0.0);
    let case = Case { net, x: vec![vec![1.0]], multiplicity: vec![1] };
    let problem = Problem::new(&[1.0], 1, 1, vec![0.4], Coordinates::Raw);
    let inputs = problem.input_bounds_in(&case.metric());
    let (centre, _) = general::centre(&case.network(), &case.passes(), &case.metric(), &inputs);
    let bounds = ball(&centre, 0.05);
    assert!(bounds.drift.get() >= 0.5 && bounds.lipschitz.get() >= 10.0, "{bounds:?}");
    let options = Options { tolerance: 1e-16, ..Options::default() };
    let Outcome::Certified(certified) = given::certify(&problem, &case.network(), &case.metric(), &options) else {
        return;
    };
    let (eta, mut first, mut second) = (certified.found.descent.step_size, 0.0f64, 1.0f64);
    for _ in 0..certified.found.iterations {
        let slope = 2.0 * (first * second - 0.4);
        (first, second) = (first - 100.0 * eta * slope * second, second - eta * slope * first);
    }
    let loss = (first * second - 0.4).powi(2);
    assert!(loss <= options.tolerance, "{loss} after {} iterations", certified.found.iterations);
}

/// One sample, by hand: (T6) gives `K_0 = a^2 + h^2 + ...` for `f = a sigma(w x + b) + d`.
#[test]
fn kernel_of_one_neuron_by_hand() {
    let sigma = sigma::leaky();
    let (w, b, a, d, x) = (0.7, -0.2, 1.3, 0.4, 2.0);
    let mut net: Plain = zeros(sigma, &[1, 1, 1]);
    (net.weights[1][0][0], net.biases[1][0], net.weights[2][0][0], net.biases[2][0]) = (w, b, a, d);
    let case = Case { net, x: vec![vec![x]], multiplicity: vec![1] };
    let (_, kernel) = case.centre();
    let z = w * x + b;
    let (h, slope) = (0.1 * z + 0.9 * ((1.0 + z.exp()).ln() - 2f64.ln()), 0.1 + 0.9 / (1.0 + (-z).exp()));
    let exact = (a * slope).powi(2) * (x * x + 1.0) + h * h + 1.0;
    let found = kernel.diagonal(0);
    assert!(
        found.lo() <= exact * (1.0 + 1e-14) && found.hi() >= exact * (1.0 - 1e-14) && found.hi() - found.lo() < 1e-10
    );
    let residual = case.passes().residual(&[0.0], &[Interval::ONE])[0];
    assert!((residual.middle() - (a * h + d)).abs() < 1e-14);
}

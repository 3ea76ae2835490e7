//! (T15) to (T16e) by attack: kappa against the Jacobian everywhere in the ball, by gradient ascent on an independent
//! implementation; the second order against Hessians formed in full; existence against Newton's method.

mod support;

use faer::Mat;
use gradcert::certify::audit::{AuditOutcome, audit};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::theorem::centre::{Centre, Metric};
use gradcert::theorem::existence::distance_by_orders;
use gradcert::theorem::general::EnclosedPasses;
use gradcert::theorem::whitened::orders::{Orders, fitting};
use gradcert::theorem::whitened::row_space::second_order;
use gradcert::theorem::whitened::third_order::third_derivative;
use gradcert::theorem::whitened::two_layers::TwoLayers;
use gradcert_rigor::linear::{EnclosedMatrix, RelativeTo};
use gradcert_rigor::{Interval, Upper};
use support::case::{Case, any_start, displacement, regular_start, with_another_output};
use support::plain::{Sampled, combine};
use support::record::Record;
use support::series::along;
use support::singular::{Singular, largest};
use support::{Dice, dot, norm, scaled_to};

type Rows = Vec<Vec<f64>>;

/// `J(w0)` with what measures vectors by it: `J0 = sum_k s_k l_k r_k^T`.
struct Start {
    sampled: Sampled,
    jacobian: Rows,
    singular: Singular,
}

impl Start {
    fn new(case: &Case) -> Start {
        let sampled = case.sampled();
        let jacobian = sampled.jacobian(&vec![0.0; case.net.size()]);
        let singular = Singular::new(&jacobian);
        Start { sampled, jacobian, singular }
    }

    /// Rows `l_k^T A / s_k`: they have the norm of `J0^+ A`.
    fn whitened(&self, a: &Rows) -> Rows {
        let row = |k: usize| {
            let l = &self.singular.left[k];
            (0..a[0].len())
                .map(|j| (0..a.len()).map(|i| l[i] * a[i][j]).sum::<f64>() / self.singular.values[k])
                .collect()
        };
        (0..a.len()).map(row).collect()
    }

    /// `J0^+ y`.
    fn pseudoinverse(&self, y: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.jacobian[0].len()];
        for (k, r) in self.singular.right.iter().enumerate() {
            let c = dot(&self.singular.left[k], y) / self.singular.values[k];
            out.iter_mut().zip(r).for_each(|(o, r)| *o += c * r);
        }
        out
    }

    /// `|J0^+ (J(w) - J0) P|`, P the projector onto the row space of J0 or the identity, and the direction in which it grows
    /// fastest.
    fn change(&self, u: &[f64], projected: bool) -> (f64, Vec<f64>) {
        let now = self.sampled.jacobian(u);
        let difference: Rows =
            now.iter().zip(&self.jacobian).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
        let mut white = self.whitened(&difference);
        if projected {
            white.iter_mut().for_each(|row| {
                let parts: Vec<f64> = self.singular.right.iter().map(|r| dot(row, r)).collect();
                row.fill(0.0);
                for (part, r) in parts.iter().zip(&self.singular.right) {
                    row.iter_mut().zip(r).for_each(|(x, r)| *x += part * r);
                }
            });
        }
        let at = Singular::new(&white);
        // d / du of the largest value: l^T S^{-1} L^T DJ[.] r, a combination of the rows of DJ[r].
        let c: Vec<f64> = (0..now.len())
            .map(|i| {
                let term = |k: usize| at.left[0][k] * self.singular.left[k][i] / self.singular.values[k];
                (0..now.len()).map(term).sum()
            })
            .collect();
        (at.largest(), self.sampled.pull(u, &c, &at.right[0]))
    }
}

/// The orders of every statement that applies, each with a radius that fits.
fn all_orders(case: &Case) -> Vec<(&'static str, Orders)> {
    let (centre, kernel) = case.centre();
    let Some(relative) = RelativeTo::new(&kernel, centre.smin_jacobian.square()) else { return vec![] };
    let (network, passes, metric, inputs) = (case.network(), case.passes(), case.metric(), case.inputs());
    let mut found = vec![];
    if let Some(two) = TwoLayers::new(&network, &passes, &metric, &inputs, &relative) {
        for last in 3..=6 {
            found.push(("T16e", fitting(|s| two.orders(last, s), 0.01)));
        }
    }
    if third_derivative(&centre, 0.0).is_some() {
        let om = second_order(&network, &passes, &metric, inputs.root_multiplicity(), &relative).expect("verified");
        let third = |centre: &Centre, s: f64| third_derivative(centre, s).expect("smooth") / centre.smin_jacobian;
        found.push(("T16d, T16n", fitting(|s| Orders::new(s, vec![om, third(&centre, s)]), 0.01)));
    }
    found
}

fn attack_kappa(cases: u64, record: &mut Record) {
    for number in 0..cases {
        let mut dice = Dice::new(7_000 + number);
        let mut case = regular_start(&mut dice);
        if dice.chance(0.3) {
            case = with_another_output(case, &mut dice);
        }
        if dice.chance(0.4) {
            for l in 1..=case.net.layers() {
                case.net.weight_factor[l] = dice.pick(&[0.3, 1.0, 2.0]);
                case.net.bias_factor[l] *= dice.pick(&[0.5, 1.0]);
            }
        }
        let start = Start::new(&case);
        if start.singular.smallest() < 1e-6 * start.singular.largest() {
            continue;
        }
        let rounding = 1e-12 * start.singular.largest() / start.singular.smallest();
        for (name, orders) in all_orders(&case) {
            let (used, _) = orders.largest_integral();
            for share in [1.0, 0.3] {
                let s = share * used;
                let bound = orders.kappa(s).get();
                let psi = orders.psi(gradcert_rigor::Lower::new(start.singular.smallest()), s).get();
                let mut u = displacement(&mut dice, &case.net, s);
                for _ in 0..8 {
                    let (change, ascent) = start.change(&u, name != "T16e");
                    record.at_most(name, change, bound, rounding, number);
                    match scaled_to(&ascent, s) {
                        Some(next) => u = next,
                        None => break,
                    }
                }
                for _ in 0..8 {
                    let now = Singular::new(&start.sampled.jacobian(&u));
                    record.at_most("psi of T16", psi - rounding, now.smallest(), 0.0, number);
                    let last = now.values.len() - 1;
                    match scaled_to(&start.sampled.pull(&u, &now.left[last], &now.right[last]), -s) {
                        Some(next) => u = next,
                        None => break,
                    }
                }
            }
        }
    }
}

#[test]
fn the_taylor_form_bounds_the_jacobian() {
    let mut record = Record::default();
    attack_kappa(60, &mut record);
    record.print("audit");
    assert!(record.largest("T16e") > 0.2 && record.largest("T16d, T16n") > 0.05);
}

#[test]
#[ignore = "minutes; make test-long"]
fn the_taylor_form_bounds_the_jacobian_in_many_cases() {
    let mut record = Record::default();
    attack_kappa(2500, &mut record);
    record.print("audit");
}

/// om^2 from Hessians in full: `Gam_rr' = <Hess_r E, Hess_r' E>`, E an orthonormal basis of the row space.
#[test]
fn the_second_order_is_that_of_full_hessians() {
    let mut compared = 0;
    for number in 0..80 {
        let mut dice = Dice::new(9_000 + number);
        let mut case = regular_start(&mut dice);
        if dice.chance(0.5) {
            for l in 1..=case.net.layers() {
                case.net.weight_factor[l] = dice.pick(&[0.0, 0.3, 1.0, 2.0]);
                case.net.bias_factor[l] *= dice.pick(&[0.5, 1.0]);
            }
        }
        let (centre, kernel) = case.centre();
        let Some(relative) = RelativeTo::new(&kernel, centre.smin_jacobian.square()) else { continue };
        let inputs = case.inputs();
        let Some(om) =
            second_order(&case.network(), &case.passes(), &case.metric(), inputs.root_multiplicity(), &relative)
        else {
            continue;
        };
        let start = Start::new(&case);
        // Beyond, the rounding of K0 costs digits that the comparison needs.
        if start.singular.smallest() < 1e-2 * start.singular.largest() {
            continue;
        }
        let origin = vec![0.0; case.net.size()];
        let parts: Vec<Rows> = start.singular.right.iter().map(|e| start.sampled.derivative(&origin, e)).collect();
        // Row r: all Hess_r e_k in succession; whitened, its largest singular value is om.
        let rows: Rows =
            (0..start.jacobian.len()).map(|r| parts.iter().flat_map(|part| part[r].clone()).collect()).collect();
        let direct = largest(&start.whitened(&rows));
        let loss = 1e-7;
        assert!(
            om.get() >= direct * (1.0 - 1e-9) && om.get() <= direct * (1.0 + loss) + 1e-12,
            "{number}: {} {direct}",
            om.get()
        );
        compared += 1;
    }
    assert!(compared > 15, "{compared}");
}

/// Rows of `D^k F(u)[v^k]`, weighted.
fn derivative(sampled: &Sampled, u: &[f64], v: &[f64], k: usize) -> Vec<f64> {
    along(sampled, u, v).iter().zip(sampled.row_weight()).map(|(f, w)| w * f.derivative(k)).collect()
}

fn sum(terms: &[(f64, &[f64])]) -> Vec<f64> {
    (0..terms[0].1.len()).map(|i| terms.iter().map(|(c, v)| c * v[i]).sum()).collect()
}

/// Where `c^T D^3 F(u)[v^3]` grows fastest: for v, and for u. Differences of Jacobians along v will do to find a way.
fn ascent(sampled: &Sampled, u: &[f64], v: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let h = 1e-2;
    let at = |t: f64| combine(&sampled.jacobian(&sum(&[(1.0, u), (t, v)])), c);
    let [back, behind, here, ahead, far] = [-2.0 * h, -h, 0.0, h, 2.0 * h].map(at);
    let second = sum(&[(1.0, &behind), (-2.0, &here), (1.0, &ahead)]);
    (second, sum(&[(-1.0, &back), (2.0, &behind), (-2.0, &ahead), (1.0, &far)]))
}

fn attack_third_order(cases: std::ops::Range<u64>, record: &mut Record) {
    for number in cases {
        let mut dice = Dice::new(11_000 + number);
        let mut case = if dice.chance(0.3) { regular_start(&mut dice) } else { any_start(&mut dice) };
        if dice.chance(0.3) {
            case = with_another_output(case, &mut dice);
        }
        let s = if dice.chance(0.3) { 0.0 } else { dice.decades(-3.0, 0.7) };
        let (centre, _) = case.centre();
        let Some(bound) = third_derivative(&centre, s) else { continue };
        let sampled = case.sampled();
        let slack = 1e-12 * (bound.get() + centre.smax_jacobian.get());
        for _ in 0..6 {
            let mut u = displacement(&mut dice, &case.net, s);
            let mut v = displacement(&mut dice, &case.net, 1.0);
            for _ in 0..10 {
                let third = derivative(&sampled, &u, &v, 3);
                record.at_most("T16n", norm(&third), bound.get(), slack, number);
                let Some(c) = scaled_to(&third, 1.0) else { break };
                let (for_v, for_u) = ascent(&sampled, &u, &v, &c);
                match (scaled_to(&for_v, 1.0), scaled_to(&for_u, s)) {
                    (Some(next), Some(place)) => {
                        (u, v) = (scaled_to(&sum(&[(1.0, &u), (1.0, &place)]), s).unwrap_or(u), next)
                    }
                    _ => break,
                }
            }
        }
    }
}

#[test]
fn the_third_order_bounds_series_along_lines() {
    let mut record = Record::default();
    attack_third_order(0..250, &mut record);
    record.print("audit");
    assert!(record.largest("T16n") > 0.8);
}

#[test]
#[ignore = "minutes; make test-long"]
fn the_third_order_bounds_series_along_lines_in_many_cases() {
    let mut record = Record::default();
    attack_third_order(1000..25_000, &mut record);
    record.print("audit");
}

/// Order 2 of the series is `v^T Hess v`, order 3 the difference quotient of order 2 along v.
#[test]
fn series_agree_with_hessians_and_differences() {
    for number in 0..60 {
        let mut dice = Dice::new(15_000 + number);
        let start = regular_start(&mut dice);
        let case = with_another_output(start, &mut dice);
        if !case.net.sigma.of_library.is_c2() {
            continue;
        }
        let sampled = case.sampled();
        let (u, v) = (displacement(&mut dice, &case.net, 0.5), displacement(&mut dice, &case.net, 1.0));
        let second = derivative(&sampled, &u, &v, 2);
        let direct: Vec<f64> = sampled.derivative(&u, &v).iter().map(|row| dot(row, &v)).collect();
        let far = |a: &[f64], b: &[f64]| norm(&sum(&[(1.0, a), (-1.0, b)]));
        assert!(far(&second, &direct) <= 1e-11 * (1.0 + norm(&direct)), "{number}");
        let h = 1e-4;
        let at = |t: f64| derivative(&sampled, &sum(&[(1.0, &u), (t, &v)]), &v, 2);
        let quotient = sum(&[(0.5 / h, &at(h)), (-0.5 / h, &at(-h))]);
        let third = derivative(&sampled, &u, &v, 3);
        assert!(far(&third, &quotient) <= 1e-6 * (1.0 + norm(&third)), "{number}: {third:?} {quotient:?}");
    }
}

/// The targets are put where (T15) just holds; Newton's method with the exact Jacobian then finds a zero within the distance.
#[test]
fn solutions_exist_within_the_distance() {
    let mut found = 0;
    for number in 0..60 {
        let mut dice = Dice::new(13_000 + number);
        let mut case = regular_start(&mut dice);
        if dice.chance(0.3) {
            case = with_another_output(case, &mut dice);
        }
        let start = Start::new(&case);
        if start.singular.smallest() < 1e-3 * start.singular.largest() {
            continue;
        }
        for (_, orders) in all_orders(&case) {
            let (_, largest) = orders.largest_integral();
            let correction = dice.pick(&[0.3, 0.9, 0.999]) * largest.get();
            let direction = start.pseudoinverse(&dice.normals(start.jacobian.len()));
            let Some(step) = scaled_to(&direction, correction) else { continue };
            let residual: Vec<f64> = start.jacobian.iter().map(|row| dot(row, &step)).collect();
            let Some(distance) = distance_by_orders(&orders, Upper::new(correction * (1.0 + 1e-12))) else {
                panic!("{number}: the hypothesis holds");
            };
            let values = |u: &[f64]| -> Vec<f64> {
                start.sampled.outputs(u).iter().zip(start.sampled.row_weight()).map(|(f, w)| w * f).collect()
            };
            let first = values(&vec![0.0; case.net.size()]);
            let goal: Vec<f64> = first.iter().zip(&residual).map(|(f, r)| f - r).collect();
            // The map of the proof: v -> v - J0^+ rho(w0 + v).
            let mut u = vec![0.0; case.net.size()];
            let mut left = f64::INFINITY;
            for _ in 0..4000 {
                let rho: Vec<f64> = values(&u).iter().zip(&goal).map(|(f, g)| f - g).collect();
                left = norm(&rho);
                if left < 1e-12 * norm(&residual) {
                    break;
                }
                let step = start.pseudoinverse(&rho);
                u.iter_mut().zip(&step).for_each(|(u, s)| *u -= s);
                assert!(norm(&u) <= distance * (1.0 + 1e-9), "{number}: left the ball");
            }
            assert!(left <= 1e-8 * norm(&residual), "{number}: {left:e}");
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}

/// A network with two outputs whose targets are its own outputs plus a little: certified, with the kernel of both outputs.
#[test]
fn several_outputs() {
    let mut dice = Dice::new(17);
    let widths = [3, 12, 2];
    let mut matrix = |r: usize, c: usize| {
        let values = dice.normals(r * c);
        Mat::from_fn(r, c, |i, j| values[i * c + j] / (c as f64).sqrt())
    };
    let weights = vec![Mat::zeros(0, 0), matrix(widths[1], widths[0]), matrix(widths[2], widths[1])];
    let biases = vec![vec![], vec![0.1; 12], vec![0.2, -0.1]];
    let network = Network { activation: Activation::Tanh, weights, biases };
    let values: Vec<f64> = dice.normals(5 * 3);
    let rows = EnclosedMatrix::exact(Mat::from_fn(5, 3, |i, j| values[3 * i + j]));
    let passes = EnclosedPasses::new(&network, &rows);
    let metric = Metric::plain(2);
    let kernel = passes.kernel(&metric, &[Interval::ONE; 5]);
    // By hand: dF_c/dW_1 = (a_cj s_j) x^T, dF_c/dW_2 row c = h.
    let z = |i: usize, j: usize| (0..3).map(|k| network.weights[1][(j, k)] * values[3 * i + k]).sum::<f64>() + 0.1;
    for r in 0..10 {
        for q in 0..10 {
            let (i, c, k, d) = (r / 2, r % 2, q / 2, q % 2);
            let inner = |f: &dyn Fn(usize) -> f64| (0..12).map(f).sum::<f64>();
            let inputs = (0..3).map(|t| values[3 * i + t] * values[3 * k + t]).sum::<f64>() + 1.0;
            let slope = |i: usize, j: usize| 1.0 - z(i, j).tanh().powi(2);
            let first = inner(&|j| network.weights[2][(c, j)] * network.weights[2][(d, j)] * slope(i, j) * slope(k, j));
            let second = if c == d { inner(&|j| z(i, j).tanh() * z(k, j).tanh()) + 1.0 } else { 0.0 };
            assert!((kernel.middle()[(r, q)] - (first * inputs + second)).abs() < 1e-12, "{r} {q}");
        }
    }
    let outputs = network.evaluate(Mat::from_fn(5, 3, |i, j| values[3 * i + j]).as_ref(), faer::Par::Seq);
    let mut targets: Vec<f64> = (0..5).flat_map(|i| [outputs[(0, i)], outputs[(1, i)]]).collect();
    targets.iter_mut().zip(dice.normals(10)).for_each(|(t, e)| *t += 1e-4 * e);
    let problem = |targets: Vec<f64>| Problem::new(&values, 5, 3, targets, Coordinates::Raw);
    match audit(&problem(targets.clone()), &network, &metric, 1e-20) {
        AuditOutcome::Certified(a) => assert!(a.distance >= a.correction.get() && a.convergence.is_some()),
        AuditOutcome::Declined(reasons) => panic!("{reasons:?}"),
    }
    targets.iter_mut().for_each(|t| *t += 10.0);
    assert!(matches!(audit(&problem(targets), &network, &metric, 1e-20), AuditOutcome::Declined(_)));
}

/// What does not fit together is an answer, whatever is missing.
#[test]
fn misfits_are_declined() {
    let network = |outputs: usize| {
        let weights = vec![Mat::zeros(0, 0), Mat::full(3, 2, 0.5), Mat::full(outputs, 3, 0.5)];
        Network { activation: Activation::Tanh, weights, biases: vec![vec![], vec![0.0; 3], vec![0.0; outputs]] }
    };
    let problem = |targets: usize| Problem::new(&[1.0, 2.0, 3.0, 5.0], 2, 2, vec![0.1; targets], Coordinates::Raw);
    let no_bias = Network { biases: vec![vec![], vec![0.0; 3]], ..network(1) };
    let nothing = Network { weights: vec![], biases: vec![], ..network(1) };
    let short = Metric { weights: vec![1.0; 3], biases: vec![1.0; 2] };
    for (case, network, targets, metric) in [
        ("no output", network(0), 0, Metric::plain(2)),
        ("targets", network(1), 3, Metric::plain(2)),
        ("a bias is missing", no_bias, 2, Metric::plain(2)),
        ("no layers", nothing, 2, Metric::plain(2)),
        ("layers of the metric", network(1), 2, Metric::plain(3)),
        ("biases of the metric", network(1), 2, short),
    ] {
        match audit(&problem(targets), &network, &metric, 1e-20) {
            AuditOutcome::Declined(reasons) => assert_eq!(reasons[0].code, "shapes", "{case}"),
            AuditOutcome::Certified(_) => panic!("{case}"),
        }
    }
}

/// One-hot targets, more samples than units: an exact solution has `1^T W_L = 0`, and there K0 is singular.
#[test]
fn targets_of_constant_sum_make_the_kernel_singular_at_every_solution() {
    let (samples, features, units, outputs) = (20, 30, 8, 3);
    let mut dice = Dice::new(12);
    let inputs = dice.normals(samples * features);
    let mut last = Mat::from_fn(outputs, units, |_, _| dice.normal());
    let network = |last: Mat<f64>| Network {
        activation: Activation::Tanh,
        weights: vec![
            Mat::zeros(0, 0),
            Mat::from_fn(units, features, |i, j| ((3 * i + 5 * j) % 11) as f64 / 20.0 - 0.25),
            last,
        ],
        biases: vec![vec![], vec![0.1; units], vec![0.5, 0.25, 0.25]],
    };
    let one_hot: Vec<f64> =
        (0..samples * outputs).map(|k| f64::from(u8::from(k % outputs == (k / outputs) % outputs))).collect();
    let problem = |targets: &[f64]| Problem::new(&inputs, samples, features, targets.to_vec(), Coordinates::Raw);
    let declined =
        |network: &Network, targets: &[f64]| match audit(&problem(targets), network, &Metric::plain(2), 1e-20) {
            AuditOutcome::Declined(reasons) => (reasons[0].code, reasons[0].message.clone()),
            AuditOutcome::Certified(_) => panic!("certified"),
        };
    // Elsewhere the kernel is regular.
    assert_eq!(declined(&network(last.clone()), &one_hot).0, "residual_too_large");
    for k in 0..units {
        last[(2, k)] = -last[(0, k)] - last[(1, k)];
    }
    let (code, message) = declined(&network(last.clone()), &one_hot);
    assert_eq!(code, "singular_kernel");
    assert!(message.contains("the same sum") && message.contains("one network per class"), "{message}");
    let mut others = one_hot;
    others[0] += 0.5;
    assert!(!declined(&network(last), &others).1.contains("the same sum"));
}

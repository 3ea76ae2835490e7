//! Audits: networks polished here are accepted and compared with Newton's method; claims of more are rejected.

use super::builder::{Case, Kind, SLACK, Stream, hex, residual};
use super::network::{Explicit, backward, cholesky, forward, length, scalar, times_transposed, transposed};
use crate::CheckError;
use crate::audit::relative::Relative;
use crate::audit::{integral, kappa, row_space, two_layers};
use crate::ball::ball;
use crate::format::{Audit, Claim, Convergence, Curvature, OrdersBy};
use crate::hex::HexFloat;
use crate::start::Centre;
use gradcert_rigor::{Lower, Upper};
use std::sync::OnceLock;

/// Upper bounds of `N_2, ..., N_K`, the best ones where 0 is stated.
fn derived(by: OrdersBy, stated: &[HexFloat], radius: Upper, centre: &Centre, relative: &Relative) -> Vec<Upper> {
    match by {
        OrdersBy::TwoLayers => two_layers::orders(stated, radius, centre, relative),
        OrdersBy::RowSpace => row_space::orders(stated, radius, centre, relative),
    }
}

/// Where kappa comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    Drift,
    TwoLayers(usize),
    RowSpace,
}

impl Case {
    /// n samples of d features, random parameters and targets, several outputs.
    pub(crate) fn random(seed: u64, n: usize, widths: &[usize], activation: &'static str) -> Case {
        let (d, outputs) = (widths[0], widths[widths.len() - 1]);
        let case = Case::new(seed, n, d, widths.len() - 1, 1, 1.0);
        let mut stream = Stream(seed + 1000);
        let targets = (0..n * outputs).map(|_| 0.5 * stream.normal()).collect();
        Case { widths: widths.to_vec(), activation, targets, ..case }.random_start(seed + 1, 1.0)
    }

    /// Gauss-Newton steps, halved until the residual falls, down to a residual.
    pub(crate) fn polished(mut self, goal: f64) -> Case {
        for _ in 0..200 {
            let net = Explicit::new(&self, &self.plain_centre());
            let zero = vec![0.0; net.parameters()];
            let (rho, j) = net.at(&zero);
            if length(&rho) <= goal {
                break;
            }
            let mut kernel = times_transposed(&j, &j);
            let mean = kernel.iter().enumerate().map(|(i, row)| row[i]).sum::<f64>() / rho.len() as f64;
            (0..rho.len()).for_each(|i| kernel[i][i] += 1e-2 * mean * length(&rho).powi(2).min(1.0));
            let l = cholesky(&kernel);
            let c = backward(&l, &forward(&l, &rho));
            let mut step: Vec<f64> = transposed(&j).iter().map(|column| -scalar(column, &c)).collect();
            while length(&net.at(&step).0) >= length(&rho) && length(&step) > 1e-12 {
                step.iter_mut().for_each(|x| *x *= 0.5);
            }
            self.start = Kind::Tensors(net.moved(&step));
        }
        self
    }

    /// Samples and layers alone.
    fn plain_centre(&self) -> Centre {
        Centre::new(crate::check::merged(self.given(), &self.targets, self.merge).unwrap(), self.layers())
    }

    /// F at w0, in doubles.
    pub(crate) fn plain_centre_with_outputs(&self) -> Vec<f64> {
        let net = Explicit::new(self, &self.plain_centre());
        net.at(&vec![0.0; net.parameters()]).0
    }

    /// With the bounds that are tried first, and singular values found by a few tries: large networks.
    pub(crate) fn quick_audit(&self, by: By, each: bool) -> Audit {
        let Kind::Tensors(all) = &self.start else { panic!("given parameters") };
        let mut centre = self.plain_centre();
        centre.h_tilde[0][centre.root.len()] = centre.gram.largest(&centre.samples.multiplicity).sqrt();
        crate::start::tensors(&mut centre, &all.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (kernel, rows) = (&centre.kernel.base, centre.samples.rows.len());
        let smax = kernel.largest(&centre.samples.rows).sqrt().get() * (1.0 + SLACK);
        let provable = |s: &f64| kernel.at_least(&vec![s * s; rows]);
        let smin = (0..).map(|k| smax * 0.5f64.powi(k)).find(provable).unwrap();
        (centre.smin_start, centre.smax_start) = (Lower::new(smin), Upper::new(smax));
        let relative = Relative::new(&centre).unwrap();
        let correction = relative.length(&centre.rho).get() * (1.0 + 1e-6);
        let radius = Upper::new(1.2 * correction);
        let (orders_by, count) = if by == By::RowSpace { (OrdersBy::RowSpace, 2) } else { (OrdersBy::TwoLayers, 5) };
        let mut stated = vec![hex(1e90); count];
        stated[0] = if each { hex(0.0) } else { stated[0] };
        let orders = derived(orders_by, &stated, radius, &centre, &relative);
        Audit {
            residual: hex(residual(&centre) * (1.0 + SLACK)),
            smin_start: hex(smin),
            smax_start: hex(smax),
            correction: hex(correction),
            curvature: Curvature::Taylor {
                orders_by,
                radius: hex(radius.get()),
                orders: orders.iter().map(|x| hex(x.get() * (1.0 + 1e-6))).collect(),
            },
            distance: hex(1.1 * correction),
            convergence: Convergence::None,
        }
    }

    /// As strong as the checker can prove, less 1e-9; nothing if no distance is found.
    pub(crate) fn audit(&self, by: By, descent: bool) -> Option<Audit> {
        let centre = self.centre();
        let relative = Relative::new(&centre).ok()?;
        let correction = relative.length(&centre.rho).get() * (1.0 + SLACK);
        let mut claim = Audit {
            residual: hex(residual(&centre) * (1.0 + SLACK)),
            smin_start: hex(centre.smin_start.get()),
            smax_start: hex(centre.smax_start.get()),
            correction: hex(correction),
            curvature: Curvature::Drift { radii: vec![], drift: vec![] },
            distance: hex(0.0),
            convergence: Convergence::None,
        };
        let mut reach = 1.2 * correction;
        while claim.distance.get() == 0.0 {
            claim.curvature = curvature(by, reach, &centre, &relative);
            let enough = |t: f64| integral(&Audit { distance: hex(t), ..claim.clone() }) >= correction;
            if enough(reach) {
                let (mut low, mut high) = (0.0, reach);
                for _ in 0..80 {
                    let middle = 0.5 * (low + high);
                    if enough(middle) { high = middle } else { low = middle }
                }
                claim.distance = hex(high * (1.0 + SLACK));
            }
            reach *= 1.5;
            if reach > 1e3 * correction {
                return None;
            }
        }
        if descent {
            let psi = |s: Upper| centre.smin_start * Lower::ONE.minus(kappa(&claim, s.get()));
            claim.convergence = Convergence::Descent(Box::new(self.claim_with(&centre, psi)?));
        }
        Some(claim)
    }
}

pub(super) fn curvature(by: By, reach: f64, centre: &Centre, relative: &Relative) -> Curvature {
    let weaker = |x: Upper| hex((x.get() * (1.0 + SLACK)).max(1e-100));
    let (orders_by, count) = match by {
        By::Drift => {
            let radii: Vec<f64> = (1..=12).map(|j| reach * j as f64 / 12.0 * 1.0001).collect();
            let drift = radii.iter().map(|&s| weaker(ball(centre, Upper::new(s)).drift)).collect();
            return Curvature::Drift { radii: radii.into_iter().map(hex).collect(), drift };
        }
        By::TwoLayers(last) => (OrdersBy::TwoLayers, last - 1),
        By::RowSpace => (OrdersBy::RowSpace, 2),
    };
    let radius = Upper::new(reach * 1.0001);
    let orders = derived(orders_by, &vec![HexFloat::default(); count], radius, centre, relative);
    Curvature::Taylor { orders_by, radius: hex(radius.get()), orders: orders.into_iter().map(weaker).collect() }
}

/// Polished networks with audits, built once; n > d in most.
pub(super) fn cases() -> &'static [(Case, By, Audit)] {
    static CASES: OnceLock<Vec<(Case, By, Audit)>> = OnceLock::new();
    CASES.get_or_init(build)
}

fn build() -> Vec<(Case, By, Audit)> {
    let mut twice = Case { merge: true, ..Case::random(9, 6, &[3, 9, 1], "tanh") };
    let row = twice.values[3..6].to_vec();
    twice.values[12..15].copy_from_slice(&row);
    twice.targets[4] = twice.targets[1];
    let metric =
        Case { weights: vec![0.5, 0.25], biases: vec![0.75, 0.1], ..Case::random(10, 5, &[3, 8, 1], "arctan") };
    let slow = Case {
        weights: vec![0.5, 1.5, 0.3],
        biases: vec![0.7, 0.0, 0.4],
        ..Case::random(11, 4, &[3, 5, 4, 2], "tanh")
    };
    let last_alone = Case { weights: vec![0.0, 1.0], biases: vec![0.0, 1.0], ..Case::random(12, 5, &[2, 8, 1], "erf") };
    let all = vec![
        (Case::random(1, 6, &[2, 8, 1], "tanh"), By::TwoLayers(6), true),
        (Case::random(2, 6, &[3, 8, 1], "softplus"), By::TwoLayers(3), false),
        (Case::random(3, 5, &[2, 7, 1], "erf"), By::TwoLayers(4), false),
        (Case::random(4, 5, &[2, 7, 1], "gelu"), By::TwoLayers(5), false),
        (Case::random(5, 4, &[3, 6, 2], "tanh"), By::RowSpace, true),
        (Case::random(6, 4, &[2, 5, 4, 1], "sigmoid"), By::RowSpace, false),
        (Case::random(7, 4, &[3, 5, 4, 2], "plain-softplus"), By::RowSpace, false),
        (Case::random(8, 5, &[4, 8, 1], "softsign"), By::Drift, true),
        (Case::random(13, 4, &[2, 5, 4, 2], "silu"), By::Drift, false),
        (Case::random(14, 5, &[3, 6, 1], "algebraic"), By::TwoLayers(6), false),
        (Case::random(15, 4, &[2, 6, 1], "smooth-leaky-relu:0.1"), By::RowSpace, false),
        (Case::random(16, 3, &[5, 4, 4, 4, 1], "logistic"), By::RowSpace, false),
        (twice.clone(), By::TwoLayers(5), false),
        (twice, By::RowSpace, true),
        (metric.clone(), By::TwoLayers(6), false),
        (metric, By::RowSpace, false),
        (slow, By::RowSpace, true),
        (last_alone, By::TwoLayers(4), false),
    ];
    // As far from interpolation as is provable: the targets are moved a little.
    let far = |(k, (case, by, descent)): (usize, (Case, By, bool))| {
        let polished = case.polished(1e-9);
        let found = [0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5].into_iter().find_map(|size| {
            let mut stream = Stream(k as u64 + 500);
            let mut moved = polished.clone();
            moved.targets.iter_mut().for_each(|y| *y += size * stream.next());
            if moved.merge {
                moved.targets[4] = moved.targets[1];
            }
            let claim = moved.audit(by, descent)?;
            Some((moved, by, claim))
        });
        found.unwrap_or_else(|| panic!("case {k}: nothing proved"))
    };
    all.into_iter().enumerate().map(far).collect()
}

/// Newton's method in the row space of J(w0): the solution there is within the stated distance, and not much nearer.
fn newton(case: &Case, claim: &Audit) -> f64 {
    let net = Explicit::new(case, &case.centre());
    let (_, first) = net.at(&vec![0.0; net.parameters()]);
    let mut c = vec![0.0; first.len()];
    let position = |c: &[f64]| -> Vec<f64> { transposed(&first).iter().map(|column| scalar(column, c)).collect() };
    let l = cholesky(&times_transposed(&first, &first));
    for _ in 0..200 {
        let (rho, _) = net.at(&position(&c));
        let step = backward(&l, &forward(&l, &rho));
        c.iter_mut().zip(&step).for_each(|(c, s)| *c -= s);
    }
    let u = position(&c);
    assert!(length(&net.at(&u).0) < 1e-12, "no solution found: {claim:?}");
    length(&u)
}

#[test]
fn audits_are_accepted_and_newton_finds_the_solution() {
    for (k, (case, by, claim)) in cases().iter().enumerate() {
        let verdict = case.check(&case.file(Claim::Audit(claim.clone())));
        let report = verdict.unwrap_or_else(|e| panic!("case {k} {by:?}: {e}"));
        let found = newton(case, claim);
        let (correction, distance) = (claim.correction.get(), claim.distance.get());
        println!(
            "case {k} {by:?}: |rho| {:e}, step {correction:e}, solution at {found:e} <= {distance:e}",
            claim.residual
        );
        println!("    {}", report.certificates[0].1.join("\n    "));
        assert!(found <= distance && found >= 0.5 * correction, "case {k}");
    }
}

/// Numbers of an independent implementation in another language, in float64: correction, the bounds that have a reference to
/// agree with, and an upper bound of the third order over smin(J(w0)) by cruder drifts.
fn agrees(case: &Case, s: f64, correction: f64, second: f64, third: f64, orders: &[f64]) {
    let centre = case.centre();
    let relative = Relative::new(&centre).unwrap();
    let radius = Upper::new(s);
    let zeros = |count: usize| vec![HexFloat::default(); count];
    // The builder weakens smin(J(w0)) by 1e-9.
    let close = |x: f64, expected: f64| (x / expected - 1.0).abs() < 1e-8;
    let length = relative.length(&centre.rho).get();
    assert!(close(length, correction), "{length} {correction}");
    let by_row_space = derived(OrdersBy::RowSpace, &zeros(2), radius, &centre, &relative);
    assert!(close(by_row_space[0].get(), second), "{:?} {second}", by_row_space[0]);
    let bound = by_row_space[1].get();
    assert!(bound <= third * (1.0 + 1e-8) && bound > 0.3 * third, "{bound} {third}");
    if !orders.is_empty() {
        let found = derived(OrdersBy::TwoLayers, &zeros(orders.len()), radius, &centre, &relative);
        for (found, &expected) in found.iter().zip(orders) {
            assert!(close(found.get(), expected), "{found:?} {expected}");
        }
    }
}

/// The second sample counts twice.
pub(super) fn with_a_duplicate(mut case: Case) -> Case {
    let (d, outputs) = (case.features, case.widths[case.widths.len() - 1]);
    let (row, targets) = (case.values[d..2 * d].to_vec(), case.targets[outputs..2 * outputs].to_vec());
    case.values.extend(row);
    case.targets.extend(targets);
    Case { samples: case.samples + 1, merge: true, ..case }
}

#[test]
fn orders_of_two_layers_are_those_of_the_reference() {
    let orders = [4.990921975531203, 20.30659224585729, 148.32141828497356, 535.3964952805502, 133850.7993564828];
    let case = Case::random(41, 6, &[2, 8, 1], "tanh");
    agrees(&case, 0.05, 6.190725530590669, 4.133360989704815, 695.5956525569053, &orders);
    let case = with_a_duplicate(Case {
        weights: vec![0.5, 0.25],
        biases: vec![0.75, 0.1],
        ..Case::random(42, 5, &[3, 7, 1], "softplus")
    });
    let orders = [0.825310615825013, 0.6958009910594283, 0.6837645334733212, 8.59168509101456];
    agrees(&case, 0.05, 5.910914282873857, 0.777926577260381, 4.113470205269085, &orders);
    let case = Case { weights: vec![1.0, 2.0], biases: vec![0.0, 1.0], ..Case::random(43, 5, &[3, 9, 1], "logistic") };
    let orders = [2.70150609202994, 6.989232205465395, 138.16467858944753];
    agrees(&case, 0.05, 1.5354460636520169, 3.1067537054274097, 47.84254942325056, &orders);
}

#[test]
fn orders_by_the_row_space_are_those_of_the_reference() {
    let case = Case {
        weights: vec![0.5, 1.5, 0.3],
        biases: vec![0.7, 0.0, 0.4],
        ..Case::random(44, 4, &[3, 5, 4, 2], "tanh")
    };
    agrees(&case, 0.05, 1.7814232019117655, 2.824445645858767, 261.5485651331892, &[]);
    let case = with_a_duplicate(Case::random(45, 4, &[2, 6, 5, 1], "arctan"));
    agrees(&case, 0.02, 0.925389187584982, 2.36947387905261, 378.37305193352705, &[]);
    let mut case = Case {
        weights: vec![1.0, 0.5, 0.25, 1.0],
        biases: vec![1.0, 1.0, 0.5, 0.25],
        merge: true,
        samples: 4,
        ..Case::random(46, 3, &[4, 5, 5, 4, 2], "smooth-leaky-relu:0.1")
    };
    let (row, targets) = (case.values[8..12].to_vec(), case.targets[4..6].to_vec());
    case.values.extend(row);
    case.targets.extend(targets);
    agrees(&case, 0.02, 5.989385435798031, 3.802941221994997, 879.9251997952725, &[]);
}

/// Weaker claims, and the crude correction, are as good.
#[test]
fn weaker_audits_are_accepted() {
    for (case, _, claim) in cases().iter().step_by(3) {
        let weaken: [&dyn Fn(&mut Audit); 4] = [
            &|a| a.convergence = Convergence::None,
            &|a| a.distance = hex(a.distance.get() * 1.0001),
            &|a| {
                a.convergence = Convergence::None;
                a.smax_start = hex(a.smax_start.get() * 2.0);
                a.residual = hex(a.residual.get() * 1.5);
            },
            &|a| {
                if let Curvature::Taylor { orders, .. } = &mut a.curvature {
                    orders.iter_mut().for_each(|x| *x = hex(x.get() * (1.0 + 1e-12)));
                }
            },
        ];
        for (i, change) in weaken.iter().enumerate() {
            let mut changed = claim.clone();
            change(&mut changed);
            let verdict = case.check(&case.file(Claim::Audit(changed)));
            assert!(verdict.is_ok(), "{i}: {verdict:?}");
        }
    }
}

/// Names that only audits know, several outputs, and claims of training do not go together.
#[test]
fn claims_of_training_know_neither_outputs_nor_shifted_activations() {
    let (case, _, claim) = &cases()[0];
    let Convergence::Descent(inner) = &claim.convergence else { panic!("descent") };
    for name in ["sigmoid", "plain-softplus"] {
        let other = Case { activation: name, ..case.clone() };
        let verdict = other.check(&other.file(Claim::Descent(inner.as_ref().clone())));
        assert!(matches!(verdict, Err(CheckError::Malformed(_))), "{verdict:?}");
    }
    let mut file = case.file(Claim::Descent(inner.as_ref().clone()));
    file.certificates[0].network.widths[2] = 2;
    assert!(matches!(case.check(&file), Err(CheckError::Limit { .. })));
}

#[test]
fn what_would_take_hours_is_not_computed() {
    let small = cases()[0].0.centre();
    let relative = Relative::new(&small).unwrap();
    let large = Case::random(2, 1000, &[1, 1000, 1], "tanh").plain_centre();
    let orders = row_space::orders(&[], Upper::ONE, &large, &relative);
    assert_eq!(orders, [Upper::UNKNOWN; 2]);
}

//! The scalar statements (T4), (T5), (T5s) against adversaries that know their hypotheses and use up all they allow.

mod support;

use faer::Mat;
use gradcert::theorem::descent::{Descent, theta_curved, theta_linear};
use gradcert::theorem::envelope::{SpectralEnvelope, contraction_count, target};
use gradcert::theorem::profile::Profile;
use gradcert_rigor::linear::{Eigenpairs, SymmetricBall};
use gradcert_rigor::{Lower, Upper};
use support::Dice;
use support::record::Record;

/// `E tau` and `E (1 - tau)^2` of measures on `[low, high]`: the pairs of atoms at the ends and one inside. Whatever a
/// statement says about a spectrum in `[low, high]` must hold for each.
fn measures(low: f64, high: f64) -> Vec<(f64, f64)> {
    let atoms: Vec<f64> = (0..=20).map(|k| low + (high - low) * f64::from(k) / 20.0).collect();
    let mut found = vec![];
    for &inner in &atoms {
        for &outer in &[low, high] {
            for k in 0..=40 {
                let p = f64::from(k) / 40.0;
                let mean = |f: &dyn Fn(f64) -> f64| (1.0 - p) * f(inner) + p * f(outer);
                found.push((mean(&|t| t), mean(&|t| (1.0 - t).powi(2))));
            }
        }
    }
    found
}

#[test]
fn step_lemma_holds_for_every_spectrum() {
    let mut record = Record::default();
    let mut dice = Dice::new(1);
    for number in 0..1500 {
        let t1 = dice.pick(&[0.3, 0.99, 1.0, 1.01, 1.3, 1.7, 1.9, 1.99]) * dice.uniform(0.99, 1.004);
        let t1 = t1.min(1.999);
        let t0 = t1 * dice.pick(&[1.0, 0.9, 0.5, 0.1, 1e-3]);
        let lambda = dice.pick(&[0.0, 0.01, 0.1, 0.3, 0.5]) * dice.unit();
        let linear = theta_linear(Upper::new(t0), Upper::new(t1)).get();
        let curved = theta_curved(Upper::new(t0), Upper::new(t1), Upper::new(lambda)).get();
        for (mean, square) in measures(t0, t1) {
            // |rho| = 1; Delta has length sqrt(c m), psi Delta at most sqrt(t0 m).
            let lost = 1.0 - square.max(0.0).sqrt();
            let travelled = (t0 * mean).sqrt();
            record.at_most("thL", linear * travelled, lost, 1e-14, number);
            // 0 says that the hypothesis fails, not that nothing is lost.
            if curved > 0.0 {
                record.at_most("thA", curved * travelled + lambda * mean, lost, 1e-14, number);
            }
        }
    }
    record.print("step lemma");
    assert!(record.largest("thL") > 0.999 && record.largest("thA") > 0.99);
}

/// A profile with one cell.
fn one_cell(radius: f64, psi: f64, norm: f64, lipschitz: f64, drift: f64) -> Profile {
    Profile {
        radius: vec![radius],
        psi: vec![Lower::new(psi)],
        norm: vec![Upper::new(norm)],
        lipschitz: vec![Upper::new(lipschitz)],
        drift: vec![Upper::new(drift)],
        integral: vec![Lower::new(radius) * Lower::new(psi)],
    }
}

/// A profile of two cells whose psi falls by the factor `fall` from the first, a tenth of the radius, to the second.
fn two_cells(radius: f64, psi: f64, fall: f64, norm: f64, lipschitz: f64) -> Profile {
    let mut profile = one_cell(radius, psi, norm, lipschitz, 0.0);
    let first = Lower::new(radius * 0.1) * Lower::new(psi * fall);
    profile.radius.insert(0, radius * 0.1);
    profile.psi.insert(0, Lower::new(psi * fall));
    profile.norm.insert(0, Upper::new(norm));
    profile.lipschitz.insert(0, Upper::new(lipschitz));
    profile.drift.insert(0, Upper::ZERO);
    profile.integral = vec![first, first + Lower::new(radius * 0.9) * Lower::new(psi)];
    profile
}

/// What is random in a certified descent with two cells.
struct Draw {
    psi: f64,
    fall: f64,
    norm: f64,
    lipschitz: f64,
    radius: f64,
    n: f64,
    c: f64,
}

impl Draw {
    fn new(dice: &mut Dice) -> Draw {
        let (psi, condition) = (dice.decades(-1.0, 1.0), dice.pick(&[1.05, 1.5, 4.0, 30.0]));
        let fall = 1.0 + (condition - 1.0) * dice.pick(&[0.0, 0.3, 1.0]);
        let (norm, radius) = (psi * condition, dice.decades(-1.0, 1.0));
        let c = dice.pick(&[0.1, 0.5, 1.0, 1.3, 1.7, 1.9, 1.99]) / (norm * norm);
        // lam at |rho| = radius psi.
        let lipschitz = dice.decades(-3.0, 0.5) / (c * radius * psi);
        Draw { psi, fall, norm, lipschitz, radius, n: dice.pick(&[1.0, 3.0, 10.0]), c }
    }

    fn certify(&self, residual: f64) -> Option<Descent> {
        let profile = two_cells(self.radius, self.psi, self.fall, self.norm, self.lipschitz);
        Descent::certify(&profile, Upper::new(residual), self.n, 1, 0.5 * self.c * self.n)
    }

    /// The largest certified residual, by bisection; hypotheses are not monotone in general, so what is returned is
    /// certified, and a little more is not.
    fn largest_residual(&self) -> Option<f64> {
        let (mut low, mut high) = (1e-6 * self.radius * self.psi, 2.0 * self.radius * self.psi * self.fall);
        self.certify(low)?;
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.certify(middle).is_some() { low = middle } else { high = middle }
        }
        Some(low)
    }

    fn spectrum(&self, psi: f64) -> Vec<(f64, f64)> {
        measures(self.c * psi * psi, self.c * self.norm * self.norm)
    }

    fn lambda(&self, residual: f64) -> f64 {
        0.5 * self.c * self.lipschitz * residual
    }
}

/// (T5): the largest `|rho_{k+1}| / |rho_k|` that a spectrum of cK in `[c psi(r)^2, t1]` and a curvature term
/// `lam m |rho|` allow.
#[test]
fn contraction_survives_the_worst_spectrum() {
    let mut record = Record::default();
    let mut dice = Dice::new(2);
    let mut certified = 0;
    for number in 0..1000 {
        let draw = Draw::new(&mut dice);
        let Some(most) = draw.largest_residual() else { continue };
        let residual = most * dice.pick(&[1.0, 0.5, 0.05]);
        let Some(descent) = draw.certify(residual) else { continue };
        certified += 1;
        let goal = target(draw.n, 1e-12);
        let count = contraction_count(&descent, Upper::new(residual), goal, 1_000_000);
        let spectrum = draw.spectrum(draw.psi);
        let (mut u, mut k) = (residual, 0u64);
        while u > goal.get() && k < 2000 {
            let lambda = draw.lambda(u);
            let worst = spectrum.iter().fold(0.0f64, |worst, (mean, square)| worst.max(square.sqrt() + lambda * mean));
            record.at_most("q", worst, descent.factor(Upper::new(u)).get(), 1e-14, number);
            u *= worst;
            k += 1;
        }
        if let (true, Some(count)) = (u <= goal.get(), count) {
            record.at_most("count", k as f64, count as f64, 0.0, number);
        }
    }
    record.print("contraction");
    assert!(certified > 300 && record.largest("q") > 0.9999 && record.largest("count") > 0.99, "{certified}");
}

/// (T4): the adversary walks as far as it can for the residual it gives up, and must not reach the sphere. Within the
/// first cell the spectrum starts at c psi(0)^2, beyond it at c psi(r)^2.
#[test]
fn no_adversary_leaves_the_ball() {
    let mut record = Record::default();
    let mut dice = Dice::new(5);
    for number in 0..700 {
        let draw = Draw::new(&mut dice);
        let Some(residual) = draw.largest_residual() else { continue };
        if draw.certify(residual).is_none() {
            continue;
        }
        let near = draw.spectrum(draw.psi * draw.fall);
        let far = draw.spectrum(draw.psi);
        let (mut rho, mut path) = (residual, 0.0);
        for _ in 0..400 {
            let lambda = draw.lambda(rho);
            let spectrum = if path <= 0.1 * draw.radius { &near } else { &far };
            let lost = |&(mean, square): &(f64, f64)| 1.0 - square.sqrt() - lambda * mean;
            let price = |m: &(f64, f64)| lost(m) / m.0.sqrt();
            let cheapest = spectrum.iter().min_by(|a, b| price(a).total_cmp(&price(b))).unwrap();
            path += (draw.c * cheapest.0).sqrt() * rho;
            rho *= 1.0 - lost(cheapest);
            record.at_most("path of an adversary", path, draw.radius, 1e-12 * draw.radius, number);
            if rho < 1e-9 * residual {
                break;
            }
        }
    }
    record.print("adversary");
    assert!(record.largest("path of an adversary") > 0.98);
}

/// Grouping iterations may only lose, and little.
#[test]
fn grouped_count_is_the_count_of_single_iterations() {
    let mut dice = Dice::new(3);
    for _ in 0..300 {
        let psi = dice.decades(-1.0, 1.0);
        let size = psi * dice.pick(&[1.0, 2.0, 10.0]);
        let residual = psi * dice.uniform(0.05, 0.9);
        let c = dice.pick(&[0.3, 1.0, 1.6]) / (size * size);
        let lipschitz = dice.decades(-4.0, -0.5) / (c * residual);
        let Some(descent) =
            Descent::certify(&one_cell(1.0, psi, size, lipschitz, 0.0), Upper::new(residual), 2.0, 0, c)
        else {
            continue;
        };
        let goal = target(2.0, 1e-14);
        let (mut u, mut single) = (Upper::new(residual), 0u64);
        while u.get() > goal.get() {
            u = descent.factor(u) * u;
            single += 1;
        }
        let grouped = contraction_count(&descent, Upper::new(residual), goal, 1 << 40).unwrap();
        // A factor frozen while u falls by a tenth of a per cent costs at most that part of it.
        assert!(grouped >= single && grouped as f64 <= 1.01 * single as f64 + 2.0, "{grouped} {single}");
    }
}

/// Jacobians that move as far as dJ allows, in the direction that is worst for the residual, for a kernel that is a
/// number: `rho_{k+1} = (1 - c Jbar J_k) rho_k`.
#[test]
fn spectral_envelope_survives_the_worst_jacobians() {
    let mut record = Record::default();
    let mut dice = Dice::new(4);
    for number in 0..600 {
        let start = dice.decades(-1.0, 1.0);
        let drift = start * dice.pick(&[1e-3, 0.03, 0.2, 0.5]);
        let (psi, size) = (start - drift, start + drift);
        let c = dice.pick(&[0.3, 1.0, 1.5, 1.9]) / (size * size);
        let residual = 1.0;
        let profile = one_cell(100.0 / psi, psi, size, 0.0, drift);
        let Some(descent) = Descent::certify(&profile, Upper::new(residual), 1.0, 0, 0.5 * c) else { continue };
        let kernel = SymmetricBall::new(Mat::from_fn(1, 1, |_, _| start * start), Upper::ZERO);
        let pairs = Eigenpairs::new(&kernel).unwrap();
        let modes = [Upper::new(residual)];
        let smax = Upper::new(start);
        for step in [-1.0, 1.0] {
            let mut envelope = SpectralEnvelope::new(
                &descent,
                pairs.values(),
                pairs.defect(),
                &modes,
                Upper::new(residual),
                Upper::new(drift),
                (Lower::new(start), smax),
            );
            let mut rho = residual;
            for _ in 0..60 {
                let moved = start + step * drift;
                rho = ((1.0 - c * moved * moved) * rho).abs();
                envelope.advance();
                record.at_most("T5s scalar", rho, envelope.current().get(), 1e-15, number);
            }
        }
    }
    assert!(record.largest("T5s scalar") > 0.999);
    // Contraction alone explains the scalar case; with two directions and a residual in the fast one only (T5s) can.
    for number in 0..400 {
        two_directions(&mut dice, &mut record, number);
    }
    record.print("spectral envelope");
}

/// J0 = diag(slow, fast), the residual in the fast direction, J_k = J0 + E with |E| <= dJ turning the residual into the
/// slow direction.
fn two_directions(dice: &mut Dice, record: &mut Record, number: u64) {
    let (fast, slow) = (1.0, dice.pick(&[0.05, 0.1, 0.3]));
    let drift = slow * dice.pick(&[1e-3, 0.03, 0.3]);
    let (psi, size) = (slow - drift, fast + drift);
    let c = dice.pick(&[0.5, 1.0, 1.5]) / (size * size);
    let profile = one_cell(1e3, psi, size, 0.0, drift);
    let Some(descent) = Descent::certify(&profile, Upper::ONE, 1.0, 0, 0.5 * c) else { return };
    let diagonal = [slow * slow, fast * fast];
    let kernel = SymmetricBall::new(Mat::from_fn(2, 2, |i, j| if i == j { diagonal[i] } else { 0.0 }), Upper::ZERO);
    let pairs = Eigenpairs::new(&kernel).unwrap();
    let modes: Vec<Upper> =
        pairs.values().iter().map(|&v| if v > 0.5 { Upper::ONE } else { Upper::new(1e-12) }).collect();
    let mut envelope = SpectralEnvelope::new(
        &descent,
        pairs.values(),
        pairs.defect(),
        &modes,
        Upper::ONE,
        Upper::new(drift),
        (Lower::new(slow), Upper::new(fast)),
    );
    let (mut slow_part, mut fast_part) = (0.0f64, 1.0f64);
    let turn = dice.pick(&[-1.0, 1.0]);
    for _ in 0..200 {
        // Jbar = J_k = J0 + E, E = dJ turn e_slow e_fast^T: J J^T rho.
        let e = drift * turn;
        let inner = [slow * slow_part, e * slow_part + fast * fast_part];
        let next_slow = slow_part - c * (slow * inner[0] + e * inner[1]);
        fast_part -= c * fast * inner[1];
        slow_part = next_slow;
        envelope.advance();
        record.at_most("T5s plane", slow_part.hypot(fast_part), envelope.current().get(), 1e-11, number);
    }
}

/// Counting in blocks may only lose, and little: never fewer iterations than one by one.
#[test]
fn spectral_count_in_blocks_is_the_count_of_single_iterations() {
    let mut dice = Dice::new(6);
    let mut long = 0;
    for _ in 0..60 {
        let (size, slow) = (1.0, dice.pick(&[0.02, 0.05, 0.3, 0.9]));
        let drift = slow * dice.pick(&[0.0, 1e-4, 0.01, 0.2]);
        let c = dice.pick(&[0.1, 1.0, 1.9]) / f64::powi(size + drift, 2);
        let profile = one_cell(1e4, slow - drift, size + drift, 0.0, drift);
        let Some(descent) = Descent::certify(&profile, Upper::ONE, 1.0, 0, 0.5 * c) else { continue };
        let values: Vec<f64> =
            (0..6).map(|i| if i == 0 { slow * slow } else { dice.uniform(slow * slow, 1.0) }).collect();
        let modes: Vec<Upper> = (0..6).map(|_| Upper::new(dice.decades(-6.0, -0.5))).collect();
        let envelope = SpectralEnvelope::new(
            &descent,
            &values,
            Upper::ZERO,
            &modes,
            Upper::ONE,
            Upper::new(drift),
            (Lower::new(slow), Upper::new(size)),
        );
        let goal = target(1.0, 1e-20);
        let (mut single, mut walk) = (0u64, envelope.clone());
        while walk.current().get() > goal.get() {
            walk.advance();
            single += 1;
        }
        let rough = envelope.clone().rough_count(goal, 1 << 40).unwrap();
        assert!(rough >= single && rough as f64 <= 1.002 * single as f64 + 1.0, "{rough} {single}");
        assert_eq!(envelope.clone().count(goal, 1 << 40), Some(single));
        // A limit is obeyed, and reached where it suffices.
        assert_eq!(envelope.clone().rough_count(goal, single - 1), None);
        assert_eq!(envelope.rough_count(goal, rough), Some(rough));
        long += u64::from(single > 5000);
    }
    assert!(long > 5, "only {long} long runs");
}

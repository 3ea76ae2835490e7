//! The search for the radius and the step with the fewest certified iterations.
//!
//! Where to look is decided by rough counts; what is found is certified by the statements themselves.

use crate::theorem::descent::Descent;
use crate::theorem::envelope::{SpectralEnvelope, contraction_count, rough_contraction_count, with_reserve};
use crate::theorem::profile::Profile;
use gradcert_certificate::format::Envelope;
use gradcert_rigor::linear::{Eigenpairs, SymmetricBall};
use gradcert_rigor::{Interval, Lower, Upper};

/// A certified descent with its number of iterations.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Radius and step.
    pub descent: Descent,
    /// Certified iterations to the tolerance.
    pub iterations: u64,
    /// The envelope that gives them.
    pub envelope: Envelope,
}

/// The residual at the start, and when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// `|rho(w0)|`.
    pub residual: Upper,
    /// n, duplicates counted.
    pub n: f64,
    /// The residual at which S is at most the tolerance.
    pub target: Lower,
    /// More iterations than this are no certificate.
    pub limit: u64,
}

/// Values of t1 = c sJ^2 that are tried; the last lie close to the limit 2 of stability.
const T1: [f64; 19] =
    [0.02, 0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.85, 1.9, 1.95, 1.98];

/// Radii that are tried.
const RADII: usize = 16;

/// Certified descents with rough numbers of iterations, the fewest first; infinite where doubles cannot tell the factor of
/// (T5) from 1. Where none of the usual steps is certified (close to the limit of the flow only small steps are) smaller
/// ones are tried.
pub fn candidates(profile: &Profile, goal: &Goal) -> Vec<(Descent, f64)> {
    let Some(first) = profile.flow_index(goal.residual) else { return vec![] };
    let indices = indices(profile, first);
    let mut scale = 1.0;
    while scale > 1e-9 {
        let mut found = vec![];
        for &j in &indices {
            // The step that balances |1 - b| and |1 - t1|.
            let balanced = 2.0 / (1.0 + (profile.psi[j].get() / profile.norm[j].get()).powi(2));
            for t1 in T1.into_iter().chain([balanced]) {
                found.extend(at(profile, goal, j, scale * t1));
            }
        }
        if !found.is_empty() {
            found.sort_by(|a, b| a.1.total_cmp(&b.1));
            return found;
        }
        scale *= 0.02;
    }
    vec![]
}

/// The descent at radius j with t1 = c sJ^2, and its rough count, if it is certified.
fn at(profile: &Profile, goal: &Goal, j: usize, t1: f64) -> Option<(Descent, f64)> {
    let c = t1 / profile.norm[j].get().powi(2);
    let descent = Descent::certify(profile, goal.residual, goal.n, j, 0.5 * c * goal.n)?;
    Some((descent, rough_count(&descent, goal)))
}

/// Indices from the first certified radius of the flow on, at most [`RADII`], denser at the beginning.
fn indices(profile: &Profile, first: usize) -> Vec<usize> {
    let last = profile.radius.len() - 1;
    let span = (last - first) as f64;
    let mut indices: Vec<usize> =
        (0..RADII).map(|k| first + (span * (k as f64 / (RADII - 1) as f64).powi(2)).round() as usize).collect();
    indices.dedup();
    indices
}

/// (T5) with q taken as constant while u halves: to compare candidates, not to certify.
fn rough_count(descent: &Descent, goal: &Goal) -> f64 {
    let (mut u, mut count) = (goal.residual.get(), 0.0);
    let target = goal.target.get();
    let factor = |u: f64| descent.factor(Upper::new(u)).get();
    let last = factor(target);
    while u > target {
        let now = factor(u);
        if 1.0 - now >= 0.999 * (1.0 - last) {
            // Curvature no longer matters: the rest is one block.
            return if last < 1.0 { count + (target / u).ln() / last.max(1e-300).ln() } else { f64::INFINITY };
        }
        let next = (0.5 * u).max(target);
        let q = (now * factor(next)).sqrt();
        if q >= 1.0 {
            return f64::INFINITY;
        }
        if q < 0.6 {
            // A step is longer than a block.
            let q = now.max(1e-300);
            count += if q * u < target { (target / u).ln() / q.ln() } else { 1.0 };
            u *= q;
        } else {
            count += (next / u).ln() / q.ln();
            u = next;
        }
    }
    count
}

/// How exactly iterations are counted. Either way the number is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// To compare scales, metrics, radii and steps: up to a per cent more than the other.
    Compare,
    /// For the certificate.
    Certify,
}

impl Effort {
    /// Radii of a profile, but for those around the radius of lazy training.
    pub fn cells(self) -> usize {
        match self {
            Effort::Compare => 32,
            Effort::Certify => 160,
        }
    }
}

/// The fewest iterations by (T5) alone among the best candidates.
pub fn by_contraction(found: &[(Descent, f64)], goal: &Goal, effort: Effort) -> Option<Found> {
    let (residual, target, limit) = (goal.residual, goal.target, goal.limit);
    let rough = |d: &Descent| rough_contraction_count(d, residual, target, limit.saturating_add(limit / 50));
    let counted = found.iter().take(4).filter_map(|(descent, _)| Some((rough(descent)?, *descent)));
    let (iterations, descent) = counted.min_by_key(|(count, _)| *count)?;
    let exact = match effort {
        Effort::Compare => iterations,
        Effort::Certify => {
            contraction_count(&descent, residual, target, limit).map_or(iterations, |k| k.min(iterations))
        }
    };
    let iterations = with_reserve(exact);
    (iterations <= limit).then_some(Found { descent, iterations, envelope: Envelope::Contraction })
}

/// What (T5s) needs to know at w0.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// Approximate eigenvalues of the tangent kernel, ascending.
    values: Vec<f64>,
    /// `|K0 - Q diag(values) Q^T|` for an exactly orthogonal Q.
    defect: Upper,
    /// `|q_i.rho(w0)|`, from above.
    modes: Vec<Upper>,
    /// `smin(J(w0))` from below, `|J(w0)|` from above.
    extremes: (Lower, Upper),
}

impl Spectrum {
    /// From the tangent kernel and the weighted residual at w0; `extremes` bound the singular values of `J(w0)`.
    ///
    /// The exact orthogonal Q differs from the computed vectors by at most `orthogonality`, so each coefficient of
    /// rho by at most that times |rho|.
    pub fn new(kernel: &SymmetricBall, residual: &[Interval], extremes: (Lower, Upper)) -> Option<Spectrum> {
        let pairs = Eigenpairs::new(kernel)?;
        let norm = Upper::norm(residual.iter().map(|r| r.magnitude()));
        let error = pairs.orthogonality() * norm;
        let vectors = pairs.vectors();
        let modes = (0..vectors.ncols())
            .map(|j| {
                let column = residual.iter().enumerate();
                let dot = column.fold(Interval::ZERO, |sum, (i, &r)| sum + Interval::exact(vectors[(i, j)]) * r);
                dot.magnitude() + error
            })
            .collect();
        Some(Spectrum { values: pairs.values().to_vec(), defect: pairs.defect(), modes, extremes })
    }

    /// The spectrum of a kernel that is about `factor` times this one. A guess that serves to compare scales; nothing is
    /// certified with it.
    pub fn guess_scaled(&self, factor: f64, extremes: (Lower, Upper)) -> Spectrum {
        Spectrum {
            values: self.values.iter().map(|v| v * factor).collect(),
            defect: self.defect * Upper::new(factor),
            modes: self.modes.clone(),
            extremes,
        }
    }

    /// Approximate eigenvalues of the tangent kernel, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// `|q_i.rho(w0)|`, from above, in the order of the eigenvalues.
    pub fn modes(&self) -> &[Upper] {
        &self.modes
    }

    /// The largest eigenvalue, from below: within the defect of the computed one.
    pub fn largest_eigenvalue(&self) -> Lower {
        Lower::new(self.values.last().copied().unwrap_or(0.0)).minus(self.defect)
    }

    /// (T5s) along one descent.
    pub fn envelope<'a>(&self, descent: &'a Descent, profile: &Profile, residual: Upper) -> SpectralEnvelope<'a> {
        let drift = profile.drift[descent.index];
        SpectralEnvelope::new(descent, &self.values, self.defect, &self.modes, residual, drift, self.extremes)
    }
}

/// A count by (T5s) may cost this many updates of modes when it is made one iteration at a time: who checks it has no
/// eigenvalues and needs n^2 operations for each iteration. Longer runs are left to (T5).
const SPECTRAL_WORK: u64 = 50_000_000;

/// The fewest iterations by (T5s), at most `goal.limit`: at the smallest certified radius of every step size that was
/// tried and at the best by (T5), then with neighbouring steps of the best.
pub fn by_spectrum(
    profile: &Profile,
    found: &[(Descent, f64)],
    spectrum: &Spectrum,
    goal: &Goal,
    effort: Effort,
) -> Option<Found> {
    let affordable = goal.limit.min(SPECTRAL_WORK / (spectrum.modes.len() as u64 + 1));
    if found.first()?.1 > 20.0 * affordable as f64 {
        return None;
    }
    let mut best: Option<(u64, Descent)> = None;
    let consider = |descent: &Descent, best: &mut Option<(u64, Descent)>| {
        // Whatever needs as many iterations as the best so far may stop there.
        let limit = best.map_or(affordable, |(count, _)| count.saturating_sub(1));
        let envelope = spectrum.envelope(descent, profile, goal.residual);
        if let Some(count) = envelope.rough_count(goal.target, limit) {
            *best = Some((count, *descent));
        }
    };
    for descent in worth_a_spectral_count(found) {
        consider(&descent, &mut best);
    }
    let mut width = 0.05;
    while let Some((count, centre)) = best.filter(|_| width > 0.004) {
        for sign in [-1.0, 1.0] {
            let c = 2.0 * centre.step_size / goal.n;
            let t1 = c * centre.norm().get().powi(2) * (1.0 + sign * width);
            if let Some((descent, _)) = at(profile, goal, centre.index, t1) {
                consider(&descent, &mut best);
            }
        }
        if best.is_some_and(|(better, _)| better == count) {
            width /= 2.0;
        }
    }
    let (rough, descent) = best?;
    let exact = match effort {
        Effort::Compare => rough,
        Effort::Certify => {
            spectrum.envelope(&descent, profile, goal.residual).count(goal.target, rough).unwrap_or(rough)
        }
    };
    let iterations = with_reserve(exact);
    (iterations <= goal.limit).then_some(Found { descent, iterations, envelope: Envelope::Spectral })
}

/// Few candidates get a spectral count: the two best by (T5), and for every value of t1 the smallest radius, unless (T5)
/// needs four times as many iterations as at the best.
fn worth_a_spectral_count(found: &[(Descent, f64)]) -> Vec<Descent> {
    let Some((_, fewest)) = found.first() else { return vec![] };
    let mut chosen: Vec<Descent> = found.iter().take(2).map(|(d, _)| *d).collect();
    let mut smallest: std::collections::BTreeMap<u64, Descent> = std::collections::BTreeMap::new();
    for (descent, _) in found.iter().filter(|(_, rough)| *rough <= 4.0 * fewest + 4.0) {
        // Equal up to rounding.
        let key = (descent.t1.get() * 1e4).round() as u64;
        let entry = smallest.entry(key).or_insert(*descent);
        if descent.index < entry.index {
            *entry = *descent;
        }
    }
    // Larger steps first: nearly lazy training is fastest close to the limit of stability.
    chosen.extend(smallest.into_values().rev());
    chosen
}

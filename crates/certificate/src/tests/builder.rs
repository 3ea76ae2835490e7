//! Builds certificates whose numbers are as strong as the checker can prove, less 1e-9.

use crate::activation::Activation;
use crate::ball::{ball, lipschitz};
use crate::check::{Inputs, Problem, Report, check, coordinates, merged};
use crate::descent::Step;
use crate::format::{self, Claim, Data, Descent, Envelope, File, Form, Metric, Network, Start};
use crate::hex::HexFloat;
use crate::matrix::Symmetric;
use crate::pairs::Pair;
use crate::start::{Centre, Layers, positive, tensors};
use crate::{CheckError, descent, hash, multiplicative};
use gradcert_rigor::elementary::constants;
use gradcert_rigor::{Interval, Lower, Upper};

pub(crate) const SLACK: f64 = 1e-9;

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) samples: usize,
    pub(crate) features: usize,
    pub(crate) values: Vec<f64>,
    pub(crate) targets: Vec<f64>,
    pub(crate) widths: Vec<usize>,
    pub(crate) activation: &'static str,
    pub(crate) inputs: format::Inputs,
    pub(crate) start: Kind,
    pub(crate) weights: Vec<f64>,
    pub(crate) biases: Vec<f64>,
    pub(crate) merge: bool,
    pub(crate) form: Form,
    pub(crate) envelope: Envelope,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Positive { hidden: Vec<f64>, output: f64 },
    Tensors(Vec<Vec<f64>>),
}

/// A deterministic stream of numbers, uniform in (-1, 1).
pub(crate) struct Stream(pub(crate) u64);

impl Stream {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// About normal.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| 0.5 * self.next()).sum()
    }
}

pub(crate) fn hex(x: f64) -> HexFloat {
    HexFloat::new(x).unwrap()
}

impl Case {
    /// n samples of d features, depth L, hidden width w.
    pub(crate) fn new(seed: u64, n: usize, d: usize, layers: usize, width: usize, output: f64) -> Case {
        let mut stream = Stream(seed);
        let values = (0..n * d).map(|_| stream.normal()).collect();
        let targets = (0..n).map(|_| stream.normal()).collect();
        let mut widths = vec![width; layers + 1];
        (widths[0], widths[layers]) = (d, 1);
        Case {
            samples: n,
            features: d,
            values,
            targets,
            widths,
            activation: "smooth-leaky-relu:0.1",
            inputs: format::Inputs::Raw,
            start: Kind::Positive { hidden: vec![4.0 / width as f64; layers - 2], output },
            weights: vec![1.0; layers],
            biases: vec![1.0; layers],
            merge: false,
            form: Form::First,
            envelope: Envelope::Contraction,
        }
    }

    pub(crate) fn whitened(mut self) -> Case {
        self.inputs = format::Inputs::Whitened;
        self.widths[0] = self.samples;
        self.biases = vec![0.0; self.biases.len()];
        self
    }

    pub(crate) fn random_start(mut self, seed: u64, scale: f64) -> Case {
        let mut stream = Stream(seed);
        let mut all = Vec::new();
        for w in self.widths.windows(2) {
            all.push((0..w[0] * w[1]).map(|_| scale * stream.normal() / (w[0] as f64).sqrt()).collect());
            all.push((0..w[1]).map(|_| 0.1 * stream.next()).collect());
        }
        if self.inputs != format::Inputs::Raw {
            all[1] = Vec::new();
        }
        self.start = Kind::Tensors(all);
        self
    }

    pub(crate) fn layers(&self) -> Layers {
        let with_first = |x: &[f64]| std::iter::once(0.0).chain(x.iter().copied()).collect();
        let (name, shift) = match self.activation {
            "sigmoid" => ("logistic", Interval::exact(0.5)),
            "plain-softplus" => ("softplus", constants::LN_2),
            name => (name, Interval::ZERO),
        };
        Layers {
            activation: Activation::parse(name).unwrap(),
            shift,
            widths: self.widths.clone(),
            weights: with_first(&self.weights),
            biases: with_first(&self.biases),
        }
    }

    pub(crate) fn given(&self) -> Inputs<'_> {
        Inputs { values: &self.values, samples: self.samples, features: self.features }
    }

    /// Samples and centre with verified singular values, weaker than the truth by about `SLACK`.
    pub(crate) fn centre(&self) -> Centre {
        let layers = self.layers();
        let samples =
            coordinates(merged(self.given(), &self.targets, self.merge).unwrap(), self.inputs, &layers).unwrap();
        let (m, rows) = (samples.multiplicity.clone(), samples.rows.clone());
        let mut centre = Centre::new(samples, layers);
        centre.smin_inputs = Lower::new(smallest(&centre.gram, &m));
        centre.h_tilde[0][m.len()] = Upper::new(centre.gram.largest(&m).sqrt().get() * (1.0 + SLACK));
        match &self.start {
            Kind::Positive { hidden, output } => {
                positive(&mut centre, [0.0, 0.0].iter().chain(hidden).chain([output]).copied().collect());
            }
            Kind::Tensors(all) => tensors(&mut centre, &all.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        }
        let kernel = &centre.kernel;
        let low = kernel.base.combined(Pair::exact(1.0), Pair::exact(kernel.shift.lo().max(0.0)));
        centre.smin_start = Lower::new(smallest(&low, &rows) * kernel.scale.lo().sqrt() * (1.0 - 1e-12));
        let high = kernel.base.combined(Pair::exact(1.0), Pair::exact(kernel.shift.hi()));
        centre.smax_start = Upper::new(high.largest(&rows).sqrt().get() * kernel.scale.hi().sqrt() * (1.0 + SLACK));
        centre
    }

    pub(crate) fn claim(&self) -> Option<Descent> {
        let centre = self.centre();
        self.claim_with(&centre, |s| multiplicative::psi(&centre, s))
    }

    /// With one more lower bound of smin(J) on balls.
    pub(crate) fn claim_with(&self, centre: &Centre, also: impl Fn(Upper) -> Lower) -> Option<Descent> {
        let samples = &centre.samples;
        // psi, |J|, Lipschitz constant, drift.
        let bounds = |s: f64| -> [f64; 4] {
            let s = Upper::new(s);
            let b = ball(centre, s);
            [b.psi.max(also(s)).get(), b.norm.get(), lipschitz(centre, s).get(), b.drift.get()]
        };
        let mut end = 1e-9;
        while bounds(end)[0] > 0.0 && end < 1e6 {
            end *= 2.0;
        }
        let residual = residual(centre) * (1.0 + SLACK);
        end = end.min(400.0 * residual / bounds(1e-9)[0]);
        let cells = 40;
        let radii: Vec<f64> = (1..=cells).map(|j| end * (j as f64 / cells as f64).powi(2)).collect();
        let table: Vec<[f64; 4]> = radii.iter().map(|&r| bounds(r)).collect();
        let mut psi: Vec<f64> = table.iter().map(|t| t[0] * (1.0 - SLACK)).collect();
        for j in (0..cells - 1).rev() {
            psi[j] = psi[j].max(psi[j + 1]);
        }
        for t1 in [1.9, 1.5, 1.0, 0.5, 0.1, 0.01, 1e-3] {
            for j in 0..cells {
                if psi[j] < 1e-90 {
                    break;
                }
                let [_, norm, lipschitz, drift] = table[j].map(|x| x * (1.0 + SLACK));
                let mut claim = Descent {
                    step_size: hex(0.5 * samples.count as f64 * t1 / (norm * norm)),
                    radius: hex(radii[j]),
                    tolerance: hex(1e-20),
                    iterations: 0,
                    rate: hex(0.0),
                    form: self.form,
                    envelope: self.envelope,
                    theta: hex(1.0),
                    residual: hex(residual),
                    smin_inputs: hex(centre.smin_inputs.get()),
                    smax_inputs: hex(centre.h_tilde[0][samples.multiplicity.len()].get()),
                    smin_start: hex(centre.smin_start.get()),
                    smax_start: hex(centre.smax_start.get()),
                    radii: radii[..=j].iter().map(|&r| hex(r)).collect(),
                    psi: psi[..=j].iter().map(|&p| hex(p)).collect(),
                    jacobian_norm: hex(norm),
                    jacobian_lipschitz: hex(lipschitz),
                    jacobian_drift: hex(drift),
                };
                claim.theta = hex(Step::new(&claim, samples.count).theta() * (1.0 - SLACK));
                let q = Step::new(&claim, samples.count).factor(residual);
                claim.rate = hex(((1.0 - q * q) * (1.0 - SLACK)).max(0.0));
                let valid = |n: u64| {
                    let claim = Descent { iterations: n, ..claim.clone() };
                    descent::verify(&claim, centre).is_ok()
                };
                if valid(3_000_000) {
                    let (mut low, mut high) = (0, 3_000_000);
                    while high - low > 1 {
                        let middle = (low + high) / 2;
                        if valid(middle) { high = middle } else { low = middle }
                    }
                    return Some(Descent { iterations: high, ..claim });
                }
            }
        }
        None
    }

    pub(crate) fn file(&self, claim: Claim) -> File {
        let start = match &self.start {
            Kind::Positive { hidden, output } => {
                Start::Positive { hidden: hidden.iter().map(|&x| hex(x)).collect(), output: hex(*output) }
            }
            Kind::Tensors(all) => {
                Start::Tensors { sha256: hash::parameters(&self.widths, all.iter().map(Vec::as_slice)) }
            }
        };
        let list = |x: &[f64]| x.iter().map(|&x| hex(x)).collect();
        File {
            format: format::FORMAT.into(),
            version: format::VERSION,
            producer: "tests".into(),
            data: Data {
                samples: self.samples,
                features: self.features,
                inputs_sha256: hash::inputs(&self.values, self.samples, self.features),
                merge_duplicates: self.merge,
            },
            certificates: vec![format::Certificate {
                problem: "y".into(),
                targets_sha256: hash::targets(&self.targets),
                network: Network {
                    widths: self.widths.clone(),
                    activation: self.activation.into(),
                    inputs: self.inputs,
                },
                start,
                metric: Metric { weights: list(&self.weights), biases: list(&self.biases) },
                claim,
                assumptions: vec!["exact arithmetic".into()],
                limits: vec![],
            }],
        }
    }

    pub(crate) fn check(&self, file: &File) -> Result<Report, CheckError> {
        self.check_bytes(&serde_json::to_vec(file).unwrap())
    }

    pub(crate) fn check_bytes(&self, bytes: &[u8]) -> Result<Report, CheckError> {
        let parts: Option<Vec<&[f64]>> = match &self.start {
            Kind::Positive { .. } => None,
            Kind::Tensors(all) => Some(all.iter().map(Vec::as_slice).collect()),
        };
        check(bytes, self.given(), &[Problem { name: "y", targets: &self.targets, start: parts.as_deref() }])
    }
}

/// `|rho(w0)|` in doubles.
pub(crate) fn residual(centre: &Centre) -> f64 {
    let square = |(x, m): (&Interval, &f64)| m * x.magnitude().get().powi(2);
    centre.rho.iter().zip(&centre.samples.rows).map(square).sum::<f64>().sqrt()
}

/// The largest provable s with `A >= diag(s^2 / m)`, less `SLACK`.
pub(crate) fn smallest(a: &Symmetric, m: &[f64]) -> f64 {
    let proved = |s: f64| a.at_least(&m.iter().map(|m| s * s / m * (1.0 + 1e-15)).collect::<Vec<_>>());
    let (mut low, mut high) = (0.0, a.trace().get().sqrt() * m.iter().fold(1.0, |x: f64, &y| x.max(y)).sqrt());
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if proved(middle) { low = middle } else { high = middle }
    }
    low * (1.0 - SLACK)
}

/// Descent in doubles on the network of a case, for comparison: losses S(w_k).
pub(crate) fn run(case: &Case, step: f64, iterations: usize) -> Vec<f64> {
    let layers = case.layers();
    let (f, last, widths) = (layers.activation, layers.count(), &case.widths);
    let samples = coordinates(merged(case.given(), &case.targets, false).unwrap(), case.inputs, &layers).unwrap();
    let n = case.samples;
    let row = |i: usize| -> Vec<f64> {
        match &samples.inputs {
            Some(x) => x.row(i).to_vec(),
            None => (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect(),
        }
    };
    let mut all: Vec<Vec<f64>> = match &case.start {
        Kind::Tensors(all) => all.clone(),
        Kind::Positive { hidden, output } => (1..=last)
            .flat_map(|l| {
                let x = if l == 1 {
                    0.0
                } else if l == last {
                    *output
                } else {
                    hidden[l - 2]
                };
                [vec![x; widths[l] * widths[l - 1]], vec![0.0; widths[l]]]
            })
            .collect(),
    };
    if all[1].is_empty() {
        all[1] = vec![0.0; widths[1]];
    }
    let mut losses = Vec::new();
    for _ in 0..=iterations {
        let mut gradient: Vec<Vec<f64>> = all.iter().map(|t| vec![0.0; t.len()]).collect();
        let mut loss = 0.0;
        for i in 0..n {
            let (mut h, mut z) = (vec![row(i)], vec![Vec::new()]);
            for l in 1..=last {
                let w = &all[2 * l - 2];
                let out: Vec<f64> = (0..widths[l])
                    .map(|j| {
                        all[2 * l - 1][j]
                            + (0..widths[l - 1]).map(|k| w[j * widths[l - 1] + k] * h[l - 1][k]).sum::<f64>()
                    })
                    .collect();
                h.push(out.iter().map(|&t| if l < last { f.at(t)[0].middle() } else { t }).collect());
                z.push(out);
            }
            let rho = h[last][0] - case.targets[i];
            loss += rho * rho / n as f64;
            let mut g = vec![2.0 * rho / n as f64];
            for l in (1..=last).rev() {
                let width = widths[l - 1];
                for j in 0..widths[l] {
                    for k in 0..width {
                        gradient[2 * l - 2][j * width + k] += g[j] * h[l - 1][k];
                    }
                    gradient[2 * l - 1][j] += g[j];
                }
                if l > 1 {
                    let w = &all[2 * l - 2];
                    g = (0..width)
                        .map(|k| {
                            (0..widths[l]).map(|j| g[j] * w[j * width + k]).sum::<f64>() * f.at(z[l - 1][k])[1].middle()
                        })
                        .collect();
                }
            }
        }
        losses.push(loss);
        for l in 1..=last {
            let (w, b) = (case.weights[l - 1].powi(2) * step, case.biases[l - 1].powi(2) * step);
            let update = |x: &mut Vec<f64>, g: &[f64], s: f64| x.iter_mut().zip(g).for_each(|(x, g)| *x -= s * g);
            update(&mut all[2 * l - 2], &gradient[2 * l - 2], w);
            update(&mut all[2 * l - 1], &gradient[2 * l - 1], b);
        }
    }
    losses
}

//! Reports with invented numbers, for the example and the tests. Losses come from a linear model with the kernel's
//! eigenvalues, so the curves have the right shape; nothing here is a proof.

use gradcert_report::*;

const TOLERANCE: f64 = 1e-20;

/// Three classes of a small expression array, all certified, trained, checked and tested.
pub(crate) fn several_classes() -> Report {
    let problems = ["BL", "EWS", "NB"].into_iter().zip([0.8, 1.0, 1.3]).map(|(name, scale)| certified(name, scale));
    Report { problems: problems.collect(), ..base("Khan SRBCT: training with a certificate") }
}

/// One certified problem, whitened, with a third layer.
pub(crate) fn one_certified() -> Report {
    let problem = Problem { coordinates: Coordinates::Whitened { bias: true }, ..certified("regression", 1.0) };
    let evaluations = vec![Evaluation {
        set: "training".to_string(),
        labels: Vec::new(),
        figures: vec![NamedValue { name: "root mean squared error".to_string(), value: 7.3e-11 }],
    }];
    Report { problems: vec![problem], evaluations, ..base("Expression array: training with a certificate") }
}

/// One declined problem: psi falls to 0 before its integral reaches what is needed.
pub(crate) fn one_declined() -> Report {
    let reasons = vec![
        Reason {
            code: "integral-too-small".to_string(),
            message: "The integral of psi is at most 1.41 but |rho(w0)| = 7.94 is needed.".to_string(),
            remedy: Some(
                "Whiten the inputs (--whiten), or let the later layers be slower (--layer-steps auto).".into(),
            ),
        },
        Reason {
            code: "ill-conditioned-inputs".to_string(),
            message: "The smallest singular value of the inputs is 2 × 10⁻⁷ of the largest.".to_string(),
            remedy: None,
        },
    ];
    let mut problem = certified("regression", 1.0);
    problem.outcome = Outcome::Declined(reasons);
    problem.derivation.truncate(4);
    problem.chain.clear();
    problem.stages.clear();
    problem.training = None;
    problem.audit = None;
    problem.profile = Some(RadiusProfile { needed: 7.94, available: 1.41, ..profile(0.35) });
    Report { problems: vec![problem], check: None, evaluations: Vec::new(), ..base("Coffee spectra: declined") }
}

fn base(title: &str) -> Report {
    Report {
        title: title.to_string(),
        producer: "gradcert 0.1.0".to_string(),
        command: "gradcert train --data khan.csv --target class --depth 3 --width 10 --layer-steps auto --out run"
            .to_string(),
        data: data(),
        problems: Vec::new(),
        check: Some(check()),
        evaluations: vec![evaluation("training", [8, 23, 12], [8, 23, 12]), evaluation("test", [3, 6, 6], [3, 6, 5])],
    }
}

fn data() -> Data {
    let warning = "Centring makes the rows dependent; the bias coordinate restores full rank.";
    Data {
        name: "Khan SRBCT".to_string(),
        source: "data/khan.csv, BSD licence".to_string(),
        samples: 45,
        features: 2308,
        target: "3 classes (BL, EWS, NB), one against the rest".to_string(),
        findings: vec![
            finding(Severity::Note, "duplicates-merged", "Two rows occur twice and are counted with multiplicity."),
            finding(Severity::Warning, "centred", warning),
        ],
        inputs_hash: "9f2c7d0e5b1a48c3aa60f7d1c2b3e4958677a0b1c2d3e4f5061728394a5b6c7d".to_string(),
        multiplicities: vec![Multiplicity { times: 1, rows: 41 }, Multiplicity { times: 2, rows: 2 }],
    }
}

fn finding(severity: Severity, code: &str, message: &str) -> Finding {
    Finding { severity, code: code.to_string(), message: message.to_string() }
}

fn certified(name: &str, scale: f64) -> Problem {
    let eigenvalues: Vec<f64> = (0..43).map(|k| 320.0 * scale * (-0.09 * f64::from(k)).exp()).collect();
    let loss = loss(&eigenvalues, 1.0);
    let envelope = loss_bound(&eigenvalues);
    let reached = |samples: &[Sample]| samples.iter().find(|s| s.value <= TOLERANCE).map(|s| s.iteration);
    let iterations = reached(&envelope).unwrap_or(1);
    let observed = reached(&loss);
    let movement = |limit: f64| -> Vec<Sample> {
        let at =
            |s: &Sample| Sample { iteration: s.iteration, value: limit * (1.0 - (s.value / loss[0].value).sqrt()) };
        loss.iter().map(at).collect()
    };
    Problem {
        name: name.to_string(),
        network: Network {
            widths: vec![2308, 10, 10, 1],
            activation: "smooth leaky ReLU, slope 0.1".to_string(),
            trained_parameters: 23_211,
            start: Start::Positive { scale: 12.5 * scale, hidden: Some(0.4) },
        },
        coordinates: Coordinates::Raw,
        metric: [(1.0, Some(1.0)), (0.1, Some(0.1)), (0.1, Some(0.05))]
            .map(|(weights, biases)| MetricFactor { weights, biases })
            .to_vec(),
        outcome: Outcome::Certified(Certificate {
            statements: vec![
                statement("T4, first form", "descent with steps up to 2/|K|"),
                statement("T5s", "spectral envelope"),
                statement("T9m", "bounds at the positive start"),
            ],
            step_size: 0.0673,
            radius: 0.7312,
            iterations,
            rate: 0.018_44,
            tolerance: TOLERANCE,
            arithmetic: Arithmetic::Exact,
            envelope,
            further_claims: Vec::new(),
            limits: vec!["The whitening matrix is taken as stored; it is part of the network.".to_string()],
        }),
        chain: main_line(),
        derivation: derivation(iterations),
        stages: stages(iterations),
        profile: Some(profile(1.0)),
        spectrum: Some(Spectrum {
            kernel: "tangent kernel at the start".to_string(),
            smallest_verified: eigenvalues.last().map(|smallest| 0.93 * smallest),
            eigenvalues,
        }),
        training: Some(Training {
            iterations_to_tolerance: observed,
            path: movement(0.44),
            distance: movement(0.39),
            kernel_movement: movement(0.061),
            audits: audits(),
            loss,
        }),
        audit: Some(Audit::Certified {
            distance: 3.21e-11,
            theorem: "T15 with T16e".to_string(),
            descent: Some((0.0123, 456)),
        }),
    }
}

/// Proved from iteration 200 on, closer by a factor 10 every time.
fn audits() -> Vec<AuditedIterate> {
    let distance = |k: i32| (k >= 2).then(|| 0.3 * 0.1_f64.powi(k));
    let remaining = |k: i32| (k >= 2).then(|| 4000 / k as u64);
    (0..8)
        .map(|k| AuditedIterate { iteration: 100 * k as u64, distance: distance(k), remaining: remaining(k) })
        .collect()
}

fn statement(label: &str, name: &str) -> Statement {
    Statement { label: label.to_string(), name: name.to_string() }
}

/// Loss of the linear model whose residual is equal in all directions; slower for `pace` below 1.
fn loss(eigenvalues: &[f64], pace: f64) -> Vec<Sample> {
    let step = pace / eigenvalues[0];
    let at = |k: i32| {
        let n = eigenvalues.len() as f64;
        let value = eigenvalues.iter().map(|e| (1.0 - step * e).powi(2 * k) / n).sum();
        Sample { iteration: k as u64, value }
    };
    let all: Vec<_> = (0..3000).map(at).collect();
    let end = all.iter().position(|s| s.value <= TOLERANCE).unwrap_or(all.len() - 1);
    all[..=end].to_vec()
}

fn loss_bound(eigenvalues: &[f64]) -> Vec<Sample> {
    loss(eigenvalues, 0.82)
}

fn profile(scale: f64) -> RadiusProfile {
    let radius: Vec<f64> = (1..=40).map(|k| 0.06 * f64::from(k) * scale).collect();
    let psi = radius.iter().map(|s| (2.6 * (1.0 - (s / (2.4 * scale)).powi(2))).max(0.0)).collect();
    RadiusProfile { radius, psi, needed: 1.7, available: 1.8317 }
}

fn main_line() -> Vec<Link> {
    let link = |by: &str, symbol: &str, value: f64, meaning: &str| Link {
        by: by.to_string(),
        symbol: symbol.to_string(),
        value,
        direction: Direction::Lower,
        meaning: meaning.to_string(),
    };
    vec![
        link("", "smin(Xt)", 0.217_48, "independence of the inputs"),
        link("× 12.06: slopes and later weights", "smin(J0)", 2.623_2, "Jacobian at the start"),
        link("× 0.899: what is left on the ball", "ψ(r)", 2.359_1, "Jacobian anywhere on the way"),
        link("1 - (1 - c ψ(r)²)²", "rate", 0.018_44, "fall of the loss per iteration"),
    ]
}

fn derivation(iterations: u64) -> Vec<Constant> {
    use Direction::{Exact, Lower, Upper};
    let row = |symbol: &str, name: &str, value: f64, direction, statement: &str, explanation: &str| Constant {
        symbol: symbol.to_string(),
        name: name.to_string(),
        value,
        direction,
        statement: statement.to_string(),
        formula: String::new(),
        explanation: explanation.to_string(),
    };
    vec![
        row(
            "smin(X̃)",
            "Smallest singular value of the inputs",
            0.217_48,
            Lower,
            "verified Cholesky",
            "Positive exactly when the samples are affinely independent.",
        ),
        row(
            "min |g₁|",
            "Backward vectors at the start",
            12.061,
            Lower,
            "(T9m)",
            "How strongly the output answers to the first layer, in the worst sample.",
        ),
        row(
            "ψ(0)",
            "Smallest singular value of the Jacobian at the start",
            2.623_2,
            Lower,
            "(T6)",
            "The product of the two above.",
        ),
        row(
            "ψ(r)",
            "The same on the whole ball",
            2.359_1,
            Lower,
            "(T9m)",
            "What is left of ψ(0) when the parameters move by up to r.",
        ),
        row("sJ", "Norm of the Jacobian on the ball", 19.34, Upper, "(T9+)", "It limits the step size."),
        row("LJ", "Lipschitz constant of the Jacobian", 4.77, Upper, "(T9+)", "The curvature along a step."),
        row("t₁", "Step size relative to the kernel", 1.113, Upper, "(T4)", "Below 2, or descent would not contract."),
        row("θ", "Efficiency of a step", 0.928_6, Lower, "(T4)", "The part of the path that counts as progress."),
        row("rate", "Contraction of the loss", 0.018_44, Lower, "(T5)", "Every iteration removes at least this part."),
        row(
            "N",
            "Iterations",
            iterations as f64,
            Exact,
            "(T5s)",
            "First iteration whose bound is below the tolerance.",
        ),
    ]
}

fn stages(iterations: u64) -> Vec<Stage> {
    let n = iterations as f64;
    let row = |name: &str, iterations: f64, explanation: &str| Stage {
        name: name.to_string(),
        iterations,
        explanation: explanation.to_string(),
    };
    vec![
        row("perfect conditioning", 24.0, "All directions equally fast: only the tolerance counts."),
        row("condition of the kernel", 0.82 * n, "The slow directions of the kernel at the start, nothing moving."),
        row("movement of the kernel", 0.93 * n, "ψ(r) and sJ on the ball instead of their values at the start."),
        row("curvature: certified", n, "A step is not infinitesimal; its second-order term is paid for."),
    ]
}

fn check() -> Check {
    let line = |text: &str| CheckLine { confirmed: true, text: text.to_string() };
    Check {
        checker: "gradcert check 0.1.0".to_string(),
        valid: true,
        lines: vec![
            line("The hashes of inputs, targets and start match the data."),
            line("smin of the inputs: lower bound confirmed in interval arithmetic."),
            line("psi is a valid lower bound at all 40 radii."),
            line("The hypothesis of the descent theorem holds (first form)."),
            line("The envelope reaches the tolerance at the certified iteration."),
        ],
    }
}

fn evaluation(set: &str, samples: [u64; 3], correct: [u64; 3]) -> Evaluation {
    let labels = ["BL", "EWS", "NB"].into_iter().zip(samples.into_iter().zip(correct));
    let row =
        |(label, (samples, correct)): (&str, (u64, u64))| LabelCount { label: label.to_string(), samples, correct };
    Evaluation { set: set.to_string(), labels: labels.map(row).collect(), figures: Vec::new() }
}

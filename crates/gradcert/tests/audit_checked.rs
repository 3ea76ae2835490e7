//! What an audit claims is confirmed by the independent checker, for random networks of every kind.

mod support;

use faer::Mat;
use gradcert::certify::audit::{AuditOutcome, audit, certificate};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::network::Network;
use gradcert::theorem::centre::Metric;
use gradcert_certificate::format::{Data, FORMAT, File, VERSION};
use gradcert_certificate::{Inputs, Problem as Given, check, hash};
use support::Dice;

const ACTIVATIONS: [&str; 12] = [
    "tanh",
    "softplus",
    "erf",
    "gelu",
    "sigmoid",
    "silu",
    "arctan",
    "algebraic",
    "logistic",
    "plain-softplus",
    "smooth-leaky-relu:0.1",
    "softsign",
];

struct Trained {
    network: Network,
    metric: Metric,
    values: Vec<f64>,
    samples: usize,
    features: usize,
    targets: Vec<f64>,
}

/// A random network with targets that are its outputs up to `error`.
fn trained(number: u64, error: f64) -> Trained {
    let mut dice = Dice::new(50_000 + number);
    let activation = ACTIVATIONS[number as usize % ACTIVATIONS.len()];
    // Deep ones too: the cover of (T16n) is coarser there.
    let layers = if number % 8 == 7 { dice.integer(5, 8) } else { dice.integer(2, 4) };
    let (samples, features) = (dice.integer(2, 8), dice.integer(1, 8));
    let outputs = dice.pick(&[1, 1, 2, 3]);
    let mut widths = vec![features];
    widths.extend((1..layers).map(|_| dice.integer(6, 12)));
    widths.push(outputs);
    let (mut weights, mut biases) = (vec![Mat::zeros(0, 0)], vec![vec![]]);
    for w in widths.windows(2) {
        let size = dice.pick(&[0.7, 1.0, 1.5]) / (w[0] as f64).sqrt();
        let entries = dice.normals(w[0] * w[1]);
        weights.push(Mat::from_fn(w[1], w[0], |i, j| size * entries[i * w[0] + j]));
        biases.push(dice.normals(w[1]).iter().map(|b| 0.3 * b).collect());
    }
    let network = Network { activation: activation.parse().expect("a known name"), weights, biases };
    let mut metric = Metric::plain(layers);
    if dice.chance(0.3) {
        for l in 1..=layers {
            metric.weights[l] = dice.pick(&[0.3, 1.0, 2.0]);
            metric.biases[l] = dice.pick(&[0.0, 0.5, 1.0]);
        }
    }
    let values = dice.normals(samples * features);
    let rows = Mat::from_fn(samples, features, |i, j| values[i * features + j]);
    let exact = network.evaluate(rows.as_ref(), faer::Par::Seq);
    let noise = dice.normals(samples * outputs);
    let targets = (0..samples * outputs).map(|r| exact[(r % outputs, r / outputs)] + error * noise[r]).collect();
    Trained { network, metric, values, samples, features, targets }
}

/// `None` for a decline, otherwise the checker's verdict.
fn verdict(t: &Trained) -> Option<Result<(), String>> {
    let problem = Problem::new(&t.values, t.samples, t.features, t.targets.clone(), Coordinates::Raw);
    let AuditOutcome::Certified(audited) = audit(&problem, &t.network, &t.metric, 1e-20) else { return None };
    let inputs = problem.input_bounds_in(&t.metric);
    let record = certificate(&audited, "y", &t.targets, &t.network, &t.metric, &inputs, 1e-20).expect("finite");
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        producer: "test".to_owned(),
        data: Data {
            samples: t.samples,
            features: t.features,
            inputs_sha256: hash::inputs(&t.values, t.samples, t.features),
            merge_duplicates: false,
        },
        certificates: vec![record],
    };
    let tensors: Vec<Vec<f64>> = (1..=t.network.layers())
        .flat_map(|l| {
            let w = &t.network.weights[l];
            let flat = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)])).collect();
            [flat, t.network.biases[l].clone()]
        })
        .collect();
    let slices: Vec<&[f64]> = tensors.iter().map(Vec::as_slice).collect();
    let inputs = Inputs { values: &t.values, samples: t.samples, features: t.features };
    let given = [Given { name: "y", targets: &t.targets, start: Some(&slices) }];
    let bytes = serde_json::to_vec(&file).expect("serialisable");
    Some(check(&bytes, inputs, &given).map(|_| ()).map_err(|e| e.to_string()))
}

fn all(cases: u64) {
    let mut certified = 0;
    for number in 0..cases {
        for error in [1e-2, 1e-4, 1e-6, 1e-9] {
            if let Some(verdict) = verdict(&trained(number, error)) {
                certified += 1;
                assert_eq!(verdict, Ok(()), "case {number}, error {error:e}");
                break;
            }
        }
    }
    assert!(4 * certified >= 3 * cases, "only {certified} of {cases} were certified");
}

#[test]
fn audits_are_confirmed() {
    all(24);
}

#[test]
#[ignore = "two minutes; make test-long"]
fn many_audits_are_confirmed() {
    all(2000);
}

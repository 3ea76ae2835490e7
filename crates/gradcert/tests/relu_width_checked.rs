//! Certificates of widths: the independent checker accepts them, and nothing that claims more.

use faer::Mat;
use gradcert::relu::record::certificate;
use gradcert::relu::start::Start;
use gradcert::relu::width::{Options, Problem, Search, smallest};
use gradcert_certificate::format::{Claim, Data, FORMAT, File, VERSION, Width};
use gradcert_certificate::hex::HexFloat;
use gradcert_certificate::{CheckError, Inputs, Problem as Given, check, hash};

struct Case {
    file: File,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    start: Start,
}

/// n samples of length 1 in d dimensions: drawn starts have normal rows.
fn case(n: usize, d: usize, length: f64, antisymmetric: bool, seed: u64) -> Case {
    let normal = Start::draw(n + 1, d.max(n), false, 1000 + seed);
    let row = |i: usize| &normal.weights().col_as_slice(i)[..d];
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let x = Mat::from_fn(n, d, |i, k| row(i)[k] / norm(row(i)));
    let y = &normal.weights().col_as_slice(n)[..n];
    let targets: Vec<f64> = y.iter().map(|t| t * length / norm(y)).collect();
    let problem = Problem::new(&x, &targets);
    let options = Options { tolerance: 1e-14, step_size: None };
    let search = Search { antisymmetric, seed, largest: 1 << 14, resolution: 0.1 };
    let (start, certified) = smallest(&problem, &options, &search, &mut |_| ()).expect("certified");
    let inputs: Vec<f64> = (0..n * d).map(|k| x[(k / d, k % d)]).collect();
    let record = certificate("target", &problem, &start, &certified, options.tolerance).expect("finite");
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        producer: "test".to_owned(),
        data: Data { samples: n, features: d, inputs_sha256: hash::inputs(&inputs, n, d), merge_duplicates: false },
        certificates: vec![record],
    };
    Case { file, inputs, targets, start }
}

impl Case {
    fn check(&self, file: &File) -> Result<(), CheckError> {
        let rows = self.start.rows();
        let tensors: [&[f64]; 4] = [&rows, &[], self.start.signs(), &[]];
        let problem = Given { name: "target", targets: &self.targets, start: Some(&tensors) };
        let (samples, features) = (file.data.samples, file.data.features);
        let text = serde_json::to_vec(file).expect("JSON");
        check(&text, Inputs { values: &self.inputs, samples, features }, &[problem]).map(|_| ())
    }

    fn changed(&self, change: impl FnOnce(&mut Width)) -> File {
        let mut file = self.file.clone();
        let Claim::Width(claim) = &mut file.certificates[0].claim else { panic!("another claim") };
        change(claim);
        file
    }
}

fn times(x: &mut HexFloat, factor: f64) {
    *x = HexFloat::new(x.get() * factor).expect("finite");
}

fn cases() -> Vec<Case> {
    vec![case(3, 12, 1.0, true, 1), case(4, 20, 1.5, true, 2), case(3, 15, 0.4, false, 3)]
}

#[test]
fn certificates_are_confirmed() {
    for case in cases() {
        case.check(&case.file).unwrap_or_else(|e| panic!("{e}"));
    }
}

/// Every bound changed to say more, by a millionth and by more.
#[test]
fn whatever_claims_more_is_rejected() {
    let mut rejected = 0;
    for case in cases() {
        let Claim::Width(own) = case.file.certificates[0].claim.clone() else { panic!("another claim") };
        let last = own.clocks.len() - 1;
        let mut mutants: Vec<(String, File)> = vec![];
        for factor in [1.0 + 1e-6, 1.0 + 1e-4, 1.01, 2.0, 1e6] {
            type Field = fn(&mut Width) -> &mut HexFloat;
            let smaller: [(&str, Field); 2] = [("radius", |w| &mut w.radius), ("residual", |w| &mut w.residual)];
            let greater: [(&str, Field); 2] = [("rate", |w| &mut w.rate), ("smin", |w| &mut w.smin)];
            for (name, field) in smaller {
                mutants.push((name.into(), case.changed(|w| times(field(w), 1.0 / factor))));
            }
            for (name, field) in greater {
                mutants.push((name.into(), case.changed(|w| times(field(w), factor))));
            }
            // A spread of 0 is stated as a billionth of the largest eigenvalue.
            for j in [last / 3, 2 * last / 3, last] {
                assert!(own.spread[j].get() > 1e-3);
                mutants.push((format!("spread[{j}]"), case.changed(|w| times(&mut w.spread[j], 1.0 / factor))));
            }
            // With a slack of a billionth of the largest eigenvalue.
            let factor = 1.0 + 100.0 * (factor - 1.0);
            for j in [0, last / 3, last] {
                let all = case.changed(|w| w.decay[..=j].iter_mut().for_each(|x| times(x, factor)));
                mutants.push((format!("decay up to {j}"), all));
            }
        }
        for fewer in [1, own.iterations / 2, own.iterations] {
            mutants.push((format!("{fewer} fewer"), case.changed(|w| w.iterations -= fewer)));
        }
        mutants.push(("tolerance".into(), case.changed(|w| times(&mut w.tolerance, 1e-4))));
        mutants.push(("tolerance".into(), case.changed(|w| times(&mut w.tolerance, 0.5))));
        for factor in [2.5, 10.0, 1e3] {
            mutants.push((format!("step x {factor}"), case.changed(|w| times(&mut w.step_size, factor))));
            mutants.push((format!("step / {factor}"), case.changed(|w| times(&mut w.step_size, 1.0 / factor))));
            let far = case.changed(|w| w.clocks.iter_mut().for_each(|x| times(x, factor)));
            mutants.push((format!("clocks x {factor}"), far));
            let near = case.changed(|w| w.clocks.iter_mut().for_each(|x| times(x, 1.0 / factor)));
            mutants.push((format!("clocks / {factor}"), near));
        }
        mutants.push((
            "without the last clock".into(),
            case.changed(|w| {
                w.clocks.pop();
                w.decay.pop();
                w.spread.pop();
            }),
        ));
        for (name, file) in mutants {
            assert!(file != case.file, "{name}");
            assert!(case.check(&file).is_err(), "{name} is accepted");
            rejected += 1;
        }
    }
    assert!(rejected > 150, "{rejected}");
}

/// A claim about something else: another start, other data, another network, lists that do not fit.
#[test]
fn what_does_not_belong_to_it_is_an_error() {
    let case = case(3, 12, 1.0, true, 1);
    let code = |case: &Case, file: &File| case.check(file).expect_err("accepted").code();
    let mut signs = case.start.signs().to_vec();
    signs.swap(0, case.start.width() / 2);
    let start = Start::new(case.start.weights().clone(), signs).expect("a start");
    let Case { file, inputs, targets, .. } = &case;
    let other = Case { file: file.clone(), inputs: inputs.clone(), targets: targets.clone(), start };
    assert_eq!(code(&other, file), "certificate_hash");
    let other =
        Case { targets: vec![1.0, 2.0, 3.0], inputs: inputs.clone(), file: file.clone(), start: case.start.clone() };
    assert_eq!(code(&other, file), "certificate_hash");
    type Change = fn(&mut File);
    let changes: [(Change, &str); 5] = [
        (|f| f.certificates[0].network.activation = "tanh".to_owned(), "certificate_limit"),
        (|f| f.certificates[0].network.widths[1] += 1, "certificate_data"),
        (|f| f.certificates[0].network.widths.insert(1, 5), "certificate_limit"),
        (|f| f.certificates[0].metric.weights[1] = f.certificates[0].metric.weights[0], "certificate_limit"),
        (|f| f.data.features += 1, "certificate_data"),
    ];
    for (k, (change, wanted)) in changes.into_iter().enumerate() {
        let mut file = case.file.clone();
        change(&mut file);
        let found = code(&case, &file);
        assert!(found == wanted || found == "certificate_limit", "{k}: {found}");
    }
    let lists: [fn(&mut Width); 4] = [
        |w| w.clocks.swap(0, 1),
        |w| w.decay.swap(0, w.clocks.len() - 1),
        |w| w.decay.truncate(1),
        |w| (w.clocks, w.decay, w.spread) = (vec![], vec![], vec![]),
    ];
    for change in lists {
        assert_eq!(code(&case, &case.changed(change)), "certificate_limit");
    }
}

//! Corrupted certificates: every change that claims more must be rejected, by an error and never a panic.

use super::builder::{Case, Kind, SLACK, Stream, hex};
use super::oracle::cases;
use crate::activation::Activation;
use crate::format::{Certificate, Claim, Descent, File, Form, Start};
use crate::hex::HexFloat;
use crate::{CheckError, hash};
use serde_json::Value;

/// A change of a certificate with a name.
type Mutant = (String, File);

/// Relative changes, all above the slack of the builder.
const FACTORS: [f64; 7] = [1.0 + 1e-8, 1.0 + 1e-7, 1.0 + 1e-6, 1.0 + 1e-4, 1.01, 2.0, 1e6];

fn claim_mutants(claim: &Descent) -> Vec<(String, Descent)> {
    let mut all = Vec::new();
    let mut push = |name: String, change: &dyn Fn(&mut Descent)| {
        let mut changed = claim.clone();
        change(&mut changed);
        if changed != *claim {
            all.push((name, changed));
        }
    };
    type Field = fn(&mut Descent) -> &mut HexFloat;
    let greater: [(&str, Field); 2] = [("smin_inputs", |d| &mut d.smin_inputs), ("smin_start", |d| &mut d.smin_start)];
    let smaller: [(&str, Field); 6] = [
        ("smax_inputs", |d| &mut d.smax_inputs),
        ("smax_start", |d| &mut d.smax_start),
        ("residual", |d| &mut d.residual),
        ("jacobian_norm", |d| &mut d.jacobian_norm),
        ("jacobian_lipschitz", |d| &mut d.jacobian_lipschitz),
        ("jacobian_drift", |d| &mut d.jacobian_drift),
    ];
    for factor in FACTORS {
        for (name, field) in greater {
            push(format!("{name} x {factor}"), &|d| *field(d) = hex(field(d).get() * factor));
        }
        for (name, field) in smaller {
            push(format!("{name} / {factor}"), &|d| *field(d) = hex(field(d).get() / factor));
        }
        push(format!("theta x {factor}"), &|d| d.theta = hex(d.theta.get() * factor));
        push(format!("rate x {factor}"), &|d| d.rate = hex(d.rate.get() * factor));
        for j in 0..claim.psi.len() {
            push(format!("psi[{j}] x {factor}"), &|d| d.psi[j] = hex(d.psi[j].get() * factor));
            push(format!("psi[..={j}] x {factor}"), &|d| {
                d.psi[..=j].iter_mut().for_each(|p| *p = hex(p.get() * factor));
            });
        }
    }
    for j in 0..claim.radii.len() - 1 {
        let farther = 0.5 * (claim.radii[j].get() + claim.radii[j + 1].get());
        push(format!("radii[{j}]"), &|d| d.radii[j] = hex(farther));
        push(format!("without radius {j}"), &|d| {
            d.radii.remove(j);
            d.psi.remove(j + 1);
        });
        push(format!("order {j}"), &|d| d.radii.swap(j, j + 1));
    }
    for factor in [10.0, 1e3, 1e6] {
        // So small that even psi(0) r is below |rho(w0)|.
        let small = 0.5 * claim.residual.get() / (claim.psi[0].get() * claim.radius.get()) / factor;
        push(format!("radius x {small}"), &|d| {
            d.radii.iter_mut().for_each(|r| *r = hex(r.get() * small));
            d.radius = d.radii[d.radii.len() - 1];
        });
        push(format!("step / {factor}"), &|d| d.step_size = hex(d.step_size.get() / factor));
        push(format!("step x {factor}"), &|d| d.step_size = hex(d.step_size.get() * 2.0 * factor));
        push(format!("tolerance / {factor}"), &|d| d.tolerance = hex(d.tolerance.get() / factor.powi(4)));
    }
    push("step just beyond 2 / |J|^2".into(), &|d| {
        d.step_size = hex(d.step_size.get() * 2.1 * t1_inverse(claim));
    });
    push("radius alone".into(), &|d| d.radius = hex(d.radius.get() * 0.999));
    for fewer in [1, 2, claim.iterations / 10 + 1, claim.iterations / 2 + 1, claim.iterations] {
        push(format!("{fewer} iterations fewer"), &|d| d.iterations = d.iterations.saturating_sub(fewer));
    }
    for bad in [0.0, -1.0, f64::MAX, 1e-300] {
        push(format!("step = {bad:e}"), &|d| d.step_size = hex(bad));
        push(format!("tolerance = {bad:e}"), &|d| d.tolerance = hex(bad));
        push(format!("theta = {bad:e}"), &|d| d.theta = hex(bad));
        push(format!("radius = {bad:e}"), &|d| d.radius = hex(bad));
        push(format!("psi = {bad:e}"), &|d| d.psi[0] = hex(bad));
    }
    push("rate above 1".into(), &|d| d.rate = hex(1.5));
    push("rate 1".into(), &|d| d.rate = hex(1.0));
    push("negative rate".into(), &|d| d.rate = hex(-0.5));
    push("huge count".into(), &|d| d.iterations = u64::MAX);
    push("psi missing".into(), &|d| d.psi.truncate(d.psi.len() - 1));
    push("no radii".into(), &|d| {
        d.psi.clear();
        d.radii.clear();
    });
    all
}

/// The claim's step over the one with c |J|^2 = 1; the sample count cancels in the ratio taken by the caller.
fn t1_inverse(claim: &Descent) -> f64 {
    SAMPLES.with(|n| 0.5 * n.get() as f64 / (claim.step_size.get() * claim.jacobian_norm.get().powi(2)))
}

thread_local!(static SAMPLES: std::cell::Cell<usize> = const { std::cell::Cell::new(1) });

/// Changes outside the claim; each makes the stated numbers speak about another problem.
fn setting_mutants(case: &Case, file: &File) -> Vec<Mutant> {
    let mut all = Vec::new();
    let mut push = |name: &str, change: &dyn Fn(&mut File)| {
        let mut changed = file.clone();
        change(&mut changed);
        if changed != *file {
            all.push((name.to_string(), changed));
        }
    };
    fn first(file: &mut File) -> &mut Certificate {
        &mut file.certificates[0]
    }
    push("format", &|f| f.format.push('x'));
    push("version", &|f| f.version = 2);
    push("samples + 1", &|f| f.data.samples += 1);
    push("samples 0", &|f| f.data.samples = 0);
    push("features + 1", &|f| f.data.features += 1);
    push("features huge", &|f| f.data.features = usize::MAX);
    push("hash of the inputs", &|f| f.data.inputs_sha256.replace_range(0..1, "g"));
    push("hash of the targets", &|f| first(f).targets_sha256 = hash::targets(&vec![0.0; case.samples]));
    push("no certificate", &|f| f.certificates.clear());
    push("twice", &|f| f.certificates.push(f.certificates[0].clone()));
    push("problem", &|f| first(f).problem.push('x'));
    for l in 0..file.certificates[0].network.widths.len() {
        for w in [0, 1, 2, 3, 7, 1000, usize::MAX] {
            push(&format!("width {l} = {w}"), &|f| first(f).network.widths[l] = w);
        }
    }
    push("a layer more", &|f| first(f).network.widths.insert(1, 3));
    push("a layer less", &|f| {
        first(f).network.widths.remove(1);
    });
    // Another activation with the same slope at 0 may satisfy the same bounds, so it is not an attack.
    let slope = |name: &str| Activation::parse(name).map(|f| f.at(0.0)[1].middle());
    let names = [
        "relu",
        "",
        "smooth-leaky-relu:0.11",
        "smooth-leaky-relu:0.09",
        "tanh",
        "softplus",
        "identity",
        "silu",
        "logistic",
    ];
    for name in names.into_iter().filter(|name| slope(name) != slope(case.activation)) {
        push(&format!("activation {name:?}"), &|f| first(f).network.activation = name.into());
    }
    let factors = file.certificates[0].metric.weights.len();
    for l in 0..factors {
        for factor in [1.0 + 1e-6, 1.5, 1e3f64] {
            // Beyond the first layer a factor hardly matters; by 1e-6 the numbers stay provable, hence true.
            let factor = if l == 0 { factor } else { factor.max(1.5) };
            push(&format!("metric W {l} x {factor}"), &|f| {
                let x = &mut first(f).metric.weights[l];
                *x = hex(x.get() * factor);
            });
            push(&format!("metric b {l} x {factor}"), &|f| {
                let x = &mut first(f).metric.biases[l];
                *x = hex(x.get() * factor.max(1.5));
            });
        }
        push("negative metric", &|f| first(f).metric.weights[l] = hex(-1.0));
    }
    push("metric too short", &|f| first(f).metric.weights.truncate(factors - 1));
    if let Kind::Positive { hidden, .. } = &case.start {
        for factor in [0.5, 0.999, 1.0 - 1e-6, 1.0 + 1e-6, 1.001, 2.0, 1e3, -1.0, 0.0] {
            push(&format!("output x {factor}"), &|f| {
                if let Start::Positive { output, .. } = &mut first(f).start {
                    *output = hex(output.get() * factor);
                }
            });
            for l in 0..hidden.len() {
                push(&format!("hidden {l} x {factor}"), &|f| {
                    if let Start::Positive { hidden, .. } = &mut first(f).start {
                        hidden[l] = hex(hidden[l].get() * factor);
                    }
                });
            }
        }
        push("hidden missing", &|f| {
            if let Start::Positive { hidden, .. } = &mut first(f).start {
                hidden.push(hex(1.0));
            }
        });
        push("tensors", &|f| first(f).start = Start::Tensors { sha256: "0".repeat(64) });
    } else {
        push("other tensors", &|f| first(f).start = Start::Tensors { sha256: "0".repeat(64) });
        push("positive", &|f| first(f).start = Start::Positive { hidden: vec![], output: hex(1.0) });
    }
    all
}

/// Changes of the data; the certificate is hashed anew, so that only the mathematics can object.
fn data_mutants(case: &Case, file: &File) -> Vec<(String, Case, File)> {
    let mut all = Vec::new();
    let mut push = |name: &str, change: &dyn Fn(&mut Case)| {
        let mut changed = case.clone();
        change(&mut changed);
        let mut hashed = file.clone();
        hashed.data.inputs_sha256 = hash::inputs(&changed.values, changed.samples, changed.features);
        hashed.certificates[0].targets_sha256 = hash::targets(&changed.targets);
        all.push((name.to_string(), changed, hashed));
    };
    if let Kind::Positive { .. } = case.start {
        push("targets larger", &|c| c.targets.iter_mut().for_each(|y| *y *= 1.0 + 1e-6));
    }
    push("targets much larger", &|c| c.targets.iter_mut().for_each(|y| *y *= 3.0));
    push("not a number", &|c| c.targets[0] = f64::NAN);
    push("infinite input", &|c| c.values[0] = f64::INFINITY);
    if case.inputs == crate::format::Inputs::Raw {
        push("inputs larger", &|c| c.values.iter_mut().for_each(|x| *x *= 1.0 + 1e-5));
        push("inputs smaller", &|c| c.values.iter_mut().for_each(|x| *x *= 1.0 - 1e-5));
        push("sample moved", &|c| c.values[..case.features].iter_mut().for_each(|x| *x *= 1.5));
    }
    push("sample repeated", &|c| {
        let row = c.values[..c.features].to_vec();
        let last = (c.samples - 1) * c.features;
        c.values[last..].copy_from_slice(&row);
        c.targets[c.samples - 1] = c.targets[0];
    });
    push("contradiction", &|c| {
        let row = c.values[..c.features].to_vec();
        let last = (c.samples - 1) * c.features;
        c.values[last..].copy_from_slice(&row);
        c.targets[c.samples - 1] = -c.targets[0];
    });
    all
}

fn attack(cases: &[Case]) -> (usize, Vec<String>) {
    let (mut count, mut survivors) = (0, Vec::new());
    for (k, case) in cases.iter().enumerate() {
        SAMPLES.with(|n| n.set(case.samples));
        let claim = case.claim().expect("certified");
        let file = case.file(Claim::Descent(claim.clone()));
        let mut judge = |name: String, case: &Case, file: &File| {
            count += 1;
            if case.check(file).is_ok() {
                survivors.push(format!("case {k}: {name}"));
            }
        };
        for (name, changed) in claim_mutants(&claim) {
            judge(name, case, &case.file(Claim::Descent(changed)));
        }
        for (name, changed) in setting_mutants(case, &file) {
            judge(name, case, &changed);
        }
        for (name, case, changed) in data_mutants(case, &file) {
            judge(name, &case, &changed);
        }
    }
    (count, survivors)
}

#[test]
fn some_certificates_that_claim_more_are_rejected() {
    let all = cases();
    let (count, survivors) = attack(&[all[4].clone(), all[9].clone(), all[20].clone(), all[23].clone()]);
    println!("{count} mutants, {} survivors\n{}", survivors.len(), survivors.join("\n"));
    assert!(survivors.is_empty());
}

/// A minute: `cargo test -p gradcert-certificate -- --ignored`.
#[test]
#[ignore = "takes minutes: make test-long"]
fn all_certificates_that_claim_more_are_rejected() {
    let (count, survivors) = attack(&cases());
    println!("{count} mutants, {} survivors\n{}", survivors.len(), survivors.join("\n"));
    assert!(count >= 10_000 && survivors.is_empty(), "{count}");
}

#[test]
fn weaker_claims_are_accepted() {
    for case in &cases()[..4] {
        let claim = case.claim().unwrap();
        let weaken: [&dyn Fn(&mut Descent); 8] = [
            &|d| d.iterations += 1,
            &|d| d.iterations *= 2,
            &|d| d.rate = hex(d.rate.get() * 0.5),
            &|d| d.rate = hex(0.0),
            &|d| d.tolerance = hex(d.tolerance.get() * 10.0),
            &|d| d.theta = hex(d.theta.get() * (1.0 - SLACK)),
            &|d| d.smax_start = hex(d.smax_start.get() * (1.0 + 1e-12)),
            &|d| d.psi[0] = hex(d.psi[0].get() * (1.0 - 1e-12)),
        ];
        for (i, change) in weaken.iter().enumerate() {
            let mut changed = claim.clone();
            change(&mut changed);
            let verdict = case.check(&case.file(Claim::Descent(changed)));
            assert!(verdict.is_ok(), "{i}: {verdict:?}");
        }
    }
}

/// The second form accepts integrands that vanish, the first does not use LJ twice; both names must mean what they say.
#[test]
fn the_other_form_is_rejected_or_proved() {
    for case in &cases()[..4] {
        let mut claim = case.claim().unwrap();
        claim.form = if claim.form == Form::First { Form::Second } else { Form::First };
        // Accepted or not, the claim itself is the same; no panic, and an error with a code otherwise.
        if let Err(e) = case.check(&case.file(Claim::Descent(claim))) {
            assert_eq!(e.code(), "certificate_not_proved");
        }
    }
}

fn paths(value: &Value, at: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                at.push(key.clone());
                all.push(at.clone());
                paths(inner, at, all);
                at.pop();
            }
        }
        Value::Array(items) => {
            if let Some(inner) = items.first() {
                at.push("0".into());
                all.push(at.clone());
                paths(inner, at, all);
                at.pop();
            }
        }
        _ => {}
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|p| format!("/{p}")).collect()
}

#[test]
fn damaged_structures_are_errors() {
    let case = &cases()[4];
    let file = case.file(Claim::Descent(case.claim().unwrap()));
    let value = serde_json::to_value(&file).unwrap();
    let mut all = Vec::new();
    paths(&value, &mut Vec::new(), &mut all);
    let mut tried = 0;
    let mut reject = |v: &Value, what: &str| {
        tried += 1;
        let verdict = case.check_bytes(&serde_json::to_vec(v).unwrap());
        assert!(verdict.is_err(), "{what}");
    };
    for path in &all {
        let name = pointer(path);
        let parent = pointer(&path[..path.len() - 1]);
        let free = ["/producer", "/certificates/0/assumptions", "/certificates/0/limits"];
        for (i, wrong) in
            [Value::Null, Value::from(-1), Value::from(1e300), Value::from(vec![0]), Value::from(u64::MAX)]
                .into_iter()
                .enumerate()
        {
            let mut v = value.clone();
            *v.pointer_mut(&name).unwrap() = wrong;
            reject(&v, &format!("{name}, wrong type {i}"));
        }
        let mut v = value.clone();
        if let Some(Value::Object(map)) = v.pointer_mut(&parent) {
            map.remove(&path[path.len() - 1]);
            reject(&v, &format!("{name} missing"));
            let mut v = value.clone();
            if let Some(Value::Object(map)) = v.pointer_mut(&parent) {
                map.insert("unknown".into(), Value::from(1));
            }
            reject(&v, &format!("unknown field beside {name}"));
        }
        if !free.iter().any(|f| name.starts_with(f)) {
            let mut v = value.clone();
            *v.pointer_mut(&name).unwrap() = Value::from("nan");
            reject(&v, &format!("{name} a word"));
        }
    }
    println!("{tried} damaged structures");
    let text = serde_json::to_string(&file).unwrap();
    for end in 0..text.len() {
        assert!(case.check_bytes(&text.as_bytes()[..end]).is_err(), "truncated at {end}");
    }
    assert!(case.check_bytes(format!("{text} 1").as_bytes()).is_err());
    for key in ["\"version\":1", "\"theta\":", "\"kind\":\"descent\""] {
        let at = text.find(key).unwrap();
        let end = at + text[at..].find(',').unwrap() + 1;
        let doubled = format!("{}{}{}", &text[..at], &text[at..end], &text[at..]);
        assert!(matches!(case.check_bytes(doubled.as_bytes()), Err(CheckError::Malformed(_))), "{key} twice");
    }
    assert!(case.check_bytes("[".repeat(100_000).as_bytes()).is_err());
}

/// Random bytes in place of others: no panic; what is accepted differs from the original in free text or spacing alone, or
/// in numbers made weaker.
#[test]
fn flipped_bytes_never_panic() {
    let case = &cases()[9];
    let file = case.file(Claim::Descent(case.claim().unwrap()));
    let text = serde_json::to_vec(&file).unwrap();
    let mut stream = Stream(99);
    for _ in 0..3000 {
        let mut changed = text.clone();
        for _ in 0..1 + (stream.next().abs() * 3.0) as usize {
            let at = (stream.next().abs() * text.len() as f64) as usize % text.len();
            changed[at] = (stream.next().abs() * 256.0) as u8;
        }
        let _ = case.check_bytes(&changed);
    }
}

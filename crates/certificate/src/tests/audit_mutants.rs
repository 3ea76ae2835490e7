//! Audits that claim more than what is true are rejected.

use super::audit::{By, cases};
use super::builder::{Case, Kind, Stream, hex};
use crate::format::{Audit, Claim, Convergence, Curvature, File, Inputs, Start};
use crate::hash;
use crate::hex::HexFloat;

type Field = fn(&mut Audit) -> &mut HexFloat;

/// Claims of more, by name.
fn claim_mutants(claim: &Audit, step_matters: bool) -> Vec<(String, Audit)> {
    let mut all = Vec::new();
    let mut push = |name: String, change: &dyn Fn(&mut Audit)| {
        let mut changed = claim.clone();
        change(&mut changed);
        if changed != *claim {
            all.push((name, changed));
        }
    };
    let smaller: [(&str, Field); 4] = [
        ("residual", |a| &mut a.residual),
        ("smax_start", |a| &mut a.smax_start),
        ("correction", |a| &mut a.correction),
        ("distance", |a| &mut a.distance),
    ];
    // Alone, and with what descent repeats.
    let repeat = |a: &mut Audit| {
        let (residual, smin, smax) = (a.residual, a.smin_start, a.smax_start);
        if let Convergence::Descent(d) = &mut a.convergence {
            (d.residual, d.smin_start, d.smax_start) = (residual, smin, smax);
        }
    };
    for factor in [1.0 + 1e-8, 1.0 + 1e-6, 1.0 + 1e-4, 1.01, 2.0, 1e6] {
        for (name, field) in smaller {
            push(format!("{name} / {factor}"), &|a| *field(a) = hex(field(a).get() / factor));
            push(format!("{name} / {factor}, repeated"), &|a| {
                *field(a) = hex(field(a).get() / factor);
                repeat(a);
            });
        }
        push(format!("smin x {factor}"), &|a| a.smin_start = hex(a.smin_start.get() * factor));
        push(format!("smin x {factor}, repeated"), &|a| {
            a.smin_start = hex(a.smin_start.get() * factor);
            repeat(a);
        });
        let count = match &claim.curvature {
            Curvature::Drift { drift, .. } => drift.len(),
            Curvature::Taylor { orders, .. } => orders.len(),
        };
        for j in 0..count {
            push(format!("curvature {j} / {factor}"), &|a| match &mut a.curvature {
                Curvature::Drift { drift, .. } => {
                    drift[..=j].iter_mut().for_each(|x| *x = hex(x.get() / factor));
                }
                // Orders that are 0 but for rounding are stated as the smallest number.
                Curvature::Taylor { orders, .. } if orders[j].get() > 1e-90 => {
                    orders[j] = hex(orders[j].get() / factor)
                }
                Curvature::Taylor { orders, .. } => orders[j] = hex(-1.0),
            });
            if factor > 1.005 {
                push(format!("radius {j} x {factor}"), &|a| {
                    if let Curvature::Drift { radii, .. } = &mut a.curvature {
                        radii[j..].iter_mut().for_each(|x| *x = hex(x.get() * factor));
                    }
                });
            }
        }
        if factor > 1.005 && step_matters {
            push(format!("radius x {factor}"), &|a| {
                if let Curvature::Taylor { radius, .. } = &mut a.curvature {
                    *radius = hex(radius.get() * factor);
                }
            });
        }
        push(format!("psi x {factor}"), &|a| {
            if let Convergence::Descent(d) = &mut a.convergence {
                d.psi.iter_mut().for_each(|x| *x = hex(x.get() * factor));
            }
        });
        push(format!("rate x {factor}"), &|a| {
            if let Convergence::Descent(d) = &mut a.convergence {
                d.rate = hex(d.rate.get() * factor);
            }
        });
    }
    push("distance 0".into(), &|a| a.distance = hex(0.0));
    push("distance beyond the curvature".into(), &|a| a.distance = hex(a.distance.get() * 1e3));
    push("smin 0".into(), &|a| a.smin_start = hex(0.0));
    push("negative".into(), &|a| a.correction = hex(-a.correction.get()));
    push("one iteration".into(), &|a| {
        if let Convergence::Descent(d) = &mut a.convergence {
            d.iterations = 1;
        }
    });
    push("an order less".into(), &|a| {
        // Of a linear network all orders are 0.
        if let Curvature::Taylor { orders, .. } = &mut a.curvature
            && orders[0].get() > 1e-90
        {
            orders.remove(orders.len() - 2);
        }
    });
    push("no orders".into(), &|a| {
        if let Curvature::Taylor { orders, .. } = &mut a.curvature {
            orders.clear();
        }
    });
    push("seven orders".into(), &|a| {
        if let Curvature::Taylor { orders, .. } = &mut a.curvature {
            orders.resize(7, hex(1e90));
        }
    });
    push("no cells".into(), &|a| {
        if let Curvature::Drift { radii, drift } = &mut a.curvature {
            radii.clear();
            drift.clear();
        }
    });
    push("decreasing drift".into(), &|a| {
        if let Curvature::Drift { drift, .. } = &mut a.curvature {
            drift[0] = hex(1e90);
        }
    });
    all
}

/// The same claim about something else.
fn setting_mutants(case: &Case, file: &File) -> Vec<(String, Case, File)> {
    let mut all = Vec::new();
    let mut push = |name: &str, change: &dyn Fn(&mut Case, &mut File)| {
        let (mut changed, mut other) = (case.clone(), file.clone());
        change(&mut changed, &mut other);
        other.data.inputs_sha256 = hash::inputs(&changed.values, changed.samples, changed.features);
        other.certificates[0].targets_sha256 = hash::targets(&changed.targets);
        all.push((name.to_string(), changed, other));
    };
    let parameters = |case: &mut Case, file: &mut File, change: &dyn Fn(&mut Vec<Vec<f64>>)| {
        let Kind::Tensors(all) = &mut case.start else { return };
        change(all);
        let sha256 = hash::parameters(&case.widths, all.iter().map(Vec::as_slice));
        file.certificates[0].start = Start::Tensors { sha256 };
    };
    for (k, size) in [1e-2, 0.3].into_iter().enumerate() {
        push("other parameters", &|c, f| {
            let mut stream = Stream(k as u64 + 3);
            let noise: Vec<f64> = (0..10_000).map(|_| size * stream.next()).collect();
            parameters(c, f, &|all| all.iter_mut().flatten().zip(&noise).for_each(|(x, noise)| *x += noise));
        });
    }
    push("units of one layer exchanged", &|c, f| parameters(c, f, &|all| all[1].swap(0, 1)));
    push("rows exchanged", &|c, f| {
        let width = c.widths[0];
        parameters(c, f, &|all| (0..width).for_each(|k| all[0].swap(k, width + k)));
    });
    push("unhashed parameters", &|c, _| {
        let Kind::Tensors(all) = &mut c.start else { return };
        all[0][0] += 1e-3;
    });
    push("targets", &|c, _| c.targets.iter_mut().for_each(|y| *y += 0.1));
    push("inputs", &|c, _| c.values.iter_mut().for_each(|x| *x *= 1.01));
    push("not a number", &|c, _| c.targets[0] = f64::NAN);
    push("fewer targets", &|c, _| c.targets.truncate(c.samples - 1));
    push("contradiction", &|c, f| {
        let (row, last) = (c.values[..c.features].to_vec(), (c.samples - 1) * c.features);
        c.values[last..].copy_from_slice(&row);
        c.merge = true;
        f.data.merge_duplicates = true;
    });
    push("whitened", &|_, f| f.certificates[0].network.inputs = Inputs::Whitened);
    push("positive", &|_, f| {
        let hidden = vec![hex(1.0); f.certificates[0].network.widths.len() - 3];
        f.certificates[0].start = Start::Positive { hidden, output: hex(1.0) };
    });
    push("a width", &|_, f| f.certificates[0].network.widths[1] += 1);
    push("an output", &|_, f| *f.certificates[0].network.widths.last_mut().unwrap() += 1);
    push("outputs", &|_, f| *f.certificates[0].network.widths.last_mut().unwrap() = usize::MAX);
    push("metric", &|_, f| f.certificates[0].metric.weights.iter_mut().for_each(|d| *d = hex(d.get() * 0.5)));
    for name in ["relu", "", "sigmoid ", "identity"] {
        push("activation", &|_, f| f.certificates[0].network.activation = name.into());
    }
    all
}

fn mutants(cases: &[(Case, By, Audit)]) -> usize {
    let (mut count, mut survivors) = (0, Vec::new());
    for (k, (case, by, claim)) in cases.iter().enumerate() {
        let step_matters = matches!(by, By::TwoLayers(_) | By::RowSpace) && case.weights[0] > 0.0;
        for (name, changed) in claim_mutants(claim, step_matters) {
            count += 1;
            if case.check(&case.file(Claim::Audit(changed))).is_ok() {
                survivors.push(format!("case {k} {by:?}: {name}"));
            }
        }
        for (name, other, changed) in setting_mutants(case, &case.file(Claim::Audit(claim.clone()))) {
            count += 1;
            if other.check(&changed).is_ok() {
                survivors.push(format!("case {k} {by:?}: {name}"));
            }
        }
    }
    println!("{count} mutants, {} survivors\n{}", survivors.len(), survivors.join("\n"));
    assert!(survivors.is_empty());
    count
}

#[test]
fn some_audits_that_claim_more_are_rejected() {
    let some: Vec<_> = [0, 6, 7, 13].iter().map(|&k| cases()[k].clone()).collect();
    assert!(mutants(&some) > 400);
}

#[test]
#[ignore = "takes a while: make test-long"]
fn all_audits_that_claim_more_are_rejected() {
    assert!(mutants(cases()) > 2000);
}

use super::*;
use crate::kernel::limit::limit_kernel;
use crate::network::activation::Activation;
use faer::Par;
use std::ops::{Add, Mul};

/// A number and its derivative along one direction: an automatic differentiation of its own.
#[derive(Clone, Copy)]
struct Dual(f64, f64);

impl Add for Dual {
    type Output = Dual;
    fn add(self, other: Dual) -> Dual {
        Dual(self.0 + other.0, self.1 + other.1)
    }
}

impl Mul for Dual {
    type Output = Dual;
    fn mul(self, other: Dual) -> Dual {
        Dual(self.0 * other.0, self.0 * other.1 + self.1 * other.0)
    }
}

/// `tanh` or `ln(1 + e^t)`, from elementary functions.
fn unit(unit: Unit, t: Dual) -> Dual {
    match unit {
        Unit::Smooth(Activation::Tanh) => Dual(t.0.tanh(), t.1 * (1.0 - t.0.tanh().powi(2))),
        _ => Dual(t.0.exp().ln_1p(), t.1 / (1.0 + (-t.0).exp())),
    }
}

/// The outputs, written out index by index; parameter number `moved` has derivative 1, counted layer by layer in the
/// order (row, column).
fn outputs(network: &WideNetwork, x: &Mat<f64>, moved: usize) -> Vec<Dual> {
    let s = network.shape;
    let (p, reach, m) = (s.pixels as i64, (s.patch / 2) as i64, s.width);
    let one = |i: usize| -> Dual {
        let mut now: Vec<Vec<Dual>> = (0..s.features / s.pixels)
            .map(|c| (0..s.pixels).map(|l| Dual(x[(i, c * s.pixels + l)], 0.0)).collect())
            .collect();
        let mut number = 0;
        for h in 1..=s.depth {
            let w = &network.weights[h];
            let entry = |k: usize, column: usize| {
                let own = number + k * w.ncols() + column;
                Dual(w[(k, column)], f64::from(u8::from(own == moved)))
            };
            let t = match s.residual_scale {
                Some(scale) if h > 1 => scale / s.depth as f64 / (m as f64).sqrt(),
                _ => (s.normalisation / m as f64).sqrt(),
            };
            let mut next = vec![vec![Dual(0.0, 0.0); s.pixels]; m];
            for (k, row) in next.iter_mut().enumerate() {
                for (l, to) in row.iter_mut().enumerate() {
                    let mut z = Dual(0.0, 0.0);
                    for offset in -reach..=reach {
                        let pixel = l as i64 + offset;
                        if (0..p).contains(&pixel) {
                            for (c, channel) in now.iter().enumerate() {
                                let column = (offset + reach) as usize * now.len() + c;
                                z = z + entry(k, column) * channel[pixel as usize];
                            }
                        }
                    }
                    *to = Dual(t, 0.0) * unit(s.unit, z);
                    if h > 1 && s.residual_scale.is_some() {
                        *to = *to + now[k][l];
                    }
                }
            }
            number += w.nrows() * w.ncols();
            now = next;
        }
        let mut f = Dual(0.0, 0.0);
        for (k, row) in now.iter().enumerate() {
            for (l, value) in row.iter().enumerate() {
                let own = number + k * s.pixels + l;
                f = f + Dual(network.output[(k, l)], f64::from(u8::from(own == moved))) * *value;
            }
        }
        f
    };
    (0..x.nrows()).map(one).collect()
}

const TANH: Unit = Unit::Smooth(Activation::Tanh);
const SOFTPLUS: Unit = Unit::Smooth(Activation::PlainSoftplus);

fn kernels() -> [LimitKernel; 3] {
    [
        LimitKernel::FullyConnected { unit: TANH, depth: 3 },
        LimitKernel::Residual { unit: SOFTPLUS, depth: 3, scale: 0.7 },
        LimitKernel::ConvolutionalResidual { unit: TANH, depth: 3, scale: 0.7, channels: 2, patch: 3 },
    ]
}

fn inputs(n: usize, d: usize) -> Mat<f64> {
    let x = Mat::from_fn(n, d, |i, j| ((3 * i + 5 * j * j + 1) as f64).sin());
    let norms: Vec<f64> = (0..n).map(|i| x.row(i).norm_l2()).collect();
    Mat::from_fn(n, d, |i, j| x[(i, j)] / norms[i])
}

fn network(kernel: LimitKernel, width: usize, features: usize, seed: u64) -> WideNetwork {
    WideNetwork::draw(WideShape::of(kernel, width, features).expect("a network").expect("a deep one"), seed)
}

fn sizes(network: &WideNetwork) -> Vec<usize> {
    let of = |w: &Mat<f64>| w.nrows() * w.ncols();
    network.weights[1..].iter().chain([&network.output]).map(of).collect()
}

/// Outputs, the tangent kernel of every layer and the gradient of the loss, against derivatives by each parameter.
#[test]
fn passes_are_what_dual_numbers_give() {
    let x = inputs(3, 8);
    let targets = [0.4, -1.0, 0.8];
    for kernel in kernels() {
        let network = network(kernel, 4, 8, 5);
        let passes = WidePasses::new(&network, &x, Par::Seq);
        let residual: Vec<f64> = passes.outputs.iter().zip(targets).map(|(f, y)| f - y).collect();
        let gradient = passes.gradient(&residual, Par::Seq);
        let mut number = 0;
        for (index, size) in sizes(&network).into_iter().enumerate() {
            let h = index + 1;
            let own = if h <= network.shape.depth { &gradient.weights[h] } else { &gradient.output };
            let mut sum = Mat::<f64>::zeros(3, 3);
            for k in 0..size {
                let dual = outputs(&network, &x, number + k);
                let by_dual: f64 = dual.iter().zip(&residual).map(|(f, r)| f.1 * r).sum();
                assert!((own[(k / own.ncols(), k % own.ncols())] - by_dual).abs() < 1e-13, "layer {h}");
                for i in 0..3 {
                    assert!((dual[i].0 - passes.outputs[i]).abs() < 1e-13);
                    (0..3).for_each(|j| sum[(i, j)] += dual[i].1 * dual[j].1);
                }
            }
            assert!((passes.kernel(h, Par::Seq) - sum).norm_max() < 1e-13, "layer {h}");
            number += size;
        }
    }
}

#[test]
fn gradients_are_central_differences() {
    let x = inputs(4, 8);
    let y = [0.4, -1.0, 0.8, 0.1];
    for kernel in kernels() {
        let network = network(kernel, 5, 8, 2);
        let loss = |network: &WideNetwork| WideTraining::new(network.clone(), &x, &y, Par::Seq).loss();
        let training = WideTraining::new(network.clone(), &x, &y, Par::Seq);
        let gradient = training.passes().gradient(&training.residual(), Par::Seq);
        let step = 1e-5;
        for h in 1..=3 {
            for (i, j) in [(0, 0), (4, 3), (2, 1)] {
                let (mut plus, mut minus) = (network.clone(), network.clone());
                plus.weights[h][(i, j)] += step;
                minus.weights[h][(i, j)] -= step;
                let difference = (loss(&plus) - loss(&minus)) / (2.0 * step);
                assert!((difference - gradient.weights[h][(i, j)]).abs() < 1e-8, "layer {h}");
            }
        }
    }
}

/// To first order in the step, outputs move by `-step G (f - y)`.
#[test]
fn a_step_follows_the_whole_kernel() {
    let (x, y) = (inputs(4, 8), [0.4, -1.0, 0.8, 0.1]);
    for kernel in kernels() {
        let mut training = WideTraining::new(network(kernel, 30, 8, 2), &x, &y, Par::Seq);
        let (before, residual) = (training.passes().outputs.clone(), training.residual());
        let whole = training.passes().whole_kernel(Par::Seq);
        let step = 1e-6;
        training.step(step);
        for i in 0..4 {
            let slope: f64 = (0..4).map(|j| whole[(i, j)] * residual[j]).sum();
            let moved = (training.passes().outputs[i] - before[i]) / step;
            assert!((moved + slope).abs() < 1e-3 * whole.norm_max(), "{moved} {slope}");
        }
    }
}

/// `G^(H)` at the start is close to the limit, closer for wider networks. Means over starts of both widths.
#[test]
fn wide_kernels_approach_the_limit() {
    let x = inputs(4, 8);
    for kernel in kernels() {
        let limit = limit_kernel(kernel, &x).expect("a limit").matrix;
        let distance = |width: usize| -> f64 {
            let one = |seed: u64| {
                let passes = WidePasses::new(&network(kernel, width, 8, seed), &x, Par::Seq);
                (passes.kernel(3, Par::Seq) - &limit).norm_l2() / limit.norm_l2()
            };
            (0..8).map(one).sum::<f64>() / 8.0
        };
        let (narrow, wide) = (distance(64), distance(576));
        // Three times closer, up to the scatter of eight starts.
        assert!(wide < 0.2 && narrow / wide > 1.8 && narrow / wide < 5.0, "{narrow} {wide}");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (x, y) = (inputs(9, 8), [0.5; 9]);
    for kernel in kernels() {
        let run = |par: Par| {
            let mut training = WideTraining::new(network(kernel, 33, 8, 4), &x, &y, par);
            (0..3).for_each(|_| training.step(0.1));
            (training.passes().outputs.clone(), training.passes().kernel(2, par))
        };
        assert_eq!(run(Par::Seq), run(Par::rayon(2)));
    }
}

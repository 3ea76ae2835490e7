use super::dual::Accuracy;
use super::*;
use crate::network::activation::Activation::{Erf, Identity, PlainSoftplus, SmoothLeakyRelu, Softsign, Tanh};
use gradcert_rigor::linear::smallest_eigenvalue_lower;

const SOFTPLUS: Unit = Unit::Smooth(PlainSoftplus);

fn rows(x: &[&[f64]]) -> Mat<f64> {
    Mat::from_fn(x.len(), x[0].len(), |i, j| x[i][j])
}

/// Unit vectors in space.
fn three() -> Mat<f64> {
    rows(&[&[1.0, 0.0, 0.0], &[0.6, 0.8, 0.0], &[0.0, 0.6, -0.8]])
}

fn matrix(kernel: LimitKernel, x: &Mat<f64>) -> Mat<f64> {
    limit_kernel(kernel, x).expect("samples with a limit").matrix
}

fn smallest(matrix: &Mat<f64>) -> f64 {
    matrix.self_adjoint_eigenvalues(faer::Side::Lower).expect("eigenvalues")[0]
}

/// Printed with eight digits.
fn same(x: f64, printed: f64) {
    assert!((x - printed).abs() <= 0.51e-8, "{x} {printed}");
}

#[test]
fn softplus_networks_as_printed() {
    let x = three();
    assert!((SOFTPLUS.normalisation() - 1.085_486_502_988_343_6).abs() < 4e-15);
    let k = matrix(LimitKernel::FullyConnected { unit: SOFTPLUS, depth: 2 }, &x);
    for (i, j, printed) in [
        (0, 0, 0.318_458_98),
        (0, 1, 0.273_880_04),
        (0, 2, 0.214_621_63),
        (1, 1, 0.318_458_98),
        (1, 2, 0.261_324_98),
        (2, 2, 0.318_458_98),
    ] {
        same(k[(i, j)], printed);
        assert_eq!(k[(i, j)], k[(j, i)]);
    }
    same(smallest(&k), 0.031_706_80);
    same(smallest(&matrix(LimitKernel::FullyConnected { unit: SOFTPLUS, depth: 3 }, &x)), 0.010_264_07);
    let k = matrix(LimitKernel::Residual { unit: SOFTPLUS, depth: 3, scale: 0.9 }, &x);
    for (i, j, printed) in [(0, 0, 0.041_138_62), (0, 1, 0.037_012_49), (0, 2, 0.031_501_97), (1, 2, 0.035_847_58)] {
        same(k[(i, j)], printed);
    }
    same(smallest(&k), 0.002_950_19);
}

#[test]
fn linear_networks_by_hand() {
    let rho: f64 = 0.3;
    let x = rows(&[&[1.0, 0.0], &[rho, (1.0 - rho * rho).sqrt()]]);
    let unit = Unit::Smooth(Identity);
    let k = matrix(LimitKernel::FullyConnected { unit, depth: 5 }, &x);
    assert!((k[(0, 0)] - 1.0).abs() < 1e-15 && (k[(1, 0)] - rho).abs() < 1e-15);
    let k = matrix(LimitKernel::Residual { unit, depth: 4, scale: 0.9 }, &x);
    same(k[(0, 0)], 0.055_880_53);
    same(k[(1, 0)], 0.016_764_16);
}

/// Depth 1 is the kernel of two layers up to c = 2.
#[test]
fn rectified_networks_as_printed() {
    let rho: f64 = 0.3;
    let x = rows(&[&[1.0, 0.0], &[rho, (1.0 - rho * rho).sqrt()]]);
    for (depth, printed) in [(1, 0.179_096_01), (2, 0.318_784_99), (3, 0.420_589_55)] {
        let k = matrix(LimitKernel::FullyConnected { unit: Unit::Relu, depth }, &x);
        same(k[(1, 0)], printed);
        assert!((k[(0, 0)] - 1.0).abs() < 1e-14);
        if depth == 1 {
            let h = matrix(LimitKernel::Relu { both: false }, &x);
            assert!((k[(1, 0)] - 2.0 * h[(1, 0)]).abs() < 1e-15);
        }
    }
}

/// Unit vectors in the plane at 0, 60 and 150 degrees.
#[test]
fn three_vectors_in_the_plane() {
    let x = Mat::from_fn(3, 2, |i, k| {
        let angle = [0.0f64, 60.0, 150.0][i].to_radians();
        [angle.cos(), angle.sin()][k]
    });
    let h = matrix(LimitKernel::Relu { both: false }, &x);
    for (i, j, value) in [(0, 0, 0.5), (0, 1, 1.0 / 6.0), (0, 2, -0.072_168_783_648_703_22), (1, 2, 0.0)] {
        assert!((h[(i, j)] - value).abs() < 1e-15);
    }
    let bound = smallest_eigenvalue_lower(&arc_cosine::enclosure(x.as_ref(), false)).expect("a bound");
    assert!(bound <= smallest(&h) && bound > smallest(&h) - 1e-12);
}

/// `E f(u) f(v)` over the plane, by a product rule: no polynomials, no series.
fn in_the_plane(f: impl Fn(f64) -> f64, a: f64, b: f64, covariance: f64) -> f64 {
    let rho = covariance / (a * b).sqrt();
    let (step, count) = (0.03, 400);
    let density = |x: f64| (-0.5 * x * x).exp() * step / std::f64::consts::TAU.sqrt();
    let mut sum = 0.0;
    for i in -count..=count {
        let x = step * f64::from(i);
        let inner: f64 = (-count..=count)
            .map(|j| {
                let y = step * f64::from(j);
                density(y) * f(b.sqrt() * (rho * x + (1.0 - rho * rho).sqrt() * y))
            })
            .sum();
        sum += density(x) * f(a.sqrt() * x) * inner;
    }
    sum
}

#[test]
fn series_and_closed_forms_are_integrals_over_the_plane() {
    let quadrature = dual::Quadrature::new(Accuracy::FINE);
    for activation in [Tanh, PlainSoftplus, SmoothLeakyRelu(0.1), Activation::Gelu, Activation::Silu, Erf, Identity] {
        for (a, b, covariance) in [(1.0, 1.0, 0.3), (0.7, 2.0, -1.1), (1.3, 0.2, 0.49)] {
            let moments = dual::Moments::new(Unit::Smooth(activation), vec![a, b], &quadrature);
            let value = in_the_plane(|t| activation.value(t), a, b, covariance);
            let slope = in_the_plane(|t| activation.slope(t), a, b, covariance);
            assert!((moments.product(0, 1, covariance) - value).abs() < 1e-13, "{activation}");
            assert!((moments.product_of_slopes(1, 0, covariance) - slope).abs() < 1e-13, "{activation}");
        }
    }
}

#[test]
fn estimates_of_errors_are_errors_at_least() {
    let x = three();
    for activation in [Tanh, Activation::Logistic, Activation::Algebraic] {
        let unit = Unit::Smooth(activation);
        let limit = limit_kernel(LimitKernel::FullyConnected { unit, depth: 1 }, &x).expect("a limit");
        let c = 1.0 / in_the_plane(|t| activation.value(t), 1.0, 1.0, 1.0 - 1e-15);
        let slopes = in_the_plane(|t| activation.slope(t), 1.0, 1.0, 0.6);
        let error = (limit.matrix[(1, 0)] - c * 0.6 * slopes).abs();
        let estimate = limit.error.expect("a series");
        // The rule has errors of its own.
        assert!(error <= estimate.max(1e-13), "{activation}: {error} {estimate}");
    }
    // Its slope has a kink: a series that is slow near correlation 1, and an estimate that says so.
    let near = rows(&[&[1.0, 0.0], &[0.999, (1.0f64 - 0.999 * 0.999).sqrt()]]);
    let of = |activation| {
        let kernel = LimitKernel::FullyConnected { unit: Unit::Smooth(activation), depth: 1 };
        limit_kernel(kernel, &near).expect("a limit").error.expect("a series")
    };
    assert!(of(Softsign) > 1e-7 && of(Tanh) < 1e-10, "{} {}", of(Softsign), of(Tanh));
}

/// One pixel and patches of one pixel: a residual network.
#[test]
fn one_pixel_is_no_image() {
    let x = three();
    let residual = matrix(LimitKernel::Residual { unit: SOFTPLUS, depth: 4, scale: 0.7 }, &x);
    for patch in [1, 3, 5] {
        let kernel = LimitKernel::ConvolutionalResidual { unit: SOFTPLUS, depth: 4, scale: 0.7, channels: 3, patch };
        assert!((matrix(kernel, &x) - &residual).norm_max() < 1e-15);
    }
}

/// Linear units: `K^(H)_ij = t^2 sum_l K_{il,jl}` with U^(h) = U^(h-1) + t^2 patch(U^(h-1)).
#[test]
fn linear_convolutions_by_hand() {
    let x = rows(&[&[1.0, 2.0, -1.0, 0.5], &[0.3, -0.4, 0.8, 1.5]]);
    let patch = |u: &dyn Fn(i64, i64) -> f64, l: i64, r: i64| -> f64 {
        (-1..=1).filter(|o| [l + o, r + o].iter().all(|p| (0..4).contains(p))).map(|o| u(l + o, r + o)).sum()
    };
    let t: f64 = 0.8 / 3.0;
    let kernel = LimitKernel::ConvolutionalResidual {
        unit: Unit::Smooth(Identity),
        depth: 3,
        scale: 0.8,
        channels: 1,
        patch: 3,
    };
    let k = matrix(kernel, &x);
    for (i, j) in [(0, 0), (1, 0), (1, 1)] {
        let pixels = |l: i64, r: i64| x[(i, l as usize)] * x[(j, r as usize)];
        let first = |l: i64, r: i64| patch(&pixels, l, r);
        let second = |l: i64, r: i64| first(l, r) + t * t * patch(&first, l, r);
        let expected: f64 = (0..4).map(|l| t * t * patch(&second, l, l)).sum();
        assert!((k[(i, j)] - expected).abs() < 1e-14, "{} {expected}", k[(i, j)]);
    }
}

#[test]
fn enclosures_hold_the_entries_and_equal_samples_are_not_independent() {
    let x = Mat::from_fn(7, 4, |i, j| ((3 * i + 5 * j * j) as f64).sin() * 10f64.powi(i as i32 - 3));
    for both in [false, true] {
        let (ball, floats) = (arc_cosine::enclosure(x.as_ref(), both), matrix(LimitKernel::Relu { both }, &x));
        let difference = (ball.middle() - &floats).norm_max();
        assert!(difference < 1e-13 * floats.norm_max() && ball.radius().get() < 1e-11 * floats.norm_max());
    }
    let twice = rows(&[&[0.1, 0.7, 0.3], &[0.3, 0.1, 0.9], &[0.1, 0.7, 0.3]]);
    for both in [false, true] {
        let bound = smallest_eigenvalue_lower(&arc_cosine::enclosure(twice.as_ref(), both)).expect("a bound");
        assert!(bound <= 0.0, "{bound:e}");
    }
    // Opposite ones are, for the first layer: H = diag(1/2, 1/2).
    let opposite = rows(&[&[0.6, 0.8], &[-0.6, -0.8]]);
    let bound = smallest_eigenvalue_lower(&arc_cosine::enclosure(opposite.as_ref(), false)).expect("a bound");
    assert!(bound > 0.499 && bound <= 0.5, "{bound}");
}

#[test]
fn what_has_no_limit() {
    let x = three();
    let refused = |kernel, x: &Mat<f64>| limit_kernel(kernel, x).expect_err("refused").code();
    let relu = LimitKernel::Relu { both: false };
    assert_eq!(refused(relu, &rows(&[&[1.0, 0.0], &[0.0, 0.0]])), "zero_sample");
    assert_eq!(refused(relu, &rows(&[&[1.0, f64::NAN]])), "sample_range");
    assert_eq!(refused(relu, &rows(&[&[1e150, 1.0]])), "sample_range");
    assert_eq!(refused(relu, &Mat::zeros(0, 3)), "no_samples");
    assert_eq!(refused(LimitKernel::FullyConnected { unit: SOFTPLUS, depth: 0 }, &x), "kernel_depth");
    assert_eq!(refused(LimitKernel::Residual { unit: SOFTPLUS, depth: 1, scale: 0.5 }, &x), "kernel_depth");
    assert_eq!(refused(LimitKernel::Residual { unit: SOFTPLUS, depth: 2, scale: 1.0 }, &x), "residual_scale");
    for (channels, patch) in [(2, 3), (0, 3), (1, 2)] {
        let kernel = LimitKernel::ConvolutionalResidual { unit: SOFTPLUS, depth: 2, scale: 0.5, channels, patch };
        assert_eq!(refused(kernel, &x), "kernel_pixels");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let x = Mat::from_fn(40, 6, |i, j| ((i * 7 + j * 13) as f64 * 0.37).sin());
    let kernel = LimitKernel::FullyConnected { unit: Unit::Smooth(Tanh), depth: 2 };
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool").install(|| matrix(kernel, &x));
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool").install(|| matrix(kernel, &x));
    assert_eq!(alone, three);
}

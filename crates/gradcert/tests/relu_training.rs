//! Training of two-layer ReLU networks beside a network written down plainly: gradients by differences, updates, movement, kernels.

use faer::Mat;
use gradcert::relu::descent::{Trained, Training};
use gradcert::relu::start::Start;

struct Plain {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    w: Vec<Vec<f64>>,
    a: Vec<f64>,
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

impl Plain {
    fn residual(&self) -> Vec<f64> {
        let root = (self.a.len() as f64).sqrt();
        let output = |x: &Vec<f64>| self.w.iter().zip(&self.a).map(|(w, a)| a * dot(w, x).max(0.0)).sum::<f64>() / root;
        self.x.iter().zip(&self.y).map(|(x, y)| output(x) - y).collect()
    }

    /// `|rho|^2 / 2`.
    fn loss(&self) -> f64 {
        0.5 * self.residual().iter().map(|r| r * r).sum::<f64>()
    }

    /// Its derivatives by central differences, where no margin is near a kink.
    fn gradient(&mut self) -> (Vec<Vec<f64>>, Vec<f64>) {
        let h = 1e-6;
        let mut by = |change: &dyn Fn(&mut Plain, f64)| {
            change(self, h);
            let up = self.loss();
            change(self, -2.0 * h);
            let down = self.loss();
            change(self, h);
            (up - down) / (2.0 * h)
        };
        let (m, d) = (6, 3);
        let w = (0..m).map(|r| (0..d).map(|k| by(&|p, h| p.w[r][k] += h)).collect()).collect();
        (w, (0..m).map(|r| by(&|p, h| p.a[r] += h)).collect())
    }
}

fn pair(trained: Trained, seed: u64) -> (Plain, Training, Start) {
    let (n, d, m) = (4, 3, 6);
    let start = Start::draw(m, d, false, seed);
    let data = Start::draw(n + 1, d + 1, false, 100 + seed);
    let x = Mat::from_fn(n, d, |i, k| data.weights()[(k, i)]);
    let y: Vec<f64> = (0..n).map(|i| data.weights()[(i, n)]).collect();
    let rows = |m: &Mat<f64>| (0..m.nrows()).map(|i| (0..m.ncols()).map(|k| m[(i, k)]).collect()).collect();
    let columns = (0..m).map(|r| start.weights().col_as_slice(r).to_vec()).collect();
    let plain = Plain { x: rows(&x), y: y.clone(), w: columns, a: start.signs().to_vec() };
    (plain, Training::new(&x, &y, &start, trained), start)
}

/// One step of length c moves the parameters by -c times the gradient of `|rho|^2 / 2`: the residuals after it agree with those of the plain network.
#[test]
fn steps_are_gradients() {
    for (trained, seed) in [(Trained::FirstLayer, 1), (Trained::BothLayers, 2), (Trained::BothLayers, 3)] {
        let (mut plain, mut training, start) = pair(trained, seed);
        for _ in 0..5 {
            let (w, a) = plain.gradient();
            let c = 0.02;
            for r in 0..6 {
                (0..3).for_each(|k| plain.w[r][k] -= c * w[r][k]);
                plain.a[r] -= if trained == Trained::BothLayers { c * a[r] } else { 0.0 };
            }
            training.step(c);
            for (found, expected) in training.residual().iter().zip(plain.residual()) {
                assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            }
            assert!((0.5 * training.squared_residual() - plain.loss()).abs() < 1e-8);
        }
        let moved = |r: usize| (0..3).map(|k| (plain.w[r][k] - start.weights()[(k, r)]).powi(2)).sum::<f64>().sqrt();
        let largest = (0..6).map(moved).fold(0.0, f64::max);
        assert!((training.largest_movement() - largest).abs() < 1e-7);
        let changes = |r: usize, x: &Vec<f64>| {
            let [now, before] = [&plain.w[r][..], start.weights().col_as_slice(r)].map(|w| dot(w, x) >= 0.0);
            usize::from(now != before)
        };
        let changed: usize = (0..6).map(|r| plain.x.iter().map(|x| changes(r, x)).sum::<usize>()).sum();
        assert_eq!(training.changed_patterns(), changed as f64 / 24.0);
        assert!(training.output_weights().iter().zip(&plain.a).all(|(x, y)| (x - y).abs() < 1e-7));
    }
}

/// The change of the residual in a tiny step is -c K rho.
#[test]
fn the_kernel_is_the_derivative_of_the_residual() {
    for trained in [Trained::FirstLayer, Trained::BothLayers] {
        let (_, mut training, _) = pair(trained, 7);
        let (kernel, before) = (training.joint_kernel(), training.residual().to_vec());
        if trained == Trained::FirstLayer {
            let by_bits = training.kernel();
            assert!((&by_bits - &kernel).norm_max() < 1e-14);
        }
        let c = 1e-7;
        training.step(c);
        for i in 0..4 {
            let expected: f64 = (0..4).map(|j| kernel[(i, j)] * before[j]).sum();
            let found = (before[i] - training.residual()[i]) / c;
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let start = Start::draw(1500, 8, false, 5);
            let data = Start::draw(7, 8, false, 6);
            let x = Mat::from_fn(6, 8, |i, k| data.weights()[(k, i)]);
            let mut training = Training::new(&x, &data.weights().col_as_slice(6)[..6], &start, Trained::BothLayers);
            (0..20).for_each(|_| training.step(0.05));
            training.residual().to_vec()
        })
    };
    let alone = run(1);
    assert!([2, 3].iter().all(|&threads| run(threads) == alone));
}

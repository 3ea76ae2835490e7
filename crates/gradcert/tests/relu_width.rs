//! (T14): the movement lemma attacked with residuals made to use up margins, the contraction with patterns within reach, and runs beside
//! their certificates.

use faer::{Mat, Side};
use gradcert::relu::descent::{Trained, Training};
use gradcert::relu::start::Start;
use gradcert::relu::width::{Options, Problem, Search, certify, smallest};
use gradcert::theorem::relu_width::{Samples, cells, counts};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

struct Random(ChaCha12Rng);

impl Random {
    fn new(seed: u64) -> Random {
        Random(ChaCha12Rng::seed_from_u64(seed))
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// Samples on the unit sphere, normal targets.
    fn sphere(&mut self, n: usize, d: usize) -> (Mat<f64>, Vec<f64>) {
        let mut x = Mat::from_fn(n, d, |_, _| self.normal());
        for i in 0..n {
            let norm = x.row(i).norm_l2();
            (0..d).for_each(|k| x[(i, k)] /= norm);
        }
        let y = (0..n).map(|_| self.normal()).collect();
        (x, y)
    }
}

const OPTIONS: Options = Options { tolerance: 1e-16, step_size: None };

/// A path of steps `w <- w - tau m^{-1/2} X^T (theta o unit residual)` with residuals of our own choice, each of length 1 in the clock times tau. The bound
/// must hold for all of them: it knows nothing of where residuals come from.
struct Path<'a> {
    x: &'a Mat<f64>,
    gram: Mat<f64>,
    z: Vec<f64>,
    root: f64,
    clock: f64,
}

impl Path<'_> {
    fn step(&mut self, residual: &[f64], length: f64) {
        let n = self.z.len();
        let norm = residual.iter().map(|r| r * r).sum::<f64>().sqrt();
        let theta: Vec<f64> = self.z.iter().map(|&z| if z >= 0.0 { 1.0 } else { 0.0 }).collect();
        for i in 0..n {
            let by: f64 = (0..n).map(|j| self.gram[(i, j)] * theta[j] * residual[j] / norm).sum();
            self.z[i] -= length / self.root * by;
        }
        self.clock += length;
    }
}

/// One neuron (m = 1): the counts say who has surely kept, and who has possibly won, its pattern. Residuals that move one margin as
/// fast as possible must not flip it before its clock, and do flip some within a few per cent after it.
#[test]
fn margins_are_not_used_up_before_their_clock() {
    let (mut flips, mut sharp) = (0, 0);
    for case in 0..400 {
        let mut random = Random::new(case);
        let (n, d) = (1 + random.below(6), 1 + random.below(6));
        let (x, _) = random.sphere(n, d);
        let start = Start::draw(1, d, false, case);
        let samples = Samples::new(&x);
        let clocks: Vec<f64> = (1..=600).map(|k| f64::from(k) * 0.01).collect();
        let counts = counts(&samples, &start, &clocks);
        let victim = random.below(n);
        let at = victim * (victim + 1) / 2 + victim;
        let gram = &x * x.transpose();
        let z: Vec<f64> = (0..n).map(|i| (0..d).map(|k| x[(i, k)] * start.weights()[(k, 0)]).sum()).collect();
        let active = z[victim] >= 0.0;
        let mut path = Path { x: &x, gram, z, root: 1.0, clock: 0.0 };
        let helpers = random.below(3);
        for (cell, &clock) in clocks.iter().enumerate() {
            // Towards the boundary with every active sample, or with noise, or first with another victim.
            let toward = if active { 1.0 } else { -1.0 };
            let residual: Vec<f64> = (0..n)
                .map(|j| {
                    let own = if path.z[j] >= 0.0 { toward * path.gram[(victim, j)] } else { 0.0 };
                    own + if helpers == 0 { 0.0 } else { 0.1 * random.normal() }
                })
                .collect();
            if residual.iter().all(|&r| r == 0.0) {
                break;
            }
            path.step(&residual, clock - path.clock);
            assert!(path.clock <= clock && path.x.nrows() == n);
            for i in 0..n {
                let (now, k) = (path.z[i] >= 0.0, i * (i + 1) / 2 + i);
                assert!(counts.sure[cell][k] == 0 || now, "case {case}: a surely active pattern was lost");
                assert!(counts.possible[cell][k] == 1 || !now, "case {case}: a pattern was won too early");
            }
            if (path.z[victim] >= 0.0) != active {
                flips += 1;
                let known = if active { &counts.sure } else { &counts.possible };
                let announced = (0..=cell).find(|&c| known[c][at] == u32::from(!active)).expect("announced");
                sharp += u32::from(cell <= announced + announced / 20 + 2);
                break;
            }
        }
    }
    assert!(flips > 150 && sharp > flips / 3, "{flips} {sharp}");
}

/// Patterns theta, theta' in [0, 1] between the surely and the possibly active ones: `|I - c G o (theta' theta^T) / m|` in float singular values.
#[test]
fn every_product_of_patterns_within_reach_contracts() {
    for case in 0..30 {
        let mut random = Random::new(900 + case);
        let (n, m) = (2 + random.below(5), 40 + 2 * random.below(200));
        let (x, y) = random.sphere(n, 12);
        let norm = y.iter().map(|y| y * y).sum::<f64>().sqrt();
        let start = Start::draw(m, 12, case % 2 == 0, case);
        let samples = Samples::new(&x);
        let gram = &x * x.transpose();
        // The last cell of one neuron at a time gives its sets.
        let clock = 0.5 * norm;
        let all = counts(&samples, &start, &[clock]);
        let cell = cells(&samples, &all, &[clock], m)[0];
        let c = 1.0 / cell.high;
        let decay = cell.decay(c.into());
        let margins: Vec<(bool, f64)> = (0..m * n)
            .map(|k| {
                let z: f64 = (0..12).map(|f| x[(k % n, f)] * start.weights()[(f, k / n)]).sum();
                (z >= 0.0, z.abs() * (m as f64).sqrt())
            })
            .collect();
        for trial in 0..20 {
            // Speeds at most q for samples active at the start alone: what is within reach of it is within reach.
            let pattern = |random: &mut Random| {
                Mat::from_fn(n, m, |i, r| {
                    let (active, margin) = margins[r * n + i];
                    let q: f64 = (0..n).filter(|&j| margins[r * n + j].0).map(|j| gram[(i, j)].powi(2)).sum();
                    let flips = margin < clock * q.sqrt() * 0.999_999;
                    match (flips, trial) {
                        (false, _) => f64::from(u8::from(active)),
                        (true, 0) => 0.0,
                        (true, 1) => 1.0,
                        (true, 2) => f64::from(u8::from(!active)),
                        (true, _) => (random.normal().abs()).min(1.0),
                    }
                })
            };
            let (theta, averaged) = (pattern(&mut random), pattern(&mut random));
            let product = &averaged * theta.transpose();
            let step =
                Mat::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - c * gram[(i, j)] * product[(i, j)] / m as f64);
            let norm = step.singular_values().expect("it converges")[0];
            assert!(norm <= 1.0 - c * decay + 1e-14, "case {case}: {norm} > 1 - {}", c * decay);
        }
    }
}

/// A certified start is trained with the certified step: the residual obeys the recursion, no neuron leaves its ball, the kernel stays in its bounds, and the
/// count is not exceeded. The float run has errors of 1e-13 relative at most here; the loss is 1e-16 at the end.
#[test]
fn runs_keep_what_is_promised() {
    for (seed, n, d, antisymmetric) in [(1, 4, 20, true), (2, 5, 40, true), (3, 4, 30, false)] {
        let (x, mut y) = Random::new(seed).sphere(n, d);
        if !antisymmetric {
            y.iter_mut().for_each(|y| *y *= 0.5);
        }
        let problem = Problem::new(&x, &y);
        let search = Search { antisymmetric, seed, largest: 1 << 15, resolution: 0.05 };
        let (start, certified) = smallest(&problem, &OPTIONS, &search, &mut |_| ()).expect("certified");
        let c = 2.0 * certified.step_size / n as f64;
        let mut training = Training::new(&x, &y, &start, Trained::FirstLayer);
        assert!(training.squared_residual().sqrt() <= certified.residual.get());
        let (mut clock, mut iterations, level) = (0.0, 0, n as f64 * OPTIONS.tolerance);
        while training.squared_residual() > level {
            let before = training.squared_residual().sqrt();
            clock += c * before;
            training.step(c);
            iterations += 1;
            let cell = certified.cells.iter().position(|cell| clock <= cell.clock).expect("within the cells");
            let after = training.squared_residual().sqrt();
            assert!(after <= (1.0 - c * certified.decay[cell]) * before * (1.0 + 1e-12));
            assert!(after * after <= (1.0 - certified.rate) * before * before * (1.0 + 1e-12));
            assert!(training.largest_movement() <= certified.radius.get());
            let values = training.kernel().self_adjoint_eigenvalues(Side::Lower).expect("it converges");
            assert!(values[0] >= certified.smin.powi(2) && values[n - 1] <= 2.0 / c);
        }
        assert!(iterations <= certified.descent.iterations, "{iterations}");
        // Few of the changes that are allowed for happen, and some do.
        assert!(training.changed_patterns() > 0.0 && training.changed_patterns() < certified.changeable);
    }
}

/// The figures that are asked for: n = 10 and n = 20 unit samples with |y| about 3 and about sqrt(20).
#[test]
fn certified_widths_of_ten_and_twenty_samples() {
    for (n, d, length, largest) in [(10, 50, 3.0, 30_000), (20, 100, 20f64.sqrt(), 300_000)] {
        let (x, mut y) = Random::new(7).sphere(n, d);
        let norm = y.iter().map(|y| y * y).sum::<f64>().sqrt();
        y.iter_mut().for_each(|y| *y *= length / norm);
        let problem = Problem::new(&x, &y);
        let search = Search { antisymmetric: true, seed: 1, largest, resolution: 0.05 };
        let (start, certified) = smallest(&problem, &OPTIONS, &search, &mut |_| ()).expect("certified");
        assert!(certified.rate > 0.0 && certified.descent.iterations > 0);
        // Below a tenth of it nothing is certified: the figure is not an accident.
        assert!(certify(&problem, &Start::draw(start.width() / 10, d, true, 1), &OPTIONS).is_err());
    }
}

/// A step beyond 2 / lmax is declined although the flow is certified, a small one is certified, and one so small that ten million iterations do not
/// suffice is declined for that.
#[test]
fn steps_are_certified_up_to_stability() {
    let (x, y) = Random::new(11).sphere(4, 20);
    let problem = Problem::new(&x, &y);
    let start = Start::draw(4000, 20, true, 1);
    let with = |step_size: Option<f64>| certify(&problem, &start, &Options { step_size, ..OPTIONS });
    let auto = with(None).expect("certified");
    let stable = 4.0 / auto.lmax_start;
    for (factor, code) in [(1.02, "step_too_large"), (3.0, "step_too_large"), (1e-9, "too_slow")] {
        let declined = with(Some(factor * stable)).expect_err("declined");
        assert_eq!(declined.reasons[0].code, code, "{factor}");
    }
    let small = with(Some(0.1 * stable)).expect("certified");
    assert!(small.descent.iterations > auto.descent.iterations && small.flow_rate.is_some());
    let flow = small.flow_rate.expect("a rate");
    assert!(small.rate <= flow * small.step_size, "{} {}", small.rate, flow * small.step_size);
}

/// The same neurons in another order are counted one by one, not as pairs.
#[test]
fn pairs_are_counted_twice() {
    let (x, _) = Random::new(12).sphere(5, 8);
    let start = Start::draw(60, 8, true, 3);
    let turned = |r: usize| if r < 2 { 1 - r } else { r };
    let weights = Mat::from_fn(8, 60, |k, r| start.weights()[(k, turned(r))]);
    let other = Start::new(weights, (0..60).map(|r| start.signs()[turned(r)]).collect()).expect("a start");
    assert!(start.is_antisymmetric() && !other.is_antisymmetric());
    let samples = Samples::new(&x);
    let clocks = [0.1, 0.5, 1.0, 2.0, 4.0];
    assert_eq!(counts(&samples, &start, &clocks), counts(&samples, &other, &clocks));
}

/// Samples that are 0 or multiples of one another have a singular kernel; opposite ones do not.
#[test]
fn parallel_samples_are_declined() {
    let opposite = Mat::from_fn(2, 2, |i, k| [[0.6, 0.8], [-0.6, -0.8]][i][k]);
    let code = |x: &Mat<f64>| {
        let problem = Problem::new(x, &[0.1, 0.2]);
        certify(&problem, &Start::draw(2000, 2, true, 1), &OPTIONS)
            .map_err(|declined| declined.reasons[0].code)
            .map(|_| ())
    };
    assert_eq!(code(&opposite), Ok(()));
    assert_eq!(code(&Mat::from_fn(2, 2, |i, k| opposite[(0, k)] * (1 + i) as f64)), Err("singular_kernel"));
    assert_eq!(code(&Mat::from_fn(2, 2, |i, k| if i == 0 { 0.0 } else { opposite[(0, k)] })), Err("singular_kernel"));
}

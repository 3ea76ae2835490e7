//! Gradient flow x' = -grad f, integrated in doubles, beside what (T3) promises about it.
//!
//! The method is the explicit Runge-Kutta pair of Dormand and Prince of order 8(5,3). Stability limits its step to about six
//! over the largest curvature, so the work grows with the condition number; a limit of work ends a run with that answer.

use differential_equations::error::Error;
use differential_equations::methods::ExplicitRungeKutta;
use differential_equations::ode::{ODE, OrdinaryNumericalMethod};
use differential_equations::status::Status;
use serde::Serialize;

/// A function f of p variables with its gradient, in doubles.
pub trait Field {
    /// p.
    fn dimension(&self) -> usize;

    /// Writes the gradient at x and returns `f(x)`; NaN where f is not defined.
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// The least that f can be at the point for which x stands: `value`, less what rounding of x and of f may have added to it.
    /// Values are compared with a promise only as far as they are known.
    fn lowest(&self, x: &[f64], value: f64) -> f64 {
        let _ = x;
        value
    }
}

/// What is proved about a flow: it stays within `radius` of its start and converges to an x* with f(x*) = 0;
/// `f(x(t)) <= f(x(0)) exp(-decay t)`, and the path after time t is at most `radius exp(-decay t / 2)` long, hence so is `|x(t) - x*|`.
///
/// The length: with phi non-increasing, `sqrt f(x(0)) < integral_0^radius phi` and `|grad f| >= 2 phi sqrt f`, let s be the path walked
/// and G the number with `integral_s^{s+G} phi = sqrt f`. The path that is left is at most G. As s grows by ds, `sqrt f` falls by at least
/// `phi(s) ds`, so `s + G` does not grow; `ds/dt = |grad f| >= 2 phi(s) sqrt f >= 2 phi(s) phi(radius) G`. So
/// `G' <= -2 phi(radius)^2 G`, `decay = 4 phi(radius)^2`, and G starts below the radius.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Promise {
    /// The radius of the ball.
    pub radius: f64,
    /// The rate alpha.
    pub decay: f64,
}

/// When to stop, and how exactly to integrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Stop when f is at most this.
    pub tolerance: f64,
    /// Stop at this time.
    pub time: Option<f64>,
    /// Stop after this many steps, rejected ones included.
    pub max_steps: u64,
    /// Estimated relative error of a step in each coordinate.
    pub relative_error: f64,
    /// Estimated absolute error of a step in each coordinate.
    pub absolute_error: f64,
    /// The largest curvature on the way, if it is known. Steps are at most one over the largest curvature that is known or was seen
    /// on the way: then every mode decays in a step, the error of a step shrinks with the gradient, and f can be
    /// followed to values whose square root is below `absolute_error`.
    pub curvature: Option<f64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tolerance: 1e-20,
            time: None,
            max_steps: 200_000,
            relative_error: 1e-12,
            absolute_error: 1e-14,
            curvature: None,
        }
    }
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// f is at most the tolerance.
    Tolerance,
    /// The time is over.
    Time,
    /// The work limit: the problem is too stiff for an explicit method, or the tolerance too small.
    WorkLimit,
    /// f or its gradient is not finite at the start, or steps became too small to move time: the flow leaves the domain of f, or
    /// blows up.
    Stuck,
    /// The gradient vanishes, and f does not: a critical point.
    Critical,
    /// f cannot be told from 0: it is smaller than what rounding may add to it.
    Rounding,
    /// The caller asked to stop.
    Interrupted,
}

/// One recorded time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Record {
    /// t.
    pub time: f64,
    /// f(x(t)).
    pub value: f64,
    /// `f(x(0)) exp(-decay t)`, where it is promised.
    pub envelope: Option<f64>,
    /// `|x(t) - x(0)|`.
    pub distance: f64,
    /// Length of the path walked.
    pub path: f64,
    /// `radius exp(-decay t / 2)`, where it is promised.
    pub remaining_bound: Option<f64>,
}

/// How a run compares with the promise; every ratio should be at most 1, up to [`Comparison::SLACK`] for the integrator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Largest `f(x(t)) / (f(x(0)) exp(-decay t))` over all accepted steps.
    pub value: f64,
    /// Largest distance over the radius.
    pub distance: f64,
    /// Largest (path walked after t) over `radius exp(-decay t / 2)`, over the recorded times.
    pub remaining_path: f64,
}

impl Comparison {
    /// What the integrator's own error may add to a ratio. It is no part of any proof.
    pub const SLACK: f64 = 1e-6;

    /// Does the integrated flow obey the promise?
    pub fn is_kept(&self) -> bool {
        [self.value, self.distance, self.remaining_path].iter().all(|&ratio| ratio <= 1.0 + Self::SLACK)
    }
}

/// An integrated flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The last point.
    pub end: Vec<f64>,
    /// The last time.
    pub time: f64,
    /// f there.
    pub value: f64,
    /// Accepted steps.
    pub steps: u64,
    /// Steps tried again with a smaller size.
    pub rejected: u64,
    /// Some times, first and last among them.
    pub history: Vec<Record>,
    /// Largest increase of f in an accepted step relative to f before it; 0 in exact arithmetic.
    pub largest_increase: f64,
    /// The promise against the run, if there is one.
    pub comparison: Option<Comparison>,
    /// Why it ended.
    pub stop: Stop,
}

/// The system (x, path): `x' = -grad f`, `path' = |grad f|`.
struct System<'a>(&'a dyn Field);

impl ODE<f64, Vec<f64>> for System<'_> {
    fn diff(&self, _time: f64, state: &Vec<f64>, derivative: &mut Vec<f64>) {
        let p = self.0.dimension();
        self.0.gradient(&state[..p], &mut derivative[..p]);
        let mut square = 0.0;
        for d in &mut derivative[..p] {
            square += *d * *d;
            *d = -*d;
        }
        derivative[p] = square.sqrt();
    }
}

type Method = ExplicitRungeKutta<
    differential_equations::methods::Ordinary,
    differential_equations::methods::DormandPrince,
    f64,
    Vec<f64>,
    8,
    12,
    16,
>;

/// Integrates from `start` (p coordinates). The callback sees time and value and returns whether to go on.
pub fn integrate(
    field: &dyn Field,
    start: &[f64],
    settings: &Settings,
    promise: Option<Promise>,
    progress: &mut dyn FnMut(f64, f64) -> bool,
) -> Flow {
    let mut run = Run::new(field, start, promise);
    let stop = match run.method(start, settings) {
        Some(mut method) => run.advance(&mut method, settings, progress),
        None => run.stop_at_start(settings),
    };
    run.finish(stop)
}

/// A run in progress.
struct Run<'a> {
    field: &'a dyn Field,
    start: Vec<f64>,
    promise: Option<Promise>,
    gradient: Vec<f64>,
    /// The curvature along the last step: change of the gradient over change of the point.
    curvature: f64,
    flow: Flow,
    next_record: u64,
}

impl<'a> Run<'a> {
    fn new(field: &'a dyn Field, start: &[f64], promise: Option<Promise>) -> Run<'a> {
        let mut gradient = vec![0.0; start.len()];
        let value = field.gradient(start, &mut gradient);
        let comparison = promise.map(|_| Comparison { value: 1.0, distance: 0.0, remaining_path: 0.0 });
        let flow = Flow {
            end: start.to_vec(),
            time: 0.0,
            value,
            steps: 0,
            rejected: 0,
            history: vec![],
            largest_increase: 0.0,
            comparison,
            stop: Stop::Interrupted,
        };
        let mut run = Run { field, start: start.to_vec(), promise, gradient, curvature: 0.0, flow, next_record: 1 };
        run.record(0.0);
        run
    }

    fn speed(&self) -> f64 {
        self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
    }

    /// Is there nothing to integrate?
    fn stop_at_start(&self, settings: &Settings) -> Stop {
        if self.flow.value <= settings.tolerance {
            Stop::Tolerance
        } else if self.flow.value.is_finite() && self.speed() == 0.0 {
            Stop::Critical
        } else if settings.time == Some(0.0) {
            Stop::Time
        } else {
            Stop::Stuck
        }
    }

    /// The integrator at the start; `None` if the run is over there.
    fn method(&self, start: &[f64], settings: &Settings) -> Option<Method> {
        let fine = self.flow.value.is_finite() && self.speed().is_finite() && self.speed() > 0.0;
        if !fine || self.flow.value <= settings.tolerance || settings.time == Some(0.0) {
            return None;
        }
        let mut state = start.to_vec();
        state.push(0.0);
        let mut method = ExplicitRungeKutta::dop853()
            .rtol(settings.relative_error)
            .atol(settings.absolute_error)
            .max_steps(usize::MAX);
        if let Some(curvature) = settings.curvature {
            method = method.h_max(1.0 / curvature);
        }
        // The time to come only caps the first step.
        let horizon = settings.time.unwrap_or(f64::MAX);
        method.init(&System(self.field), 0.0, horizon, &state).ok()?;
        Some(method)
    }

    fn advance(
        &mut self,
        method: &mut Method,
        settings: &Settings,
        progress: &mut dyn FnMut(f64, f64) -> bool,
    ) -> Stop {
        let system = System(self.field);
        loop {
            if self.flow.steps + self.flow.rejected >= settings.max_steps {
                return Stop::WorkLimit;
            }
            let left = settings.time.map_or(f64::INFINITY, |end| end - self.flow.time);
            method.set_h(method.h().min(left).min(1.0 / self.curvature));
            // A step that does not move time.
            if self.flow.time + method.h() <= self.flow.time {
                return if self.speed() == 0.0 { Stop::Critical } else { Stop::Stuck };
            }
            match method.step(&system) {
                // A suspicion of stiffness leaves the state as it was; the work limit decides.
                Err(Error::Stiffness { .. }) => self.flow.rejected += 1,
                Err(_) => return Stop::Stuck,
                Ok(_) if matches!(method.status(), Status::RejectedStep) => self.flow.rejected += 1,
                Ok(_) => {
                    if let Some(stop) = self.accept(method, settings, progress) {
                        return stop;
                    }
                }
            }
        }
    }

    /// Looks at an accepted step.
    fn accept(
        &mut self,
        method: &Method,
        settings: &Settings,
        progress: &mut dyn FnMut(f64, f64) -> bool,
    ) -> Option<Stop> {
        let p = self.start.len();
        let before = self.flow.value;
        let state = method.y();
        let gradient = self.gradient.clone();
        self.flow.value = self.field.gradient(&state[..p], &mut self.gradient);
        self.curvature = difference(&self.gradient, &gradient) / difference(&state[..p], &self.flow.end);
        self.flow.end.copy_from_slice(&state[..p]);
        self.flow.time = method.t();
        self.flow.steps += 1;
        if !self.flow.value.is_finite() {
            return Some(Stop::Stuck);
        }
        self.flow.largest_increase = self.flow.largest_increase.max((self.flow.value - before) / before);
        let lowest = self.field.lowest(&self.flow.end, self.flow.value);
        let stop = if self.flow.value <= settings.tolerance {
            Some(Stop::Tolerance)
        } else if lowest <= 0.0 {
            Some(Stop::Rounding)
        } else if settings.time.is_some_and(|end| self.flow.time >= end) {
            Some(Stop::Time)
        } else if self.speed() == 0.0 {
            Some(Stop::Critical)
        } else if !progress(self.flow.time, self.flow.value) {
            Some(Stop::Interrupted)
        } else {
            None
        };
        self.compare(lowest);
        if stop.is_some() || self.flow.steps >= self.next_record {
            self.record(state[p]);
            // Every step at first, then a constant number per factor of e.
            self.next_record = self.flow.steps + 1 + self.flow.steps / 200;
        }
        stop
    }

    fn distance(&self) -> f64 {
        difference(&self.flow.end, &self.start)
    }

    fn envelope(&self) -> Option<f64> {
        let start = self.flow.history.first().map_or(self.flow.value, |r| r.value);
        self.promise.map(|p| start * (-p.decay * self.flow.time).exp())
    }

    fn compare(&mut self, value: f64) {
        let (distance, envelope) = (self.distance(), self.envelope());
        if let (Some(c), Some(p), Some(envelope)) = (&mut self.flow.comparison, self.promise, envelope) {
            c.value = c.value.max(value / envelope);
            c.distance = c.distance.max(distance / p.radius);
        }
    }

    fn record(&mut self, path: f64) {
        let record = Record {
            time: self.flow.time,
            value: self.flow.value,
            envelope: self.envelope(),
            distance: self.distance(),
            path,
            remaining_bound: self.promise.map(|p| p.radius * (-0.5 * p.decay * self.flow.time).exp()),
        };
        self.flow.history.push(record);
    }

    fn finish(mut self, stop: Stop) -> Flow {
        self.flow.stop = stop;
        let last = self.flow.history.last().map_or(0.0, |r| r.path);
        // Rounding in the sum of the steps, some units in the last place each, is no part of the path.
        let rounding = f64::EPSILON * last * (16.0 + self.flow.steps as f64);
        let ratio = |r: &Record| r.remaining_bound.map_or(0.0, |bound| (last - r.path - rounding) / bound);
        let remaining = self.flow.history.iter().map(ratio).fold(0.0, f64::max);
        if let Some(c) = &mut self.flow.comparison {
            c.remaining_path = remaining;
        }
        self.flow
    }
}

/// `|x - y|`.
fn difference(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Square;

    impl Field for Square {
        fn dimension(&self) -> usize {
            1
        }
        fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient[0] = 2.0 * x[0];
            x[0] * x[0]
        }
    }

    /// `(x y - 1)^2`.
    struct Hyperbola;

    impl Field for Hyperbola {
        fn dimension(&self) -> usize {
            2
        }
        fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            let g = x[0] * x[1] - 1.0;
            gradient.copy_from_slice(&[2.0 * g * x[1], 2.0 * g * x[0]]);
            g * g
        }
    }

    fn go(_: f64, _: f64) -> bool {
        true
    }

    /// x' = -2x: `f(t) = e^{-4t}`; alpha = 4 on every ball, so (T3) is an equality at every r > 1.
    #[test]
    fn the_square_has_a_closed_form() {
        let promise = Promise { radius: 1.0 + 1e-9, decay: 4.0 };
        let flow = integrate(&Square, &[1.0], &Settings::default(), Some(promise), &mut go);
        assert_eq!(flow.stop, Stop::Tolerance);
        for r in &flow.history {
            let exact = (-2.0 * r.time).exp();
            assert!((r.value.sqrt() - exact).abs() <= 1e-11, "{r:?}");
            assert!((r.path - (1.0 - exact)).abs() <= 1e-11 && (r.distance - r.path).abs() <= 1e-11);
        }
        let comparison = flow.comparison.expect("there is a promise");
        assert!((1.0 - 1e-6..=1.0 + Comparison::SLACK).contains(&comparison.remaining_path), "{comparison:?}");
        assert!(
            comparison.is_kept() && flow.largest_increase <= 0.0,
            "{comparison:?} {} {}",
            flow.largest_increase,
            flow.steps
        );
    }

    #[test]
    fn the_time_is_reached_exactly() {
        for time in [1e-9, 0.3, 2.0] {
            let settings = Settings { time: Some(time), ..Settings::default() };
            let flow = integrate(&Square, &[1.0], &settings, None, &mut go);
            assert_eq!((flow.stop, flow.time), (Stop::Time, time));
            assert!((flow.end[0] - (-2.0 * time).exp()).abs() < 1e-12);
        }
    }

    /// (2.5, 0), r = 1.25: alpha = 4 (x0 - r)^2 = 6.25; the limit lies on x^2 - y^2 = 6.25, which is conserved.
    #[test]
    fn the_hyperbola_keeps_its_promise() {
        let promise = Promise { radius: 1.25, decay: 6.25 };
        let flow = integrate(&Hyperbola, &[2.5, 0.0], &Settings::default(), Some(promise), &mut go);
        assert_eq!(flow.stop, Stop::Tolerance);
        assert!(flow.comparison.is_some_and(|c| c.is_kept() && c.value <= 1.0));
        let (x, y) = (flow.end[0], flow.end[1]);
        assert!((x * x - y * y - 6.25).abs() < 1e-9 && (x * y - 1.0).abs() < 1e-9, "{x}, {y}");
        assert!(flow.largest_increase <= 0.0);
    }

    #[test]
    fn a_false_promise_is_noticed() {
        let promise = Promise { radius: 1.25, decay: 40.0 };
        let flow = integrate(&Hyperbola, &[2.5, 0.0], &Settings::default(), Some(promise), &mut go);
        assert!(flow.comparison.is_some_and(|c| !c.is_kept()));
    }

    #[test]
    fn every_end_has_its_name() {
        let settings = Settings::default();
        assert_eq!(integrate(&Hyperbola, &[0.0, 0.0], &settings, None, &mut go).stop, Stop::Critical);
        assert_eq!(integrate(&Hyperbola, &[1.0, 1.0], &settings, None, &mut go).stop, Stop::Tolerance);
        assert_eq!(integrate(&Hyperbola, &[f64::NAN, 1.0], &settings, None, &mut go).stop, Stop::Stuck);
        assert_eq!(integrate(&Square, &[1.0], &settings, None, &mut |_, _| false).stop, Stop::Interrupted);
        let few = Settings { max_steps: 3, ..settings };
        assert_eq!(integrate(&Square, &[1.0], &few, None, &mut go).stop, Stop::WorkLimit);
        let none = Settings { time: Some(0.0), ..settings };
        assert_eq!(integrate(&Square, &[1.0], &none, None, &mut go).stop, Stop::Time);
    }

    /// sqrt(x) from x = 1 reaches 0, where the gradient is infinite, at t = 2/3... and is not defined beyond.
    #[test]
    fn leaving_the_domain_ends_the_run() {
        struct Root;
        impl Field for Root {
            fn dimension(&self) -> usize {
                1
            }
            fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
                gradient[0] = 0.5 / x[0].sqrt();
                1.0 + x[0].sqrt()
            }
        }
        let flow = integrate(&Root, &[1.0], &Settings::default(), None, &mut go);
        assert!(matches!(flow.stop, Stop::Stuck | Stop::WorkLimit), "{:?}", flow.stop);
        assert!((flow.time - 4.0 / 3.0).abs() < 1e-6, "{}", flow.time);
    }
}

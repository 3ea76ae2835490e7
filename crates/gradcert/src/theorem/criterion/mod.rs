//! The criterion for any function: (T1), (T1i), (T2), (T2').
//!
//! f: R^p -> [0, inf), a start x0. A ball around x0 on which `|grad f|^2 / f` is large against f(x0) cannot be left by the gradient flow, nor by
//! descent with small steps, before f is 0. Everything is proved with outward rounding: lower bounds of phi by branch and bound
//! ([`certify`]), upper bounds of the derivatives likewise.
//!
//! ```
//! use gradcert::function::Expression;
//! use gradcert::theorem::criterion::{Options, certify};
//!
//! let f = Expression::parse("(x*y - 1)^2", &["x", "y"])?;
//! let verdict = certify(&f, &[2.5, 0.0], &Options::default())?;
//! let descent = verdict.best_descent().expect("certified from here");
//! assert!(descent.rate > 0.1);
//! // From (1.3, 0) no ball is large enough.
//! assert!(!certify(&f, &[1.3, 0.0], &Options::default())?.is_certified());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bounds;
mod cover;
mod descent_paper;
mod descent_sharp;
mod flow_integral;
mod flow_paper;
mod profile;
mod region;
mod search;
mod suprema;
mod symmetric;
mod zeros;

pub use profile::Profile;

use crate::certify::Reason;
use crate::function::Function;
use cover::Cover;
use gradcert_rigor::Interval;
use gradcert_rigor::rounding::sqrt_up;
use symmetric::Symmetric;

/// How much to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The radius r of the ball; `None`: the best one is searched.
    pub radius: Option<f64>,
    /// Most boxes that are evaluated.
    pub max_boxes: usize,
    /// Cells of the step function phi.
    pub cells: usize,
    /// Relative accuracy aimed at for the integral of phi.
    pub tolerance: f64,
    /// Are steps for descent wanted, or the flow alone?
    pub descent: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { radius: None, max_boxes: 200_000, cells: 1024, tolerance: 1e-3, descent: true }
    }
}

impl Options {
    /// A rougher answer in a few milliseconds, about the flow alone: as sound, but starts close to the threshold are declined.
    pub fn quick() -> Options {
        Options { radius: None, max_boxes: 600, cells: 64, tolerance: 0.03, descent: false }
    }
}

/// A start about which nothing can be said. [`StartError::code`] is stable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// Not one coordinate for each variable.
    #[error("the start has {given} coordinates, the function {expected} variables")]
    Dimension {
        /// Coordinates of the start.
        given: usize,
        /// Variables of the function.
        expected: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("coordinate {index} of the start is not a finite number")]
    NotFinite {
        /// Position, from 1.
        index: usize,
    },
    /// The radius is not a positive number.
    #[error("the radius must be a positive finite number, not {radius:?}")]
    Radius {
        /// As given.
        radius: f64,
    },
    /// f is not in C^2 around the start.
    #[error(
        "the function is not defined, or not twice differentiable, at the start (log or a root of a number <= 0, a division by 0)"
    )]
    Undefined,
    /// f(x0) < 0.
    #[error("the function is negative at the start ({value:?}); the criterion is about functions that are >= 0")]
    Negative {
        /// An upper bound of f(x0).
        value: f64,
    },
    /// f(x0) or its gradient is beyond the doubles.
    #[error("the function overflows at the start")]
    Overflow,
}

impl StartError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            StartError::Dimension { .. } => "start_dimension",
            StartError::NotFinite { .. } => "start_not_finite",
            StartError::Radius { .. } => "radius",
            StartError::Undefined => "start_undefined",
            StartError::Negative { .. } => "start_negative",
            StartError::Overflow => "start_overflow",
        }
    }
}

/// A certified gradient flow: it stays in B(x0, radius) and converges to a zero of f, with f(x(t)) <= exp(-alpha t) f(x0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// The ball that is not left.
    pub radius: f64,
    /// A lower bound of |grad f|^2 / f where f > 0 on that ball.
    pub alpha: f64,
}

/// A certified descent: with this step, or any smaller positive one at its proportionally smaller rate, the iterates stay in
/// B(x0, radius) and converge to a zero of f, with f(x_k) <= (1 - rate)^k f(x0). In exact arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// The ball that is not left.
    pub radius: f64,
    /// A lower bound of |grad f|^2 / f where f > 0 on that ball.
    pub alpha: f64,
    /// The share of the decrease that is given to the curvature.
    pub epsilon: f64,
    /// The step size eta.
    pub step: f64,
    /// Each step multiplies f by at most 1 - rate.
    pub rate: f64,
}

/// What is proved from a start.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// An upper bound of f(x0).
    pub value: f64,
    /// f(x0) = 0 is proved: there is nothing to do.
    pub already_minimum: bool,
    /// (T1): the smallest certified ball.
    pub flow_paper: Option<Flow>,
    /// (T1i): the smallest certified ball.
    pub flow_integral: Option<Flow>,
    /// (T2): the best rate.
    pub descent_paper: Option<Descent>,
    /// (T2'): the best rate.
    pub descent_sharp: Option<Descent>,
    /// Why nothing is certified; empty otherwise.
    pub reasons: Vec<Reason>,
    /// The proved step function phi.
    pub profile: Profile,
    /// Boxes evaluated for it.
    pub boxes: usize,
}

impl Verdict {
    /// Is anything proved?
    pub fn is_certified(&self) -> bool {
        self.already_minimum || !self.certified_by().is_empty()
    }

    /// The names of the methods that certify.
    pub fn certified_by(&self) -> Vec<&'static str> {
        let methods = [
            ("flow-paper", self.flow_paper.is_some()),
            ("flow-integral", self.flow_integral.is_some()),
            ("descent-paper", self.descent_paper.is_some()),
            ("descent-sharp", self.descent_sharp.is_some()),
        ];
        methods.into_iter().filter(|m| m.1).map(|m| m.0).collect()
    }

    /// The certified descent with the best rate.
    pub fn best_descent(&self) -> Option<Descent> {
        let descents = [self.descent_sharp, self.descent_paper];
        descents.into_iter().flatten().max_by(|a, b| a.rate.total_cmp(&b.rate))
    }

    /// The certified flow with the best rate.
    pub fn best_flow(&self) -> Option<Flow> {
        [self.flow_integral, self.flow_paper].into_iter().flatten().max_by(|a, b| a.alpha.total_cmp(&b.alpha))
    }
}

/// What all methods are about.
struct Problem<'a> {
    f: &'a dyn Function,
    start: &'a [f64],
    /// An upper bound of f(x0).
    value: f64,
    /// An upper bound of its square root.
    root: f64,
    /// Most boxes.
    budget: usize,
}

/// Applies the criterion to f at the start, by every method.
///
/// # Errors
/// [`StartError`] if the start is no start. A function that cannot be certified is no error: [`Verdict::reasons`].
pub fn certify(f: &dyn Function, start: &[f64], options: &Options) -> Result<Verdict, StartError> {
    check(f, start, options)?;
    let point: Vec<Interval> = start.iter().map(|&c| Interval::exact(c)).collect();
    let enclosure = f.enclose(&point).ok_or(StartError::Undefined)?;
    let enclosed = *enclosure.function().value();
    let nonnegative = f.is_nonnegative() || !enclosure.residuals().is_empty();
    if !enclosed.hi().is_finite() || !f.value(start).is_finite() {
        return Err(StartError::Overflow);
    }
    let stationary = f.vanishes_at(start);
    // f = 0 with a vanishing gradient is a minimum if f >= 0, or if the Hessian is positive definite; x^3 has none at 0.
    let convex =
        || Symmetric::new(start.len(), |i, j| enclosure.function().second_partial(i, j)).smallest_eigenvalue() > 0.0;
    if (nonnegative && enclosed.hi() <= 0.0) || (stationary && (nonnegative || convex())) {
        return Ok(Verdict { already_minimum: true, ..Verdict::default() });
    }
    if enclosed.hi() <= 0.0 && !stationary {
        return Err(StartError::Negative { value: enclosed.hi() });
    }
    let value =
        f.exact_value(start).filter(|&exact| exact > 0.0).map_or(enclosed.hi(), |exact| exact.min(enclosed.hi()));
    let problem = Problem { f, start, value, root: sqrt_up(value), budget: options.max_boxes };
    Ok(search::verdict(&problem, options))
}

fn check(f: &dyn Function, start: &[f64], options: &Options) -> Result<(), StartError> {
    let (given, expected) = (start.len(), f.dimension());
    if given != expected || given == 0 {
        return Err(StartError::Dimension { given, expected });
    }
    if let Some(i) = start.iter().position(|c| !c.is_finite()) {
        return Err(StartError::NotFinite { index: i + 1 });
    }
    match options.radius {
        Some(radius) if !(radius > 0.0 && radius.is_finite()) => Err(StartError::Radius { radius }),
        _ => Ok(()),
    }
}

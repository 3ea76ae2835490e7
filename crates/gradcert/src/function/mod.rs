//! Functions f: R^p -> [0, inf) that one wants to see minimised: what the criterion and the integrators ask of them.
//!
//! A [`Function`] is evaluated in doubles to search and on boxes of intervals to prove. Most implement [`Formula`]
//! instead - one generic expression, from which values, derivatives and enclosures follow by automatic differentiation -
//! or parse an [`Expression`] from text.
//!
//! ```
//! use gradcert::function::{Formula, Function, Jet, Scalar, Terms};
//!
//! /// (x y - 1)^2 + (x - z)^2.
//! struct Hyperbola;
//!
//! impl Formula for Hyperbola {
//!     fn dimension(&self) -> usize {
//!         3
//!     }
//!     fn terms<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Terms<T>> {
//!         Some(Terms::squares(vec![&(&x[0] * &x[1]) - &Jet::integer(1), &x[0] - &x[2]]))
//!     }
//! }
//!
//! let mut gradient = [0.0; 3];
//! assert_eq!(Hyperbola.gradient(&[2.0, 1.0, 2.0], &mut gradient), 1.0);
//! assert_eq!(gradient, [2.0, 4.0, 0.0]);
//! ```

mod error;
mod expression;
mod jet;
mod parse;
mod scalar;
mod squares;

pub use error::FormulaError;
pub use expression::Expression;
pub use jet::{Jet, Order};
pub use scalar::{Exact, Number, Scalar};

use gradcert_rigor::Interval;

/// A function of p variables, twice continuously differentiable where it is defined.
pub trait Function: Sync {
    /// The number p of variables, at least 1.
    fn dimension(&self) -> usize;

    /// f at a point of p coordinates, in doubles; NaN outside the domain. Nothing is proved with it.
    fn value(&self, x: &[f64]) -> f64;

    /// Writes the gradient at a point (p entries each) and returns the value, in doubles; NaN outside the domain.
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// Enclosures on a box of p intervals of the value, of every first and of every second partial derivative. `None` if f
    /// is not proved to be defined and twice continuously differentiable on the whole box.
    fn enclose(&self, region: &[Interval]) -> Option<Enclosure>;

    /// Is f >= 0 known on its whole domain? Otherwise, sums of squares excepted, it is proved box by box.
    fn is_nonnegative(&self) -> bool {
        false
    }

    /// f at this very point, if that is known to be a double: without it bounds of f(x0) are those of [`Function::enclose`].
    fn exact_value(&self, x: &[f64]) -> Option<f64> {
        let _ = x;
        None
    }

    /// Is it proved that f and its gradient vanish at this very point? `false` if that is not known.
    fn vanishes_at(&self, x: &[f64]) -> bool {
        let _ = x;
        false
    }
}

/// Enclosures on a box: f with its derivatives and, if `f = sum g_i^2`, each g_i with its own.
pub type Enclosure = Terms<Interval>;

/// A function, and the terms g_i if it is a sum of their squares.
#[derive(Clone, Debug)]
pub struct Terms<T> {
    function: Jet<T>,
    residuals: Vec<Jet<T>>,
}

impl<T: Scalar> Terms<T> {
    /// A function of no known structure.
    pub fn general(function: Jet<T>) -> Terms<T> {
        Terms { function, residuals: vec![] }
    }

    /// `f = sum g_i^2`.
    pub fn squares(residuals: Vec<Jet<T>>) -> Terms<T> {
        let sum = |sum: Jet<T>, g: &Jet<T>| &sum + &g.power(2);
        let function = residuals.iter().fold(Jet::integer(0), sum);
        Terms { function, residuals }
    }

    /// A function together with the terms of which it is the sum of squares; the caller vouches for the identity.
    pub fn with_residuals(function: Jet<T>, residuals: Vec<Jet<T>>) -> Terms<T> {
        Terms { function, residuals }
    }

    /// f.
    pub fn function(&self) -> &Jet<T> {
        &self.function
    }

    /// The g_i; empty if no such structure is known.
    pub fn residuals(&self) -> &[Jet<T>] {
        &self.residuals
    }
}

/// A formula, written once for every number type. Implement this and the [`Function`] follows.
pub trait Formula: Sync {
    /// The number p of variables, at least 1.
    fn dimension(&self) -> usize;

    /// The formula on p jets. `None` where it is not defined: pass on the `None` of the operations. The structure (general,
    /// or that many squares) must not depend on the argument.
    fn terms<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Terms<T>>;

    /// Is the formula known to be >= 0 for a reason other than being a sum of squares?
    fn is_nonnegative(&self) -> bool {
        false
    }
}

impl<F: Formula> Function for F {
    fn dimension(&self) -> usize {
        Formula::dimension(self)
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.terms(&Jet::variables(x, Order::Value)).map_or(f64::NAN, |terms| *terms.function.value())
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let Some(terms) = self.terms(&Jet::variables(x, Order::Gradient)) else {
            gradient.fill(f64::NAN);
            return f64::NAN;
        };
        for (i, entry) in gradient.iter_mut().enumerate() {
            *entry = terms.function.partial(i);
        }
        *terms.function.value()
    }

    fn enclose(&self, region: &[Interval]) -> Option<Enclosure> {
        self.terms(&Jet::variables(region, Order::Hessian))
    }

    fn is_nonnegative(&self) -> bool {
        Formula::is_nonnegative(self)
    }

    fn exact_value(&self, x: &[f64]) -> Option<f64> {
        let point: Vec<Exact> = x.iter().map(|&c| Exact::new(c)).collect();
        self.terms(&Jet::variables(&point, Order::Value))?.function.value().get()
    }

    fn vanishes_at(&self, x: &[f64]) -> bool {
        let point: Vec<Exact> = x.iter().map(|&c| Exact::new(c)).collect();
        let Some(terms) = self.terms(&Jet::variables(&point, Order::Gradient)) else { return false };
        let f = &terms.function;
        f.value().is_zero() && (0..x.len()).all(|i| f.partial(i).is_zero())
    }
}

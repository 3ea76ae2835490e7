//! TEMPORARY
use gradcert_rigor::{Interval, Lower, Upper};
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    SmoothLeakyRelu(f64),
    Tanh,
}
use Activation::*;
fn wide(x: f64) -> Interval {
    Interval::around(x, Upper::new(x.abs() * 1e-15))
}
fn logistic(t: f64) -> f64 {
    if t > 0.0 {
        1.0 / (1.0 + (-t).exp())
    } else {
        let e = t.exp();
        e / (1.0 + e)
    }
}
impl Activation {
    pub fn value(&self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => c * t + (1.0 - c) * (t.max(0.0) + (-t.abs()).exp().ln_1p() - std::f64::consts::LN_2),
            Tanh => t.tanh(),
        }
    }
    pub fn slope(&self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => c + (1.0 - c) * logistic(t),
            Tanh => 4.0 * logistic(2.0 * t) * logistic(-2.0 * t),
        }
    }
    pub fn curvature(&self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => (1.0 - c) * logistic(t) * logistic(-t),
            Tanh => -2.0 * t.tanh() * self.slope(t),
        }
    }
    pub fn enclose_value(&self, t: Interval) -> Interval {
        wide(self.value(t.lo())).hull(wide(self.value(t.hi())))
    }
    pub fn enclose_slope(&self, t: Interval) -> Interval {
        wide(self.slope(t.lo())).hull(wide(self.slope(t.hi())))
    }
    pub fn sup_slope(&self, t: Interval) -> Upper {
        match self {
            SmoothLeakyRelu(_) => wide(self.slope(t.hi())).upper(),
            Tanh => wide(self.slope(0f64.clamp(t.lo(), t.hi()))).upper(),
        }
    }
    pub fn inf_slope(&self, t: Interval) -> Lower {
        match self {
            SmoothLeakyRelu(_) => wide(self.slope(t.lo())).lower(),
            Tanh => wide(self.slope(t.lo())).lower().min(wide(self.slope(t.hi())).lower()),
        }
    }
    pub fn sup_curvature(&self, t: Interval) -> Upper {
        match self {
            SmoothLeakyRelu(_) => wide(self.curvature(0f64.clamp(t.lo(), t.hi()))).upper(),
            Tanh => Upper::new(4.0 / (3.0 * 3f64.sqrt()) + 1e-12),
        }
    }
    pub fn sup_third(&self) -> Option<Upper> {
        match self {
            SmoothLeakyRelu(c) => Some(Upper::new((1.0 - c) * 0.096226)),
            Tanh => Some(Upper::new(2.0)),
        }
    }
    pub fn slope_floor(&self) -> Lower {
        match self {
            SmoothLeakyRelu(c) => Lower::new(*c),
            _ => Lower::ZERO,
        }
    }
    pub fn curvature_vanishes_at_zero(&self) -> bool {
        matches!(self, Tanh)
    }
    pub fn slope_is_convex_on_negatives(&self) -> bool {
        matches!(self, SmoothLeakyRelu(_))
    }
    pub fn vanishes_at_zero(&self) -> bool {
        true
    }
    pub fn has_positive_slope(&self) -> bool {
        true
    }
}
impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SmoothLeakyRelu(c) => write!(f, "smooth-leaky-relu:{c}"),
            Tanh => write!(f, "tanh"),
        }
    }
}
impl std::str::FromStr for Activation {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "tanh" {
            Ok(Tanh)
        } else {
            s.strip_prefix("smooth-leaky-relu:")
                .and_then(|c| c.parse().ok())
                .map(SmoothLeakyRelu)
                .ok_or_else(|| s.to_owned())
        }
    }
}

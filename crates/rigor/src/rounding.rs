//! Arithmetic rounded in a stated direction, in round-to-nearest.
//!
//! With `fl` the rounding to nearest, the real result `x` of one operation satisfies `next_down(fl(x)) <= x <=
//! next_up(fl(x))`, subnormal numbers and overflow included (an overflowed `fl(x) = +inf` has `next_down` = the largest
//! double, below which `x` does not lie). Where the operation is known to be exact the bound is not widened, so that
//! an exact zero stays zero: a frozen parameter must not acquire a drift (and an upper bound is 0 only if provably so).

/// `a + b` rounded up. Exact when one of the terms is 0.
#[inline]
pub fn add_up(a: f64, b: f64) -> f64 {
    if a == 0.0 {
        b
    } else if b == 0.0 {
        a
    } else {
        (a + b).next_up()
    }
}

/// `a + b` rounded down. Exact when one of the terms is 0.
#[inline]
pub fn add_down(a: f64, b: f64) -> f64 {
    -add_up(-a, -b)
}

/// `a - b` rounded up.
#[inline]
pub fn sub_up(a: f64, b: f64) -> f64 {
    add_up(a, -b)
}

/// `a - b` rounded down.
#[inline]
pub fn sub_down(a: f64, b: f64) -> f64 {
    add_down(a, -b)
}

/// `a b` rounded up. Exact when a factor is 0 or 1; `0 * inf` is 0, since the infinity bounds a finite number.
#[inline]
pub fn mul_up(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        0.0
    } else if a == 1.0 {
        b
    } else if b == 1.0 {
        a
    } else {
        (a * b).next_up()
    }
}

/// `a b` rounded down; conventions of [`mul_up`].
#[inline]
pub fn mul_down(a: f64, b: f64) -> f64 {
    // Not -mul_up(-a, b), which would not know a = 1.
    if a == 0.0 || b == 0.0 {
        0.0
    } else if a == 1.0 {
        b
    } else if b == 1.0 {
        a
    } else {
        (a * b).next_down()
    }
}

/// `a / b` rounded up, `b` not 0. Exact when `a` is 0 or `b` is 1.
#[inline]
pub fn div_up(a: f64, b: f64) -> f64 {
    if a == 0.0 {
        0.0
    } else if b == 1.0 {
        a
    } else {
        (a / b).next_up()
    }
}

/// `a / b` rounded down, `b` not 0.
#[inline]
pub fn div_down(a: f64, b: f64) -> f64 {
    -div_up(-a, b)
}

/// The square root rounded up, `a >= 0`. Exact at 0 and 1.
#[inline]
pub fn sqrt_up(a: f64) -> f64 {
    if a == 0.0 || a == 1.0 { a } else { a.sqrt().next_up() }
}

/// The square root rounded down, `a >= 0`. Exact at 0 and 1.
#[inline]
pub fn sqrt_down(a: f64) -> f64 {
    if a == 0.0 || a == 1.0 { a } else { a.sqrt().next_down() }
}

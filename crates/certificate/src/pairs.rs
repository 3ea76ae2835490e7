//! Scalar products in twice the working precision.
//!
//! u = 2^-53 throughout. A [`Pair`] is an unevaluated sum `hi + lo` with `|lo| <= u |hi|`.

/// A number to about 32 digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pair {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

/// Unit roundoff.
pub(crate) const U: f64 = 1.0 / 9_007_199_254_740_992.0;
const LANES: usize = 8;
const CHUNK: usize = 256;

/// `a + b = s + e` exactly (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let z = s - a;
    (s, (a - (s - z)) + (b - z))
}

#[inline(always)]
fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let head = c - (c - a);
    (head, a - head)
}

/// `a b = p + e` (Dekker, Veltkamp), exactly if nothing overflows or underflows; underflow costs at most `2^-1071`.
#[inline(always)]
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (p, al * bl - (((p - ah * bh) - al * bh) - ah * bl))
}

impl Pair {
    /// The double itself.
    pub(crate) fn exact(x: f64) -> Pair {
        Pair { hi: x, lo: 0.0 }
    }

    /// `a + b` for any two doubles, exactly.
    pub(crate) fn sum(a: f64, b: f64) -> Pair {
        let (hi, lo) = two_sum(a, b);
        Pair { hi, lo }
    }

    /// `self + other`. The tails and the error of the heads are each at most `u (|self| + |other|) (1 + u)`; adding
    /// those three costs two roundings of numbers below `4 u (|self| + |other|)`: error <= `8 u^2 (|self| + |other|)`.
    pub(crate) fn plus(self, other: Pair) -> Pair {
        let (s, e) = two_sum(self.hi, other.hi);
        Pair::sum(s, e + (self.lo + other.lo))
    }

    /// `self other`. Dropped `lo lo <= u^2`, five roundings of numbers below `4 u |self other|`: error below
    /// `16 u^2 |self other|` (and underflow, [`two_product`]).
    pub(crate) fn times(self, other: Pair) -> Pair {
        let (p, e) = two_product(self.hi, other.hi);
        Pair::sum(p, e + (self.hi * other.lo + self.lo * other.hi))
    }

    /// `-self`, exactly.
    pub(crate) fn negative(self) -> Pair {
        Pair { hi: -self.hi, lo: -self.lo }
    }
}

/// `sum_k (a_k + a'_k)(b_k + b'_k)`, the primes being the tails. The error is at most `dot_error(len) sum |a_k||b_k|`,
/// plus `len 2^-1068` for underflow: [`dot_error`].
pub(crate) fn dot(a: &[f64], a_tail: &[f64], b: &[f64], b_tail: &[f64]) -> Pair {
    let (mut total, mut rest) = (0.0, 0.0);
    let chunks = a.chunks(CHUNK).zip(a_tail.chunks(CHUNK)).zip(b.chunks(CHUNK).zip(b_tail.chunks(CHUNK)));
    for ((a, a_tail), (b, b_tail)) in chunks {
        let (mut s, mut c) = ([0.0; LANES], [0.0; LANES]);
        let whole = a.len() - a.len() % LANES;
        for k in (0..whole).step_by(LANES) {
            let (a, a_tail) = (&a[k..k + LANES], &a_tail[k..k + LANES]);
            let (b, b_tail) = (&b[k..k + LANES], &b_tail[k..k + LANES]);
            for i in 0..LANES {
                accumulate(&mut s[i], &mut c[i], a[i], a_tail[i], b[i], b_tail[i]);
            }
        }
        for k in whole..a.len() {
            let i = k - whole;
            accumulate(&mut s[i], &mut c[i], a[k], a_tail[k], b[k], b_tail[k]);
        }
        let (mut chunk, mut chunk_rest) = (0.0, 0.0);
        for i in 0..LANES {
            let (sum, error) = two_sum(chunk, s[i]);
            (chunk, chunk_rest) = (sum, chunk_rest + (error + c[i]));
        }
        let (sum, error) = two_sum(total, chunk);
        (total, rest) = (sum, rest + (error + chunk_rest));
    }
    Pair::sum(total, rest)
}

#[inline(always)]
fn accumulate(s: &mut f64, c: &mut f64, a: f64, a_tail: f64, b: f64, b_tail: f64) {
    let (p, e) = two_product(a, b);
    let (sum, t) = two_sum(*s, p);
    *s = sum;
    *c += t + (e + (a * b_tail + a_tail * b));
}

/// Error factor of [`dot`] for n terms. With P = sum |a_k||b_k| the heads are summed without error; what is summed in
/// plain doubles are the rounding errors: at most 33 additions in a lane, 8 lanes, N chunks leave errors that add up to
/// (41 + N) u P, the products u P, the tails 2 u P. Each passes through at most 33 + 8 + N + 5 roundings, so their sum is
/// wrong by (47 + N)(44 + N) u^2 P (1 + 2^-30); the product of the tails, dropped, is u^2 P.
pub(crate) fn dot_error(n: usize) -> f64 {
    let steps = 49.0 + (n / CHUNK + 1) as f64;
    steps * steps * U * U
}

/// The plain scalar product; its error is at most `plain_dot_error(len) sum |a_k||b_k|` (and `len 2^-1074`).
pub(crate) fn plain_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut s = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f64 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for i in 0..LANES {
            s[i] += x[i] * y[i];
        }
    }
    s.iter().sum::<f64>() + tail
}

/// Error factor of [`plain_dot`]: every product passes through at most n/8 + 18 roundings.
pub(crate) fn plain_dot_error(n: usize) -> f64 {
    (n / LANES + 20) as f64 * U
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integers below 2^26 scaled by powers of two: every product and sum is exact in i128.
    #[test]
    fn scalar_products_are_within_the_stated_error() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as i64 - (1 << 52)
        };
        for n in [1usize, 7, 8, 9, 255, 256, 257, 1000, 5000] {
            let a: Vec<i64> = (0..n).map(|_| next()).collect();
            let b: Vec<i64> = (0..n).map(|k| if k % 2 == 1 { -a[k - 1] } else { next() }).collect();
            let (x, y): (Vec<f64>, Vec<f64>) =
                (a.iter().map(|&v| v as f64).collect(), b.iter().map(|&v| v as f64).collect());
            let zero = vec![0.0; n];
            let exact: i128 = a.iter().zip(&b).map(|(&p, &q)| p as i128 * q as i128).sum();
            let size: f64 = x.iter().zip(&y).map(|(p, q)| (p * q).abs()).sum();
            let got = dot(&x, &zero, &y, &zero);
            let error = exact - got.hi as i128 - got.lo as i128;
            assert!((error as f64).abs() <= dot_error(n) * size + 1.0, "{n}: {error}");
            let plain = (exact - plain_dot(&x, &y) as i128) as f64;
            assert!(plain.abs() <= plain_dot_error(n) * size);
        }
    }
}

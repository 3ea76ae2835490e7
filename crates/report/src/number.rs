//! Numbers for readers, rounded in a known direction.
//!
//! The decimal expansion of a double is finite, so rounding it down or up to a few digits is exact: a displayed lower
//! bound is never above the bound, a displayed upper bound never below.

/// Which way to round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
    /// To the nearest decimal (ties away from zero).
    Nearest,
}

/// No double has more significant decimal digits.
const ALL_DIGITS: usize = 767;

/// `x` with at most `significant` digits (1 to 17), as `0.0123` or `1.23 × 10⁻⁹`.
pub fn rounded(x: f64, significant: usize, rounding: Rounding) -> String {
    if x.is_nan() {
        return "not a number".to_string();
    }
    let sign = if x < 0.0 { "−" } else { "" };
    if x.is_infinite() {
        return format!("{sign}∞");
    }
    if x == 0.0 {
        return "0".to_string();
    }
    let (digits, exponent) = significant_digits(x, significant.clamp(1, 17), rounding);
    format!("{sign}{}", lay_out(&digits, exponent))
}

/// The decimal digits of |x| after rounding, without trailing zeros, and the exponent of the first.
fn significant_digits(x: f64, significant: usize, rounding: Rounding) -> (String, i32) {
    let expansion = format!("{:.*e}", ALL_DIGITS, x.abs());
    let (mantissa, exponent) = expansion.split_once('e').unwrap_or((&expansion, "0"));
    let all: Vec<u64> = mantissa.bytes().filter(u8::is_ascii_digit).map(|b| u64::from(b - b'0')).collect();
    let (kept, rest) = all.split_at(significant.min(all.len()));
    let away = match rounding {
        Rounding::Down => x < 0.0 && rest.iter().any(|&digit| digit != 0),
        Rounding::Up => x > 0.0 && rest.iter().any(|&digit| digit != 0),
        Rounding::Nearest => rest.first().is_some_and(|&digit| digit >= 5),
    };
    let value = kept.iter().fold(0, |sum, digit| 10 * sum + digit) + u64::from(away);
    let digits = value.to_string();
    // 999.. + 1 has one digit more.
    let carry = digits.len().saturating_sub(kept.len()) as i32;
    (digits.trim_end_matches('0').to_string(), exponent.parse::<i32>().unwrap_or(0) + carry)
}

fn lay_out(digits: &str, exponent: i32) -> String {
    match exponent {
        -4..=-1 => format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        0..=5 => {
            let whole = exponent as usize + 1;
            if digits.len() <= whole {
                format!("{digits}{}", "0".repeat(whole - digits.len()))
            } else {
                format!("{}.{}", &digits[..whole], &digits[whole..])
            }
        }
        _ if digits.len() == 1 => format!("{digits} × 10{}", superscript(exponent)),
        _ => format!("{}.{} × 10{}", &digits[..1], &digits[1..], superscript(exponent)),
    }
}

/// An integer in raised digits: `⁻¹²`.
pub fn superscript(value: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |c: char| c.to_digit(10).map_or('⁻', |digit| RAISED[digit as usize]);
    value.to_string().chars().map(raise).collect()
}

/// An integer with thousands separated: `493,062`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_in_the_direction_asked_for() {
        assert_eq!(rounded(0.123_456, 3, Rounding::Down), "0.123");
        assert_eq!(rounded(0.123_456, 3, Rounding::Up), "0.124");
        assert_eq!(rounded(-0.123_456, 3, Rounding::Down), "−0.124");
        assert_eq!(rounded(0.123_56, 3, Rounding::Nearest), "0.124");
        // 0.1 is stored a little above one tenth.
        assert_eq!(rounded(0.1, 3, Rounding::Down), "0.1");
        assert_eq!(rounded(0.1, 3, Rounding::Up), "0.101");
        assert_eq!(rounded(0.5, 3, Rounding::Up), "0.5");
        assert_eq!(rounded(9.999, 2, Rounding::Up), "10");
    }

    #[test]
    fn lays_out_small_large_and_odd_numbers() {
        assert_eq!(rounded(1.25e-9, 4, Rounding::Nearest), "1.25 × 10⁻⁹");
        assert_eq!(rounded(1e-20, 4, Rounding::Nearest), "1 × 10⁻²⁰");
        assert_eq!(rounded(123_456.0, 4, Rounding::Nearest), "123500");
        assert_eq!(rounded(f64::from_bits(1), 2, Rounding::Down), "4.9 × 10⁻³²⁴");
        assert_eq!(rounded(f64::MAX, 2, Rounding::Up), "1.8 × 10³⁰⁸");
        assert_eq!(rounded(0.0, 4, Rounding::Up), "0");
        assert_eq!(rounded(f64::NAN, 4, Rounding::Up), "not a number");
        assert_eq!(rounded(f64::NEG_INFINITY, 4, Rounding::Up), "−∞");
        assert_eq!(count(0), "0");
        assert_eq!(count(493_062), "493,062");
        assert_eq!(count(1_000_000), "1,000,000");
    }
}

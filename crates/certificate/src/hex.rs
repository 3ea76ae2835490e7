//! Doubles written exactly, as C's `%a` does: `0x1.8p+1` is 3.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A finite double that is written and read exactly. Only the canonical spelling is accepted: one text per number.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct HexFloat(f64);

/// A text that is not the canonical spelling of a finite double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical hexadecimal float")]
pub struct NotCanonical;

impl HexFloat {
    /// The number, if it is finite; -0 becomes 0.
    pub fn new(x: f64) -> Option<HexFloat> {
        x.is_finite().then_some(HexFloat(x + 0.0))
    }

    /// The double.
    pub fn get(self) -> f64 {
        self.0
    }
}

const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;

impl fmt::Display for HexFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.to_bits();
        let mantissa = bits & MANTISSA_MASK;
        let exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as i64;
        let (leading, exponent) = match (exponent, mantissa) {
            (0, 0) => (0, 0),
            (0, _) => (0, -1022),
            (e, _) => (1, e - 1023),
        };
        let sign = if self.0 < 0.0 { "-" } else { "" };
        let digits = format!("{mantissa:013x}");
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        write!(f, "{sign}0x{leading}{point}{digits}p{exponent:+}")
    }
}

impl fmt::Debug for HexFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:e})", self.0)
    }
}

impl fmt::LowerExp for HexFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerExp::fmt(&self.0, f)
    }
}

impl FromStr for HexFloat {
    type Err = NotCanonical;

    fn from_str(text: &str) -> Result<HexFloat, NotCanonical> {
        let value = parse(text).ok_or(NotCanonical)?;
        // One spelling per number: what we would not have written is refused.
        if value.to_string() == text { Ok(value) } else { Err(NotCanonical) }
    }
}

fn parse(text: &str) -> Option<HexFloat> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, exponent) = rest.strip_prefix("0x")?.split_once('p')?;
    let (leading, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 13 || !fraction.bytes().all(|b| b.is_ascii_hexdigit()) || exponent.len() > 5 {
        return None;
    }
    let mantissa = u64::from_str_radix(&format!("{fraction:0<13}"), 16).ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    let biased = match leading {
        "1" if (-1022..=1023).contains(&exponent) => u64::try_from(exponent + 1023).ok()?,
        "0" => 0,
        _ => return None,
    };
    let magnitude = f64::from_bits((biased << MANTISSA_BITS) | mantissa);
    HexFloat::new(if negative { -magnitude } else { magnitude })
}

impl Serialize for HexFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexFloat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HexFloat, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_spellings() {
        for (x, text) in [
            (0.0, "0x0p+0"),
            (1.0, "0x1p+0"),
            (-3.0, "-0x1.8p+1"),
            (0.1, "0x1.999999999999ap-4"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
            (f64::from_bits(1), "0x0.0000000000001p-1022"),
            (f64::MIN_POSITIVE, "0x1p-1022"),
        ] {
            assert_eq!(HexFloat::new(x).unwrap().to_string(), text);
            assert_eq!(text.parse::<HexFloat>().unwrap().get(), x);
        }
    }

    #[test]
    fn every_bit_pattern_survives() {
        let mut bits = 0x1234_5678_9abc_def0u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if let Some(x) = HexFloat::new(f64::from_bits(bits)) {
                assert_eq!(x.to_string().parse::<HexFloat>(), Ok(x));
            }
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "1",
            "0x1",
            "0x1p0",
            "0x1.0p+0",
            "0x2p+0",
            "0X1p+0",
            "0x1P+0",
            "0x1.8p+01",
            "-0x0p+0",
            "0x1p+1024",
            "0x1.99999999999999p-4",
            "nan",
            "inf",
            "0x1p+-1",
            " 0x1p+0",
            "0x1.Ap+0",
            "0x0.8p+0",
            "+0x1p+0",
        ] {
            assert!(text.parse::<HexFloat>().is_err(), "{text}");
        }
    }
}

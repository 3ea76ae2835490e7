//! Prints enclosures of activations for the oracle `tests/oracle/check_activations.py`.
//!
//! `activation_enclosures POINTS`: for each activation and order k one line `name:k kind count`, then `count` records of three
//! little-endian doubles: a point and the endpoints of the enclosure there (`point`, k = 0, ..., 3), or of the range over an interval
//! around it (`wide`); `float`: a point, the plain float and again the plain float, `slice`: the same from whole slices, as training does it; `all`, k = 0, ..., 6: the enclosure from all
//! orders at once over an interval of a few doubles.

use gradcert::network::activation::Activation;
use gradcert_rigor::Interval;
use std::io::{self, BufWriter, Write};

const NAMES: &[&str] = &[
    "smooth-leaky-relu:0.1",
    "softplus",
    "plain-softplus",
    "tanh",
    "logistic",
    "sigmoid",
    "erf",
    "arctan",
    "algebraic",
    "silu",
    "gelu",
    "softsign",
];

fn enclose(sigma: Activation, k: usize, x: Interval) -> Option<Interval> {
    match k {
        0 => Some(sigma.enclose_value(x)),
        1 => Some(sigma.enclose_slope(x)),
        2 => Some(sigma.enclose_curvature(x)),
        _ => sigma.enclose_third(x),
    }
}

/// A number in (0, 1) (SplitMix64).
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Moderate numbers, turning points, every exponent, saturation.
fn point(state: &mut u64) -> f64 {
    let sign = if unit(state) < 0.5 { 1.0 } else { -1.0 };
    let turns = [0.0, 0.6584789484624084, 1.3169578969248166, 2.399357280515468, 1.278464542761074, 0.7517915246935645];
    sign * match (8.0 * unit(state)) as usize {
        0..=2 => 4.0 * unit(state),
        3 => 50.0 * unit(state),
        4 => 800.0 * unit(state),
        5 => 10f64.powf(600.0 * unit(state) - 300.0),
        6 => 2f64.powf(-60.0 * unit(state)),
        _ => turns[(6.0 * unit(state)) as usize] + 1e-3 * unit(state).powi(12),
    }
}

fn write_record(out: &mut impl Write, t: f64, enclosure: Interval) -> io::Result<()> {
    [t, enclosure.lo(), enclosure.hi()].iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))
}

/// The enclosures of all orders at once.
fn write_all_orders(out: &mut impl Write, name: &str, sigma: Activation, points: &[f64]) -> io::Result<()> {
    let enclosures: Option<Vec<[Interval; 7]>> =
        points.iter().map(|&t| sigma.enclose_derivatives(Interval::new(t, t.next_up()))).collect();
    let Some(enclosures) = enclosures else { return Ok(()) };
    for k in 0..7 {
        writeln!(out, "{name}:{k} all {}", points.len())?;
        points.iter().zip(&enclosures).try_for_each(|(&t, orders)| write_record(out, t, orders[k]))?;
    }
    Ok(())
}

/// Values and slopes as training computes them.
fn write_slices(out: &mut impl Write, name: &str, sigma: Activation, points: &[f64]) -> io::Result<()> {
    let (mut values, mut slopes) = (points.to_vec(), vec![0.0; points.len()]);
    sigma.values_and_slopes(&mut values, &mut slopes);
    for (k, found) in [values, slopes].into_iter().enumerate() {
        writeln!(out, "{name}:{k} slice {}", points.len())?;
        points.iter().zip(found).try_for_each(|(&t, x)| write_record(out, t, Interval::exact(x)))?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let points: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut state = 1;
    for name in NAMES {
        let Ok(sigma) = name.parse::<Activation>() else { continue };
        for k in 0..4 {
            if enclose(sigma, k, Interval::ONE).is_none() {
                continue;
            }
            for kind in ["point", "wide", "float"] {
                if kind == "float" && k == 3 {
                    continue;
                }
                writeln!(out, "{name}:{k} {kind} {points}")?;
                for _ in 0..points {
                    let mut x = [point(&mut state), point(&mut state), point(&mut state)];
                    x.sort_by(f64::total_cmp);
                    let t = x[1];
                    let interval = if kind == "wide" { Interval::new(x[0], x[2]) } else { Interval::exact(t) };
                    let mut enclosure = enclose(sigma, k, interval).unwrap_or(Interval::ENTIRE);
                    if kind == "float" {
                        enclosure =
                            Interval::exact([Activation::value, Activation::slope, Activation::curvature][k](sigma, t));
                    }
                    write_record(&mut out, t, enclosure)?;
                }
            }
        }
        let all: Vec<f64> = (0..points).map(|_| point(&mut state)).collect();
        write_all_orders(&mut out, name, sigma, &all)?;
        write_slices(&mut out, name, sigma, &all)?;
    }
    out.flush()
}

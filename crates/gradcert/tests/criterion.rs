//! The criterion against what is known in closed form, and against descent itself.

use gradcert::function::{Expression, Function};
use gradcert::theorem::criterion::{Options, StartError, Verdict, certify};
use proptest::prelude::*;

fn parse(text: &str, names: &[&str]) -> Expression {
    Expression::parse(text, names).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn verdict(text: &str, names: &[&str], start: &[f64]) -> Verdict {
    certify(&parse(text, names), start, &Options::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn code(verdict: &Verdict) -> &'static str {
    verdict.reasons.first().map_or("", |r| r.code)
}

/// (flow-paper, flow-integral) at a start.
fn flows(text: &str, start: &[f64]) -> (bool, bool) {
    let v = verdict(text, &["x", "y"], start);
    (v.flow_paper.is_some(), v.flow_integral.is_some())
}

#[test]
fn thresholds_of_the_hyperbola() {
    // At (x0, 0): (T1) iff x0 > 2, (T1i) iff x0 > sqrt 2.
    let f = "(x*y-1)^2";
    assert_eq!(flows(f, &[2.0 * 1.01, 0.0]), (true, true));
    assert_eq!(flows(f, &[2.0 * 0.99, 0.0]), (false, true));
    assert_eq!(flows(f, &[2f64.sqrt() * 1.01, 0.0]), (false, true));
    assert_eq!(flows(f, &[2f64.sqrt() * 0.99, 0.0]), (false, false));
    let v = verdict(f, &["x", "y"], &[1.3, 0.0]);
    assert!(!v.is_certified());
    assert_eq!(code(&v), "criterion_fails");
    // The descents close to where the flows are certified.
    let v = verdict(f, &["x", "y"], &[2.5, 0.0]);
    assert_eq!(v.certified_by(), ["flow-paper", "flow-integral", "descent-paper", "descent-sharp"]);
    assert_eq!(verdict(f, &["x", "y"], &[1.45, 0.0]).certified_by(), ["flow-integral", "descent-sharp"]);
}

#[test]
fn thresholds_of_the_circle() {
    // (T1i) iff |x0|^2 > 1/2, (T1) iff 2/3 < |x0|^2 < 2; in every direction.
    let f = "(x^2+y^2-1)^2";
    for angle in [0.0f64, 0.7, 2.0, 4.4] {
        let at = |square: f64| [square.sqrt() * angle.cos(), square.sqrt() * angle.sin()];
        let (half, two_thirds, two) = (0.5, 2.0 / 3.0, 2.0);
        // 1.01 and 0.99 times the norm.
        assert_eq!(flows(f, &at(half * 1.02)), (false, true), "{angle}");
        assert_eq!(flows(f, &at(half * 0.98)), (false, false), "{angle}");
        assert_eq!(flows(f, &at(two_thirds * 1.02)), (true, true), "{angle}");
        assert_eq!(flows(f, &at(two_thirds * 0.98)), (false, true), "{angle}");
        assert_eq!(flows(f, &at(two * 0.98)), (true, true), "{angle}");
        assert_eq!(flows(f, &at(two * 1.02)), (false, true), "{angle}");
    }
}

#[test]
fn squares_of_the_norm_have_alpha_four() {
    let names = ["x", "y", "z", "u", "v", "w"];
    for p in 1..=6 {
        let text = names[..p].iter().map(|n| format!("{n}^2")).collect::<Vec<_>>().join("+");
        let start: Vec<f64> = (1..=p).map(|k| k as f64 / 2.0 - 1.3).collect();
        let norm = start.iter().map(|x| x * x).sum::<f64>().sqrt();
        let v = verdict(&text, &names[..p], &start);
        let flow = v.flow_paper.expect("certified on every larger ball");
        assert!(flow.alpha <= 4.0 && flow.alpha > 3.999_999, "{p}: {}", flow.alpha);
        assert!(flow.radius > norm && flow.radius < 1.01 * norm);
        // eps = 1/2 and the step 1/2 lead to the minimum at once.
        let descent = v.descent_sharp.expect("certified");
        assert!(descent.rate > 0.999_999 && descent.step <= 0.5);
    }
}

/// The integral criterion is an exact equality for x^4: a comparison that is not strict would certify a linear rate that is not there.
#[test]
fn the_fourth_power_is_declined_everywhere() {
    let names = ["x", "y"];
    for start in [1e-3, 0.5, 1.0, 3.0, 17.25, 1e6] {
        for options in [Options::default(), Options { cells: 20_000, ..Options::default() }] {
            let v = certify(&parse("x^4", &["x"]), &[start], &options).expect("a start");
            assert_eq!(v.certified_by(), Vec::<&str>::new(), "{start}");
            assert!(v.profile.integral().last().is_some_and(|i| *i > 0.99 * start * start));
        }
    }
    assert!(!verdict("x^4 + y^4", &names, &[1.0, 0.3]).is_certified());
    assert!(!verdict("(x^2 + y^2)^2", &names, &[1.0, 0.3]).is_certified());
    // alpha = 0 exactly on the boundary of the ball in which the integral criterion would just be met.
    assert!(!verdict("(x^2-1)^2*x^2", &["x"], &[0.577_350_269_189_625_8]).is_certified());
}

#[test]
fn least_squares_and_rosenbrock() {
    // Square, wide, and tall with a zero in doubles; alpha = 4 lmin(A^T A) for full column rank.
    let v = verdict("(2*x + y - 3)^2 + (x - y)^2", &["x", "y"], &[4.0, -1.0]);
    assert!(v.flow_paper.is_some_and(|f| f.alpha <= 7.4 && f.alpha > 5.0), "{:?}", v.flow_paper);
    assert!(verdict("(x + 2*y - z - 0.1)^2", &["x", "y", "z"], &[1.0, 1.0, 1.0]).flow_paper.is_some());
    let tall = verdict("(x+y-3)^2+(x-y-1)^2+(2*x+y-5)^2", &["x", "y"], &[0.0, 0.0]);
    assert!(tall.flow_paper.is_some_and(|f| f.alpha <= 8.0 + 1e-9 && f.alpha > 7.99), "{:?}", tall.flow_paper);
    // No exact fit: alpha = 0.
    assert!(!verdict("(x+y-3)^2+(x-y-1)^2+(2*x+y-5.5)^2", &["x", "y"], &[0.0, 0.0]).is_certified());
    let rosenbrock = "(1-x)^2+100*(y-x^2)^2";
    assert_eq!(verdict(rosenbrock, &["x", "y"], &[1.1, 1.2]).certified_by().len(), 4);
    assert!(!verdict(rosenbrock, &["x", "y"], &[-1.2, 1.0]).is_certified());
    // Not written as a sum of squares: alpha = 2 lmin(Hess).
    let v = verdict("x^2-2*x*y+2*y^2", &["x", "y"], &[1.0, 2.0]);
    let least = 2.0 * (3.0 - 5f64.sqrt());
    assert!(
        v.flow_integral.is_some_and(|f| f.alpha <= least + 1e-9 && f.alpha > 0.99 * least),
        "{:?}",
        v.flow_integral
    );
    assert!(verdict("1-cos(x)", &["x"], &[1.0]).is_certified());
    assert!(verdict("exp(x)-x-1", &["x"], &[0.5]).is_certified());
}

#[test]
fn functions_that_may_be_negative_are_not_certified() {
    assert_eq!(code(&verdict("x^3", &["x"], &[1.0])), "negative_value");
    // Negative by 1e-9 in the valley only.
    let v = verdict("x^2 - 1e-9", &["x"], &[1.0]);
    assert!(!v.is_certified(), "{:?}", v.certified_by());
    // A positive minimum: no zero in any ball.
    assert!(!verdict("x^2 + 1e-9", &["x"], &[1.0]).is_certified());
    let f = parse("x - 5", &["x"]);
    assert!(matches!(certify(&f, &[1.0], &Options::default()), Err(StartError::Negative { .. })));
}

/// A zero with a vanishing gradient is no minimum of a function that goes on below 0.
#[test]
fn a_stationary_zero_is_a_minimum_only_if_that_is_proved() {
    for text in ["x^3", "-(x^2)", "x^5-x^4", "x^3+y^2", "x*y"] {
        let v = verdict(text, &["x", "y"], &[0.0, 0.0]);
        assert!(!v.is_certified() && code(&v) == "stationary_start", "{text}: {v:?}");
    }
    for text in ["x^4", "x^2+y^2", "x^2-2*x*y+2*y^2", "x^2*y^2"] {
        assert!(verdict(text, &["x", "y"], &[0.0, 0.0]).already_minimum, "{text}");
    }
    assert!(matches!(certify(&parse("x", &["x"]), &[0.0], &Options::default()), Err(StartError::Negative { .. })));
}

/// Constant terms of a sum of squares, in three variables; f >= 4 has no zero to converge to.
#[test]
fn a_constant_term_keeps_f_from_zero() {
    for text in ["x^2+4", "(x*y)^2+1e-30", "x^2+y^2+z^2+4", "exp(x)", "exp(-x*x)", "1+sin(z)*sin(z)"] {
        assert!(!verdict(text, &["x", "y", "z"], &[0.5, 0.25, 2.0]).is_certified(), "{text}");
    }
}

/// Zeros that the quotient or one square cannot be bounded at, sets of zeros that cross, edges of the domain, and
/// infima that are approached and not reached: none of them has a rate.
#[test]
fn what_has_no_linear_rate_is_declined() {
    for (text, start) in [
        ("(x*y)^2", [0.5, 0.5]),
        ("(x^2-y^3)^2", [0.0, -0.5]),
        ("x^2+y^4", [0.0, 0.5]),
        ("(1-cos(x))^2+y^2", [0.5, 0.0]),
        ("exp(-x)+y^2", [2.0, 0.0]),
        ("(x-1)^2*(x-3)^2+y^2+1e-12", [1.2, 0.0]),
        ("1/(x^2+1)+y^2", [1.0, 0.0]),
        ("x^3+y^2", [1.0, 0.5]),
        ("x+y^2", [1.0, 0.0]),
        ("log(x)+y^2", [1.5, 0.0]),
        ("sqrt(x)+y^2", [0.5, 0.0]),
        ("x^1.5+y^2", [0.5, 0.0]),
    ] {
        let v = verdict(text, &["x", "y"], &start);
        assert!(!v.is_certified(), "{text}: {:?}", v.certified_by());
    }
}

#[test]
fn domains_saddles_and_flat_directions() {
    // log needs x > 0: the ball stays inside.
    let v = verdict("log(x)^2", &["x"], &[1.2]);
    assert!(v.best_descent().is_some_and(|d| d.radius < 1.2));
    // At 0.02 the ball that would be needed reaches beyond.
    assert!(!verdict("(log(x)+10)^2 + sqrt(x)*0", &["x"], &[1e-3]).flow_paper.is_some_and(|f| f.radius >= 1e-3));
    assert!(matches!(certify(&parse("sqrt(x)", &["x"]), &[0.0], &Options::default()), Err(StartError::Undefined)));
    // 0 * log(x) is not defined for x <= 0 either.
    let v = verdict("(x-1)^2 + 0*log(x)", &["x"], &[1.5]);
    assert!(v.best_descent().is_none_or(|d| d.radius < 1.5));
    // A flat direction is no obstacle.
    assert_eq!(verdict("(x-1)^2", &["x", "y"], &[3.0, 7.0]).certified_by().len(), 4);
    // The saddle of (x y - 1)^2 at the origin: no certified ball contains it.
    let v = verdict("(x*y-1)^2", &["x", "y"], &[1.0, 0.6]);
    assert!(v.best_flow().is_some_and(|f| f.radius < 1.0f64.hypot(0.6)));
    assert_eq!(code(&verdict("(x*y-1)^2", &["x", "y"], &[0.0, 0.0])), "stationary_start");
    // Already there.
    assert!(verdict("(x*y-1)^2", &["x", "y"], &[1.0, 1.0]).already_minimum);
    assert!(!verdict("(x-0.1)^2", &["x"], &[0.1]).already_minimum);
}

#[test]
fn scales_of_values_and_of_coordinates() {
    for (text, start) in [
        ("1e-200*(x-1)^2", 3.0),
        ("1e200*(x-1)^2", 3.0),
        ("(1e100*x-1)^2", 1e-99),
        ("(1e-100*x-1)^2", 3e100),
        ("1e-300*(x-1)^2", 1.5),
    ] {
        let v = verdict(text, &["x"], &[start]);
        let flow = v.flow_paper.unwrap_or_else(|| panic!("{text}: {:?}", v.reasons));
        assert!(flow.radius.is_finite() && flow.alpha > 0.0);
        promises_are_kept(&parse(text, &["x"]), &[start], &v);
    }
}

/// The bound of f(x0) is f(x0) itself where no operation rounds, and above it elsewhere.
#[test]
fn the_value_at_the_start_is_exact_where_it_can_be() {
    assert_eq!(verdict("(x*y-1)^2", &["x", "y"], &[3.0, 3.0]).value, 64.0);
    assert_eq!(verdict("(x^2+y-11)^2+(x+y^2-7)^2", &["x", "y"], &[1.0, 1.0]).value, 106.0);
    // 0.1^2 rounds, and a tenth of a tenth is less than the square of the double above a tenth.
    assert!(verdict("x^2", &["x"], &[0.1]).value > 0.01);
    // 1/3 is no double, so that a third of 3 is not known to be 1.
    assert!(verdict("(x/3)^2", &["x"], &[3.0]).value >= 1.0);
    assert!(verdict("(x-1/3)^2", &["x"], &[4.0]).value > (4.0f64 - 1.0 / 3.0).powi(2));
}

#[test]
fn a_given_radius_is_used() {
    let f = parse("(x*y-1)^2", &["x", "y"]);
    let v = certify(&f, &[2.5, 0.0], &Options { radius: Some(1.25), ..Options::default() }).expect("a start");
    // alpha(x0, 1.25) = 4 (2.5 - 1.25)^2 = 6.25.
    let last = v.profile.radii().len() - 1;
    assert_eq!(v.profile.radii()[last], 1.25);
    assert!(v.profile.alpha(last) <= 6.25 && v.profile.alpha(last) > 6.2);
    for radius in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = certify(&f, &[2.5, 0.0], &Options { radius: Some(radius), ..Options::default() });
        assert!(matches!(refused, Err(StartError::Radius { .. })));
    }
}

#[test]
fn too_little_work_is_said() {
    let f = parse("(x*y*z*u*v*w-1)^2", &["x", "y", "z", "u", "v", "w"]);
    let start = [1.2, 1.2, 1.2, 1.2, 1.2, 0.5];
    let v = certify(&f, &start, &Options { max_boxes: 100, ..Options::default() }).expect("a start");
    assert!(v.is_certified() || code(&v) == "work_limit", "{:?}", v.reasons);
}

/// Samples never fall below the bound on alpha, and descent keeps what was certified. The bounds have no slack; what is sampled
/// and iterated in doubles is granted 1e-12 of its size.
fn promises_are_kept(f: &Expression, start: &[f64], v: &Verdict) {
    let mut gradient = vec![0.0; start.len()];
    let balls = v
        .best_flow()
        .into_iter()
        .map(|b| (b.radius, b.alpha))
        .chain(v.best_descent().into_iter().map(|d| (d.radius, d.alpha)));
    for (radius, alpha) in balls.collect::<Vec<_>>() {
        for k in 0..400u32 {
            // Points in the ball along quasi-random directions, the sphere included.
            let direction: Vec<f64> =
                (0..start.len()).map(|i| (f64::from(k) * (0.754_877 + 0.31 * i as f64) + 0.3).fract() - 0.5).collect();
            let norm = direction.iter().fold(0.0f64, |n, d| n.hypot(*d)).max(1e-9);
            let length = radius * f64::from(k % 8 + 1) / 8.0 * (1.0 - 1e-12);
            let x: Vec<f64> = start.iter().zip(&direction).map(|(x0, d)| x0 + length * d / norm).collect();
            let value = f.gradient(&x, &mut gradient);
            assert!(value >= -1e-12 * v.value, "{}: negative in the ball", f.text());
            if value > 1e-9 * v.value {
                let quotient: f64 = gradient.iter().map(|g| g / value * g).sum();
                assert!(quotient * (1.0 + 1e-12) + 1e-300 >= alpha, "{} at {x:?}: {quotient} < {alpha}", f.text());
            }
        }
    }
    for descent in [v.descent_sharp, v.descent_paper].into_iter().flatten() {
        let mut x = start.to_vec();
        let mut envelope = v.value;
        for k in 0..200 {
            let value = f.gradient(&x, &mut gradient);
            // Coordinates in doubles are wrong by their rounding, and f by that much times its gradient.
            let size = |i: usize| (x[i].abs() + start[i].abs()) * gradient[i].abs();
            let slack = 1e-14 * (0..x.len()).map(size).sum::<f64>() + 1e-28 * v.value;
            assert!(value <= envelope * (1.0 + 1e-12) + slack, "{} step {k}: {value} > {envelope}", f.text());
            let length = x.iter().zip(start).fold(0.0f64, |n, (a, b)| n.hypot(a - b));
            assert!(length <= descent.radius * (1.0 + 1e-12), "{} step {k} leaves the ball", f.text());
            for (c, g) in x.iter_mut().zip(&gradient) {
                *c -= descent.step * g;
            }
            envelope *= 1.0 - descent.rate;
        }
    }
}

/// Random polynomials of two variables, squared, summed and disturbed by smooth functions.
fn random_formula() -> impl Strategy<Value = String> {
    let coefficient = -3.0..3.0f64;
    let residual = (prop::array::uniform6(coefficient), 0usize..6).prop_map(|(c, kind)| {
        let [a, b, d, e, g, h] = c.map(|x| format!("({x:.2})"));
        match kind {
            0 => format!("{a}*x + {b}*y + {d}"),
            1 => format!("{a}*x*y + {b}*x + {d}*y + {e}"),
            2 => format!("{a}*x^2 + {b}*y^2 + {d}*x*y + {e}"),
            3 => format!("sin({a}*x) + {b}*y + {d}"),
            4 => format!("tanh({a}*x + {b}*y) + {d}*x + {e}*y + {g}"),
            _ => format!("exp(0.3*x)*({a}*y + {b}) + {h}*x"),
        }
    });
    prop::collection::vec(residual, 1..=3)
        .prop_map(|r| r.iter().map(|g| format!("({g})^2")).collect::<Vec<_>>().join(" + "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn certificates_of_random_functions_hold(text in random_formula(), x in -2.0..2.0f64, y in -2.0..2.0f64) {
        let f = parse(&text, &["x", "y"]);
        let options = Options { max_boxes: 4_000, cells: 256, tolerance: 0.01, ..Options::default() };
        let v = certify(&f, &[x, y], &options).expect("a start");
        promises_are_kept(&f, &[x, y], &v);
    }
}

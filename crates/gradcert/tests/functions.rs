//! Formulas: what is read and what is refused, and automatic differentiation against independent evaluations.

use gradcert::function::{Expression, FormulaError, Function};
use gradcert_rigor::Interval;
use proptest::prelude::*;

fn parse(text: &str) -> Expression {
    Expression::parse(text, &["x", "y"]).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn precedence_is_that_of_mathematics() {
    let at = |text: &str| parse(text).value(&[3.0, 2.0]);
    assert_eq!(at("-x^2"), -9.0);
    assert_eq!(at("(-x)^2"), 9.0);
    assert_eq!(at("2^-1"), 0.5);
    assert!((at("2^-y") - 0.25).abs() < 1e-15);
    assert!((at("y^y^x") - 256.0).abs() < 1e-11);
    assert_eq!(at("x^2^3"), 6561.0);
    assert_eq!(at("x-y-1"), 0.0);
    assert_eq!(at("x/y/2"), 0.75);
    assert_eq!(at("-x*y"), -6.0);
    assert_eq!(at("x*-y"), -6.0);
    assert_eq!(at("x - -y"), 5.0);
    assert_eq!(at("+x"), 3.0);
    assert_eq!(at("1 + 2*x^2 / y"), 10.0);
    assert_eq!(at("x^0"), 1.0);
    assert_eq!(at("y^-2"), 0.25);
    assert_eq!(at(" sin ( 0 * x ) + cos(0)"), 1.0);
    assert_eq!(at("1.5e1 - .5"), 14.5);
    assert_eq!(at("x^(1+1)"), 9.0);
    assert!((at("x^0.5") - 3f64.sqrt()).abs() < 1e-15);
    assert!((at("x^y") - 9.0).abs() < 1e-13);
    assert!((at("sin(pi/2)") - 1.0).abs() < 1e-15);
    assert!((at("log(exp(x))") - 3.0).abs() < 1e-15);
}

#[test]
fn what_is_no_formula_has_a_code() {
    let refused = |text: &str| Expression::parse(text, &["x", "y"]).map_or_else(|e| e.code(), |_| "read");
    for (text, code) in [
        ("", "empty_function"),
        ("   ", "empty_function"),
        ("x**2", "function_syntax"),
        ("2x", "function_syntax"),
        ("2(x)", "function_syntax"),
        ("(x)(y)", "function_syntax"),
        ("x y", "function_syntax"),
        ("(x", "function_syntax"),
        ("x)", "function_syntax"),
        ("x +", "function_syntax"),
        ("*x", "function_syntax"),
        (".", "function_syntax"),
        ("1.2.3", "function_syntax"),
        ("x, y", "function_syntax"),
        ("x \u{0}", "function_syntax"),
        ("x = 1", "function_syntax"),
        ("z", "unknown_name"),
        ("xy", "unknown_name"),
        ("f(x)", "unknown_name"),
        ("sin", "function_arguments"),
        ("sin()", "function_arguments"),
        ("sin(x, y)", "function_arguments"),
        ("x(2)", "function_arguments"),
        ("1e999", "number_out_of_range"),
        ("x^2000", "number_out_of_range"),
    ] {
        assert_eq!(refused(text), code, "{text}");
    }
    for deep in ["(".repeat(70) + "x", "-".repeat(200) + "x", "x^".repeat(200) + "x", "sin(".repeat(70)] {
        assert_eq!(refused(&deep), "function_too_deep");
    }
    assert_eq!(refused(&"x+".repeat(3_000)), "function_too_long");
    // Long and flat is fine.
    assert_eq!(refused(&(0..900).map(|_| "x").collect::<Vec<_>>().join("+")), "read");
    assert_eq!(refused(&(0..900).map(|_| "x^2").collect::<Vec<_>>().join("-")), "read");
}

#[test]
fn names_of_variables_are_checked() {
    let refused = |names: &[&str]| Expression::parse("1", names).map_or_else(|e| e.code(), |_| "read");
    assert_eq!(refused(&[]), "variable_count");
    assert_eq!(refused(&["a"; 9]), "variable_count");
    for names in [&["x", "x"][..], &["1x"], &[""], &["a b"], &["sin"], &["pi"], &["x-y"]] {
        assert_eq!(refused(names), "variable_name", "{names:?}");
    }
    assert_eq!(refused(&["x_1", "\u{3b2}"]), "read");
    let error = Expression::parse("x +\u{e9}* 2", &["x"]).expect_err("no operand");
    assert!(matches!(error, FormulaError::UnknownName { .. } | FormulaError::Syntax { .. }));
}

#[test]
fn sums_of_squares_are_recognised() {
    let squares = |text: &str| parse(text).squares();
    assert_eq!(squares("(x*y-1)^2"), Some(1));
    assert_eq!(squares("(1-x)^2 + 100*(y-x^2)^2"), Some(2));
    assert_eq!(squares("x*x"), Some(1));
    assert_eq!(squares("x^4/2"), Some(1));
    assert_eq!(squares("exp(x)*(y-1)^2"), Some(1));
    assert_eq!(squares("(x^2+y^2)*(x-y)^2"), Some(2));
    assert_eq!(squares("(x-1)^2 / (1+y^2)^2"), Some(1));
    assert_eq!(squares("x^2 - y^2"), None);
    assert_eq!(squares("x^3"), None);
    assert_eq!(squares("-1*x^2"), None);
    assert!(Function::is_nonnegative(&parse("1 - cos(x)")));
    assert!(!Function::is_nonnegative(&parse("0.5 - cos(x)")));
    assert!(!Function::is_nonnegative(&parse("x^2*y")));
}

/// Formulas in every operation, mostly defined for x, y in [0.2, 3].
fn formula() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_owned()),
        Just("y".to_owned()),
        (-4i32..5).prop_map(|k| format!("({k})")),
        (0.01..3.0f64).prop_map(|c| format!("{c:.3}")),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            (pair.clone(), 0usize..4).prop_map(|((a, b), k)| format!("({a} {} {b})", ["+", "-", "*", "/"][k])),
            (inner.clone(), -3i32..5).prop_map(|(a, k)| format!("({a})^({k})")),
            (inner.clone(), 0usize..6)
                .prop_map(|(a, k)| format!("{}({a})", ["sin", "cos", "tanh", "exp", "log", "sqrt"][k])),
            inner.clone().prop_map(|a| format!("(-{a})")),
            pair.prop_map(|(a, b)| format!("(1 + ({a})^2)^(0.3*tanh({b}))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// The enclosures have no slack; a float evaluation is granted its own rounding, measured by the enclosure at the point.
    #[test]
    fn enclosures_contain_values_and_derivatives(
        text in formula(), x in 0.2..3.0f64, y in 0.2..3.0f64, w in 0.0..0.5f64, t in 0.0..1.0f64, u in 0.0..1.0f64,
    ) {
        let f = parse(&text);
        let region = [Interval::new(x - w * t, x + w), Interval::new(y - w * u, y + w)];
        let Some(whole) = f.enclose(&region) else { return Ok(()) };
        // The enclosures at the point and on the box meet: both contain the value.
        let point = f.enclose(&[Interval::exact(x), Interval::exact(y)]);
        prop_assert!(point.is_some(), "defined on the box, not at the point");
        let point = point.expect("just checked");
        let mut pairs = vec![(*whole.function().value(), *point.function().value())];
        for i in 0..2 {
            pairs.push((whole.function().partial(i), point.function().partial(i)));
            for j in i..2 {
                pairs.push((whole.function().second_partial(i, j), point.function().second_partial(i, j)));
            }
        }
        for (whole, point) in &pairs {
            prop_assert!(whole.meets(*point), "{text}: {whole:?} {point:?}");
        }
        let mut gradient = [0.0; 2];
        let value = f.gradient(&[x, y], &mut gradient);
        for (float, (whole, point)) in [value, gradient[0], gradient[1]].into_iter().zip([pairs[0], pairs[1], pairs[4]]) {
            let slack = 16.0 * (point.hi() - point.lo()) + 1e-300;
            if float.is_finite() && slack.is_finite() {
                prop_assert!(whole.lo() - slack <= float && float <= whole.hi() + slack, "{text}: {float} {whole:?}");
            }
        }
    }

    /// Gradient and Hessian against central differences of values and gradients.
    #[test]
    fn derivatives_agree_with_differences(text in formula(), x in 0.3..2.5f64, y in 0.3..2.5f64) {
        let f = parse(&text);
        let h = 1e-5;
        let around = [Interval::new(x - h, x + h), Interval::new(y - h, y + h)];
        let Some(whole) = f.enclose(&around) else { return Ok(()) };
        let mut gradients = [[0.0; 2]; 4];
        let values: Vec<f64> = [(h, 0.0), (-h, 0.0), (0.0, h), (0.0, -h)]
            .iter()
            .zip(&mut gradients)
            .map(|((dx, dy), g)| f.gradient(&[x + dx, y + dy], g))
            .collect();
        let size = 1.0 + values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        for i in 0..2 {
            // The mean value theorem: a difference quotient is a derivative somewhere in the box.
            let quotient = (values[2 * i] - values[2 * i + 1]) / (2.0 * h);
            let d = whole.function().partial(i);
            let slack = 1e-9 * size;
            prop_assert!(d.lo() - slack <= quotient && quotient <= d.hi() + slack, "{text}: {quotient} {d:?}");
            for j in 0..2 {
                let (up, down) = (gradients[2 * i][j], gradients[2 * i + 1][j]);
                let quotient = (up - down) / (2.0 * h);
                let d = whole.function().second_partial(i, j);
                let slack = 1e-9 * (1.0 + up.abs() + down.abs() + size);
                prop_assert!(d.lo() - slack <= quotient && quotient <= d.hi() + slack, "{text} {i}{j}: {quotient} {d:?}");
            }
        }
    }

    /// Whatever the text, reading it does not panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[-+*/^().,0-9a-z ]{0,60}") {
        let _ = Expression::parse(&text, &["x", "y"]);
    }
}

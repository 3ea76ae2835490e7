//! `gradcert criterion`: the criterion for a formula of a few variables.

use super::criterion_map;
use crate::args::CriterionArgs;
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds};
use gradcert::function::{Expression, FormulaError};
use gradcert::theorem::criterion::{Descent, Flow, Options, StartError, Verdict, certify};
use gradcert_report::number::{Rounding, rounded};
use serde_json::{Value, json};

impl From<FormulaError> for Failure {
    fn from(error: FormulaError) -> Failure {
        Failure::input(error.code(), error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Failure {
        Failure::input(error.code(), error.to_string())
    }
}

pub(crate) fn run(args: &CriterionArgs) -> Result<(Exit, Output), Failure> {
    let names: Vec<&str> = args.start.0.iter().map(|(name, _)| name.as_str()).collect();
    let start: Vec<f64> = args.start.0.iter().map(|(_, value)| *value).collect();
    let function = Expression::parse(&args.function, &names)?;
    if let Some(path) = &args.picture {
        criterion_map::check(path, start.len())?;
    }
    let clock = Seconds::start();
    let options = Options { radius: args.radius.0, max_boxes: args.max_boxes as usize, ..Options::default() };
    let verdict = certify(&function, &start, &options)?;
    let seconds = clock.seconds();
    if let Some(path) = &args.picture {
        criterion_map::write(path, &function, &start, &verdict)?;
    }
    let json = json(&function, &start, &verdict, seconds);
    let exit = if verdict.is_certified() { Exit::Done } else { Exit::Declined };
    Ok((exit, Output { text: text(&function, &start, &verdict, seconds), json }))
}

fn json(function: &Expression, start: &[f64], verdict: &Verdict, seconds: f64) -> Value {
    let named: serde_json::Map<String, Value> =
        function.variables().iter().cloned().zip(start.iter().map(|&x| json!(x))).collect();
    let flow = |flow: Option<Flow>| flow.map(|f| json!({"radius": f.radius, "alpha_lower": f.alpha}));
    let descent = |descent: Option<Descent>| {
        let object = |d: Descent| {
            json!({
                "radius": d.radius, "alpha_lower": d.alpha, "epsilon": d.epsilon, "step_size": d.step, "rate": d.rate
            })
        };
        descent.map(object)
    };
    let (best_descent, best_flow) = (verdict.best_descent(), verdict.best_flow());
    let already = verdict.already_minimum.then_some(0.0);
    json!({
        "status": if verdict.is_certified() { "certified" } else { "declined" },
        "reasons": verdict.reasons,
        "already_minimum": verdict.already_minimum,
        "certified_by": verdict.certified_by(),
        "alpha_lower": best_descent.map(|d| d.alpha).or(best_flow.map(|f| f.alpha)),
        "radius": best_descent.map(|d| d.radius).or(best_flow.map(|f| f.radius)).or(already),
        "step_size": best_descent.map(|d| d.step),
        "rate": best_descent.map(|d| d.rate),
        "value": verdict.value,
        "methods": {
            "flow-paper": flow(verdict.flow_paper),
            "flow-integral": flow(verdict.flow_integral),
            "descent-paper": descent(verdict.descent_paper),
            "descent-sharp": descent(verdict.descent_sharp),
        },
        "function": function.text(),
        "start": named,
        "squares": function.squares(),
        "boxes": verdict.boxes,
        "seconds": seconds,
    })
}

fn down(x: f64) -> String {
    rounded(x, 5, Rounding::Down)
}

fn up(x: f64) -> String {
    rounded(x, 5, Rounding::Up)
}

/// An upper bound in all its digits if they are not many: an exact 0.421875 is no 0.42188.
fn up_or_exact(x: f64) -> String {
    let exact = |digits| rounded(x, digits, Rounding::Up) == rounded(x, digits, Rounding::Down);
    rounded(x, (5..=12).find(|&digits| exact(digits)).unwrap_or(5), Rounding::Up)
}

fn text(function: &Expression, start: &[f64], verdict: &Verdict, seconds: f64) -> String {
    let at = function.name_point(start);
    let mut text = format!("f = {}\nstart: {at}, f <= {} there\n", function.text(), up_or_exact(verdict.value));
    if verdict.already_minimum {
        return text + "CERTIFIED: f is 0 at the start, which is already a minimum: there is nothing to descend.\n";
    }
    if !verdict.is_certified() {
        return text + "DECLINED: nothing is proved from this start.\n" + &reasons_text(&verdict.reasons);
    }
    text += "CERTIFIED:\n";
    if let Some(flow) = verdict.best_flow() {
        text += &format!(
            "  Gradient flow never leaves the ball of radius {} around the start and converges to a zero of f;\n  \
             f(x(t)) <= exp(-{} t) f(start).\n",
            up(flow.radius),
            down(flow.alpha)
        );
    }
    if let Some(descent) = verdict.best_descent() {
        text += &format!(
            "  Gradient descent with the step size {:?} never leaves the ball of radius {} and converges to a zero of f;\n  \
             each step multiplies f by at most 1 - {}.\n",
            descent.step,
            up(descent.radius),
            down(descent.rate)
        );
    }
    text + &methods(verdict) + &format!("  ({} boxes, {seconds:.2} s; in exact arithmetic)\n", verdict.boxes)
}

fn methods(verdict: &Verdict) -> String {
    let none = |name: &str| format!("  {name:<14} not certified\n");
    let flow = |name: &str, flow: Option<Flow>| {
        let line = |f: Flow| format!("  {name:<14} radius {}, |grad f|^2 >= {} f\n", up(f.radius), down(f.alpha));
        flow.map_or_else(|| none(name), line)
    };
    let descent = |name: &str, descent: Option<Descent>| {
        let line = |d: Descent| {
            let (radius, alpha, rate) = (up(d.radius), down(d.alpha), down(d.rate));
            format!("  {name:<14} radius {radius}, |grad f|^2 >= {alpha} f, step {}, rate {rate}\n", down(d.step))
        };
        descent.map_or_else(|| none(name), line)
    };
    flow("flow-paper", verdict.flow_paper)
        + &flow("flow-integral", verdict.flow_integral)
        + &descent("descent-paper", verdict.descent_paper)
        + &descent("descent-sharp", verdict.descent_sharp)
}

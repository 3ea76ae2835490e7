//! `make bench-tight`: how tight the certificates are, as Markdown tables. Every number is computed here and now.
#![allow(clippy::print_stdout, missing_docs)]

use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::{HiddenScale, LayerSteps, Method, Options, Outcome, Scale};
use gradcert::network::activation::Activation;
use gradcert::network::random::{Law, draw};
use gradcert::train::optimizer::Algorithm;
use gradcert::train::run::{Plan, run};
use std::path::Path;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

struct Set {
    name: String,
    samples: usize,
    features: usize,
    values: Vec<f64>,
    targets: Vec<f64>,
}

impl Set {
    fn bundled(name: &str) -> Result<Vec<Set>, Failure> {
        let data = gradcert_data::bundled(name).ok_or("no such bundled set")?.load()?;
        let (samples, features) = data.shape();
        let set = |p: gradcert_data::Problem| Set {
            name: format!("{name}, {}", p.name),
            samples,
            features,
            values: data.inputs().as_slice().to_vec(),
            targets: p.y,
        };
        Ok(data.problems().into_iter().map(set).collect())
    }

    /// The committed Gaussian sets (bench/gaussian.py).
    fn committed(samples: usize, features: usize) -> Result<Set, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/data");
        let data = gradcert_data::load(folder.join(format!("gaussian-{samples}x{features}.npz")), &Default::default())?;
        let gradcert_data::Targets::Numeric(targets) = data.targets().clone() else { return Err("labels".into()) };
        let values = data.inputs().as_slice().to_vec();
        Ok(Set { name: format!("Gaussian {samples} x {features}"), samples, features, values, targets })
    }

    /// Standard normal entries from our own generator.
    fn drawn(samples: usize, features: usize) -> Set {
        let w = draw(Activation::Identity, &[features, samples, 1], Law::LeCun, 1);
        let scale = (features as f64).sqrt();
        let values = (0..samples * features).map(|k| scale * w.weights[1][(k / features, k % features)]).collect();
        let scale = (samples as f64).sqrt();
        let targets = (0..samples).map(|i| scale * w.weights[2][(0, i)]).collect();
        Set { name: format!("Gaussian {samples} x {features}"), samples, features, values, targets }
    }

    fn problem(&self, white: bool, bias: bool) -> Problem {
        let coordinates = if white { Coordinates::Whitened { bias } } else { Coordinates::Raw };
        Problem::new(&self.values, self.samples, self.features, self.targets.clone(), coordinates)
    }
}

fn certify(problem: &Problem, options: &Options) -> Outcome {
    match PositiveSearch::new(problem, options) {
        Ok(search) => search.certify(),
        Err(reasons) => Outcome::Declined(reasons),
    }
}

/// Iterations that the run needed, in floating point.
fn observe(problem: &Problem, outcome: &Outcome, options: &Options) -> Option<u64> {
    let (start, metric) = outcome.start()?;
    let facts = outcome.facts(problem.total())?;
    let (step_size, tolerance) = (facts.step_size, options.tolerance);
    let algorithm = Algorithm::GradientDescent { step_size };
    let plan = Plan { start, metric, algorithm, tolerance, max_iterations: facts.iterations };
    let run = run(problem, &plan, None, faer::get_global_parallelism(), &mut |_| true);
    (run.final_loss <= tolerance).then_some(run.iterations)
}

fn options(width: usize, layers: usize) -> Options {
    Options { hidden_widths: vec![width; layers - 1], ..Options::default() }
}

fn row(name: &str, problem: &Problem, options: &Options) {
    let clock = Instant::now();
    let outcome = certify(problem, options);
    let seconds = clock.elapsed().as_secs_f64();
    let Some(facts) = outcome.facts(problem.total()) else {
        println!("| {name} | declined | | | | {seconds:.2} |");
        return;
    };
    let scale = outcome.positive_start().map_or(0.0, |p| p.output);
    let observed = observe(problem, &outcome, options);
    let ratio = observed.map_or("not reached".to_owned(), |o| format!("{:.3}", facts.iterations as f64 / o as f64));
    let observed = observed.map_or("-".to_owned(), |o| o.to_string());
    println!("| {name} | {scale:.4} | {} | {observed} | {ratio} | {seconds:.2} |", facts.iterations);
}

fn head(title: &str) {
    println!("\n{title}\n\n| set | A | certified | observed | ratio | seconds |\n|---|---|---|---|---|---|");
}

fn tightness() -> Result<(), Failure> {
    head("Iterations to S = 1e-20 at `--scale auto`, plain gradient descent:");
    let mut sets =
        vec![(Set::committed(20, 50)?, 10, 2), (Set::committed(20, 50)?, 10, 3), (Set::committed(50, 200)?, 32, 3)];
    sets.push((Set::drawn(60, 7129), 10, 2));
    sets.extend(Set::bundled("leukaemia")?.into_iter().chain(Set::bundled("khan")?).map(|s| (s, 10, 2)));
    for (set, width, layers) in &sets {
        row(
            &format!("{}, width {width}, L = {layers}", set.name),
            &set.problem(false, true),
            &options(*width, *layers),
        );
    }
    head("The same with `--whiten`:");
    sets.extend(Set::bundled("coffee")?.into_iter().map(|s| (s, 32, 2)));
    for (set, width, layers) in &sets {
        let options = Options { layer_steps: LayerSteps::Auto, ..options(*width, *layers) };
        row(&format!("{}, width {width}, L = {layers}", set.name), &set.problem(true, true), &options);
    }
    Ok(())
}

/// The four sets of the table of reference figures: raw and white without biases, hidden entries 1/width.
fn columns() -> Result<Vec<(String, Problem, Options, f64)>, Failure> {
    let mut columns = vec![];
    for (n, d, width, scales) in [(20, 50, 10, [17.8, 16.5]), (50, 200, 32, [7.07, 18.7])] {
        let set = Set::committed(n, d)?;
        for (white, scale) in [(false, scales[0]), (true, scales[1])] {
            let options = Options { freeze_bias: white, ..options(width, 3) };
            let name = format!("{}, width {width}, L = 3, {}", set.name, if white { "white" } else { "raw" });
            columns.push((name, set.problem(white, false), options, scale));
        }
    }
    Ok(columns)
}

fn scales() -> Result<(), Failure> {
    head(
        "At multiples 1.1, 3, 10, 100 of A0 (the smallest scale the simplest bounds certify), hidden entries 1/width:",
    );
    for (name, problem, options, a0) in columns()? {
        for multiple in [1.1, 3.0, 10.0, 100.0] {
            let hidden_scale = HiddenScale::Fixed(1.0 / options.hidden_widths[0] as f64);
            let options = Options { scale: Scale::Fixed(multiple * a0), hidden_scale, ..options.clone() };
            row(&format!("{name}, {multiple} A0"), &problem, &options);
        }
    }
    println!("\nSmallest certified A (`--scale min`):\n");
    println!("| set | equal steps, a = 1/width | equal steps, a free | `--layer-steps auto` |\n|---|---|---|---|");
    for (name, problem, options, _) in columns()? {
        let smallest = |hidden_scale, layer_steps| {
            let options = Options { scale: Scale::Minimum, hidden_scale, layer_steps, ..options.clone() };
            certify(&problem, &options).positive_start().map_or("declined".to_owned(), |p| format!("{:.3}", p.output))
        };
        let fixed = HiddenScale::Fixed(1.0 / options.hidden_widths[0] as f64);
        println!(
            "| {name} | {} | {} | {} |",
            smallest(fixed, LayerSteps::Equal),
            smallest(HiddenScale::Auto, LayerSteps::Equal),
            smallest(HiddenScale::Auto, LayerSteps::Auto)
        );
    }
    let problem = Set::committed(20, 50)?.problem(false, true);
    let deep = Options { scale: Scale::Minimum, ..options(10, 6) };
    let found = certify(&problem, &deep);
    println!(
        "\nDepth 6 (20 x 50, width 10, raw, equal steps): A = {:.3}",
        found.positive_start().map_or(f64::NAN, |p| p.output)
    );
    println!("\nAny A by slower later layers (50 x 200, width 32, L = 3, white, `--layer-steps auto`):\n");
    println!("| A | certified iterations | factor of the later layers |\n|---|---|---|");
    let (_, problem, options, _) = columns()?.remove(3);
    for a in [2.0, 1.0, 0.5, 0.3] {
        let options = Options { scale: Scale::Fixed(a), layer_steps: LayerSteps::Auto, ..options.clone() };
        let outcome = certify(&problem, &options);
        let count = outcome.facts(problem.total()).map_or("declined".to_owned(), |f| f.iterations.to_string());
        let factor = outcome.start().and_then(|(_, m)| m.weights.last().copied()).unwrap_or(f64::NAN);
        println!("| {a} | {count} | {factor} |");
    }
    Ok(())
}

fn methods() -> Result<(), Failure> {
    println!("\n`--method sharp` against `--method paper` (hidden entries and A chosen by each):\n");
    println!("| set | sharp | paper | orders of magnitude |\n|---|---|---|---|");
    for (set, width, layers) in
        [(Set::committed(20, 50)?, 10, 2), (Set::committed(20, 50)?, 10, 3), (Set::committed(50, 200)?, 32, 3)]
    {
        let problem = set.problem(false, true);
        let count = |method| {
            let outcome = certify(&problem, &Options { method, ..options(width, layers) });
            outcome.facts(problem.total()).map_or(f64::NAN, |f| f.iterations as f64)
        };
        let (sharp, paper) = (count(Method::Sharp), count(Method::Paper));
        println!(
            "| {}, width {width}, L = {layers} | {sharp} | {paper:.3e} | {:.1} |",
            set.name,
            (paper / sharp).log10()
        );
    }
    Ok(())
}

fn large() {
    println!("\nGaussian 2000 x 3000, width 64, L = 3, `--scale auto`:\n");
    let set = Set::drawn(2000, 3000);
    let problem = set.problem(false, true);
    let clock = Instant::now();
    let outcome = certify(&problem, &options(64, 3));
    let seconds = clock.elapsed().as_secs_f64();
    let count = outcome.facts(problem.total()).map_or("declined".to_owned(), |f| f.iterations.to_string());
    println!("certified iterations: {count}, in {seconds:.1} s");
}

fn main() -> Result<(), Failure> {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|c| c == name);
    if wanted("tightness") {
        tightness()?;
    }
    if wanted("scales") {
        scales()?;
    }
    if wanted("methods") {
        methods()?;
    }
    if wanted("large") {
        large();
    }
    Ok(())
}

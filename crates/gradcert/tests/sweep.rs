//! Sweeps: the same records whatever the threads, the shards and the interruptions; complaints where records do not fit.

use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::{Certified, Options, Outcome};
use gradcert::network::activation::Activation;
use gradcert::sweep::data::gaussian;
use gradcert::sweep::{Merged, Plan, Progress, Record, Shard, SweepError, merge, run_shard, store};
use gradcert::train::optimizer::Algorithm;
use gradcert::train::run::{Plan as Training, Stop, run as train};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const PLAN: &str = r#"{
    "fixed": {"data": "gaussian:6,9", "width": 4, "tol": 1e-8, "levels": [1e-2, 1e-4], "history": true},
    "vary": {"seed": [0, 1, 2]},
    "grids": [
        {"fixed": {"start": "positive"}},
        {"fixed": {"start": "positive", "whiten": true, "data": "gaussian:6,9,5"}},
        {"fixed": {"start": "lecun", "max-iterations": 300}, "vary": {"step": ["kernel:0.5", "kernel:50", 0.01]}},
        {"fixed": {"start": "abs-lecun", "stages": "certify", "activation": "tanh"}}
    ]
}"#;

fn plan() -> Plan {
    Plan::parse(PLAN).expect("a plan")
}

fn run(plan: &Plan, shard: &str, folder: &Path, threads: usize) -> Result<Progress, SweepError> {
    run_shard(plan, shard.parse().expect("a shard"), folder, threads, &|_| true)
}

fn whole(plan: &Plan) -> (tempfile::TempDir, Merged) {
    let folder = tempfile::tempdir().expect("a folder");
    run(plan, "1/1", folder.path(), 1).expect("the runs are done");
    let merged = merge(plan, folder.path()).expect("all records");
    (folder, merged)
}

fn bytes(merged: &Merged) -> (Vec<u8>, Vec<u8>) {
    (merged.jsonl().expect("lines"), merged.csv().expect("a table"))
}

#[test]
fn records_do_not_depend_on_threads_and_shards() {
    let plan = plan();
    let (_folder, one) = whole(&plan);
    assert_eq!(one.records.len(), plan.runs.len());
    for (shards, threads) in [(1, 4), (2, 2), (5, 3)] {
        let folder = tempfile::tempdir().expect("a folder");
        for shard in 1..=shards {
            let done = run(&plan, &format!("{shard}/{shards}"), folder.path(), threads).expect("the runs are done");
            assert_eq!(done.finished, done.runs);
        }
        assert_eq!(bytes(&merge(&plan, folder.path()).expect("all records")), bytes(&one), "{shards} shards");
    }
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    let plan = plan();
    let (_folder, one) = whole(&plan);
    let folder = tempfile::tempdir().expect("a folder");
    let stop_after_four = |p: Progress| p.finished < 4;
    let first = run_shard(&plan, Shard::ALL, folder.path(), 1, &stop_after_four).expect("some runs are done");
    assert_eq!(first.finished, 4);
    // A kill while a line is written leaves a part of it.
    let file = store::path(folder.path(), 1, 1);
    let text = std::fs::read(&file).expect("records");
    std::fs::write(&file, &text[..text.len() - 40]).expect("a torn file");
    // Another split of the work knows what is finished too.
    let calls = AtomicUsize::new(0);
    let count = |_: Progress| {
        calls.fetch_add(1, Ordering::Relaxed);
        true
    };
    for shard in ["1/2", "2/2"] {
        run_shard(&plan, shard.parse().expect("a shard"), folder.path(), 2, &count).expect("the runs are done");
    }
    assert_eq!(
        calls.into_inner(),
        plan.runs.len() - 3 + 2,
        "three runs were finished; each call begins with one report"
    );
    // The torn line stays behind in a file that nobody appends to, and does not count.
    assert_eq!(bytes(&merge(&plan, folder.path()).expect("all records")), bytes(&one));
    // Appending to the torn file cuts it.
    run(&plan, "1/1", folder.path(), 2).expect("nothing is left to do");
    assert!(std::fs::read(&file).expect("records").ends_with(b"\n"));
    assert_eq!(bytes(&merge(&plan, folder.path()).expect("all records")), bytes(&one));
}

#[test]
fn every_cut_of_a_file_is_survived() {
    let plan = Plan::parse(r#"{"fixed": {"data": "gaussian:3,4", "width": 2, "step": 0.1, "start": "lecun", "max-iterations": 3}, "vary": {"seed": [0, 1]}}"#)
        .expect("a plan");
    let (folder, one) = whole(&plan);
    let file = store::path(folder.path(), 1, 1);
    let text = std::fs::read(&file).expect("records");
    for cut in 0..text.len() {
        std::fs::write(&file, &text[..cut]).expect("a cut file");
        run(&plan, "1/1", folder.path(), 1).expect("the runs are done");
        assert_eq!(bytes(&merge(&plan, folder.path()).expect("all records")), bytes(&one), "cut at {cut}");
    }
}

#[test]
fn merging_complains_about_what_does_not_fit() {
    let plan = plan();
    let (folder, _) = whole(&plan);
    let file = store::path(folder.path(), 1, 1);
    let text = std::fs::read_to_string(&file).expect("records");
    let message = |what: &str| {
        let error = merge(&plan, folder.path()).expect_err(what);
        assert!(matches!(error.code(), "sweep_records" | "sweep_corrupt_record"), "{error}");
        error.to_string()
    };
    let first = text.lines().next().expect("a line");
    std::fs::write(&file, text.replacen(&format!("{first}\n"), "", 1)).expect("a file");
    assert!(message("missing").contains("1 runs have no record"));
    std::fs::write(&file, format!("{text}{first}\n")).expect("a file");
    assert!(message("twice").contains("1 runs have several records"));
    std::fs::write(&file, format!("{text}{}\n", first.replace(&plan.runs[0].key, "0123456789abcdef"))).expect("a file");
    assert!(message("foreign").contains("0123456789abcdef"));
    std::fs::write(&file, text.replacen('{', "[", 1)).expect("a file");
    assert!(message("corrupt").contains("line 1"));
    assert_eq!(run(&plan, "1/1", folder.path(), 1).expect_err("corrupt").code(), "sweep_corrupt_record");
}

#[test]
fn changed_data_are_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data.csv");
    let plan = serde_json::json!({
        "fixed": {"data": data, "start": "lecun", "step": 0.1, "max-iterations": 2, "width": 2},
        "vary": {"activation": ["tanh", "arctan"]}
    });
    let plan = Plan::parse(&plan.to_string()).expect("a plan");
    std::fs::write(&data, "a,b,y\n1,2,3\n2,1,5\n").expect("data");
    run(&plan, "1/2", folder.path(), 1).expect("half");
    std::fs::write(&data, "a,b,y\n1,2,3\n2,1,6\n").expect("data");
    run(&plan, "2/2", folder.path(), 1).expect("the other half");
    assert!(merge(&plan, folder.path()).expect_err("changed").to_string().contains("changed"));
}

#[test]
fn bad_data_are_errors_of_their_run() {
    let folder = tempfile::tempdir().expect("a folder");
    for (json, code) in [
        (r#"{"fixed": {"data": "bundled:none"}}"#, "sweep_run"),
        (r#"{"fixed": {"data": "gaussian:3,4", "problem": 1}}"#, "sweep_run"),
    ] {
        let plan = Plan::parse(json).expect("a plan");
        assert_eq!(run(&plan, "1/1", folder.path(), 1).expect_err(json).code(), code);
    }
    let missing = Plan::parse(r#"{"fixed": {"data": "/nowhere/x.csv"}}"#).expect("a plan");
    assert!(matches!(run(&missing, "1/1", folder.path(), 1), Err(SweepError::Data { .. })));
    for shard in ["0/3", "4/3", "1", "a/b", "1/0"] {
        assert_eq!(shard.parse::<Shard>().expect_err(shard).code(), "sweep_shard");
    }
}

fn positive_records(merged: &Merged) -> impl Iterator<Item = &Record> {
    merged.records.iter().filter(|r| r.options.get("start").is_some_and(|s| s == "positive"))
}

#[test]
fn certified_runs_stay_below_their_envelope_and_count() {
    let (_folder, merged) = whole(&plan());
    let mut seen = 0;
    for record in positive_records(&merged) {
        let certificate = record.certificate.as_ref().expect("certified");
        let training = record.training.as_ref().expect("trained");
        assert_eq!(training.stop, Stop::Tolerance);
        assert!(training.iterations <= certificate.iterations);
        let history = training.history.as_ref().expect("a history");
        assert_eq!(history.loss.len(), history.envelope.len());
        assert!(history.loss.iter().zip(&history.envelope).all(|(loss, bound)| loss <= bound));
        assert!(record.reached(1e-2) <= record.reached(1e-4) && record.reached(1e-2).is_some());
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn steps_in_units_of_the_kernel_are_stable_below_one_only() {
    let (_folder, merged) = whole(&plan());
    let with = |step: &str| -> Vec<Stop> {
        let of = merged.records.iter().filter(|r| r.options.get("step").is_some_and(|s| s == step));
        of.filter_map(|r| r.training.as_ref()).map(|t| t.stop).collect()
    };
    assert_eq!(with("kernel:50"), [Stop::Diverged; 3]);
    assert_eq!(with("kernel:0.5").len(), 3);
    assert!(!with("kernel:0.5").contains(&Stop::Diverged));
}

/// The engine has a loop of its own that records less; it must walk the same path as `gradcert train`.
#[test]
fn a_run_is_the_run_of_the_library() {
    let (_folder, merged) = whole(&plan());
    let record = positive_records(&merged).next().expect("a record");
    let (x, y) = gaussian(6, 9, 0);
    let problem = Problem::new(&x, 6, 9, y, Coordinates::Raw);
    let activation = Activation::SmoothLeakyRelu(0.1);
    let options = Options { hidden_widths: vec![4], activation, tolerance: 1e-8, ..Options::default() };
    let Ok(search) = PositiveSearch::new(&problem, &options) else { panic!("the search begins") };
    let outcome = search.certify();
    let Outcome::Certified(certified) = &outcome else { panic!("certified") };
    let (start, metric) = outcome.start().expect("a start");
    let step_size = certified.found.descent.step_size;
    let max_iterations = certified.found.iterations;
    let algorithm = Algorithm::GradientDescent { step_size };
    let plan = Training { start, metric, algorithm, tolerance: 1e-8, max_iterations };
    let certified: &Certified = certified;
    let other = train(&problem, &plan, Some(certified), faer::Par::Seq, &mut |_| true);
    let training = record.training.as_ref().expect("trained");
    assert_eq!(training.step_size, step_size);
    assert_eq!((training.iterations, training.final_loss), (other.iterations, Some(other.final_loss)));
    let history = training.history.as_ref().expect("a history");
    for (k, (loss, bound)) in history.iteration.iter().zip(history.loss.iter().zip(&history.envelope)) {
        if let Some(same) = other.history.iter().find(|r| r.iteration == *k) {
            assert_eq!((*loss, Some(*bound)), (same.loss, same.envelope));
        }
    }
}

/// A tolerance that doubles cannot reach: runs end where the loss stands still, those of the certified step where `gradcert train` ends
/// too. A step so small that nothing seems to happen is slow, not finished.
#[test]
fn runs_end_where_double_precision_ends() {
    let plan = Plan::parse(
        r#"{
            "fixed": {"data": "gaussian:5,12,7", "width": 4, "tol": 1e-80},
            "grids": [
                {"vary": {"history": [true, false]}},
                {"fixed": {"start": "lecun", "step": "kernel:0.5", "max-iterations": 300000, "levels": [1e-20]}},
                {"fixed": {"start": "lecun", "step": "kernel:1e-9", "max-iterations": 3000}}
            ]
        }"#,
    )
    .expect("a plan");
    let (_folder, merged) = whole(&plan);
    let trainings = |start: &str| {
        let of =
            merged.records.iter().filter(move |r| r.options.get("start").map_or("positive", String::as_str) == start);
        of.map(|r| (r, r.training.as_ref().expect("trained"))).collect::<Vec<_>>()
    };
    for (record, training) in trainings("positive") {
        let all = record.certificate.as_ref().expect("certified").iterations;
        assert_eq!(training.stop, Stop::Rounding, "{} of {all} iterations", training.iterations);
        assert!(training.iterations < all && training.final_loss < Some(1e-26), "{training:?}");
    }
    let positive = trainings("positive");
    assert_eq!(positive[0].1.iterations, positive[1].1.iterations, "recording changes nothing");
    let [(free, stalled), (_, slow)] = trainings("lecun")[..] else { panic!("two runs") };
    assert_eq!(stalled.stop, Stop::Rounding, "{stalled:?}");
    assert!(free.reached(1e-20).is_some() && stalled.final_loss < Some(1e-26), "{stalled:?}");
    assert_eq!((slow.stop, slow.iterations), (Stop::Iterations, 3000));
}

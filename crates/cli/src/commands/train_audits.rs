//! Audits of training: of iterates, where `--audit-every` asks for it, and of the model that is stored. A certificate made before
//! training speaks about exact arithmetic; these speak about the numbers that are there.

use crate::args::TrainArgs;
use crate::commands::audit::{announce, watched, within_memory};
use crate::commands::certify::{file_of, write, write_file};
use crate::commands::train::{Trained, diverged};
use crate::failure::Failure;
use crate::output::cell;
use crate::session::{Session, Task};
use gradcert::certify::Reason;
use gradcert::certify::audit::{AuditOutcome, AuditedMoment, certificate, first_provable};
use gradcert::certify::problem::Problem;
use gradcert::network::Network;
use gradcert::theorem::centre::Metric;
use gradcert::train::run::Moment;
use gradcert_report::number::{Rounding, count, rounded};
use serde_json::{Value, json};
use std::path::Path;

/// The audits of one run.
pub(crate) struct Audits {
    /// The problem, for networks that read raw samples.
    problem: Problem,
    every: Option<u64>,
    tolerance: f64,
    /// Audited iterates.
    pub(crate) moments: Vec<AuditedMoment>,
    /// The audit of the stored model, unless it was not wanted.
    pub(crate) stored: Option<AuditOutcome>,
}

impl Audits {
    pub(crate) fn new(args: &TrainArgs, task: &Task, start: &Network) -> Result<Audits, Failure> {
        let problem = task.problem.raw();
        if args.audit_every.is_some() {
            within_memory(&problem, start)?;
        }
        Ok(Audits { problem, every: args.audit_every, tolerance: args.net.tol, moments: vec![], stored: None })
    }

    /// Audits the iterate if it is its turn; was it?
    pub(crate) fn look(&mut self, moment: &Moment<'_>) -> bool {
        let due = self.every.is_some_and(|k| moment.iteration.is_multiple_of(k));
        if due {
            let (iteration, loss, network) = (moment.iteration, moment.loss, moment.network());
            self.moments.push(AuditedMoment::new(iteration, loss, &self.problem, &network, self.tolerance));
        }
        due
    }

    /// For the progress bar.
    pub(crate) fn word(&self) -> String {
        match (self.every, first_provable(&self.moments), self.moments.last()) {
            (None, ..) => String::new(),
            (Some(_), Some(_), Some(AuditedMoment { iteration, remaining: Some(most), .. })) => {
                format!(", gd from {} needs at most {}", count(*iteration), count(*most))
            }
            (Some(_), Some(first), _) => format!(", first provable: {}", count(first)),
            (Some(_), None, _) => ", nothing proved yet".to_owned(),
        }
    }

    /// Audits the model that is stored.
    fn finish(&self, name: &str, network: &Network) -> AuditOutcome {
        match within_memory(&self.problem, network) {
            Ok(()) => {
                announce(name, network, &self.problem, false);
                watched(&self.problem, network, &Metric::plain(network.layers()), self.tolerance)
            }
            Err(failure) => AuditOutcome::Declined(vec![Reason { code: "resource_limit", message: failure.message }]),
        }
    }

    /// Keys of the JSON object of a problem.
    pub(crate) fn to_json(&self, json: &mut Value) {
        json["audit"] = self.stored.as_ref().map_or(Value::Null, stored_json);
        if self.every.is_some() {
            json["audits"] = json!(self.moments);
            json["first_provable"] = json!(first_provable(&self.moments));
        }
    }

    fn on_the_way(&self) -> String {
        let proved = self.moments.iter().find_map(|m| Some((m.iteration, m.step_size?, m.remaining?)));
        match (proved, self.moments.last()) {
            (None, None) => "  audits on the way: no iterate before the end was audited\n".to_owned(),
            (Some((iteration, step_size, most)), _) => format!(
                "  audits on the way: first at iterate {} plain gradient descent on raw samples, with step {step_size:.4e}, is proved to \
                 converge,\n  within {} more iterations to the tolerance\n",
                count(iteration),
                count(most)
            ),
            (None, Some(last)) => format!(
                "  audits on the way: at none of {} iterates convergence is proved (at the last of them: {})\n",
                self.moments.len(),
                last.declined.unwrap_or("an exact solution is near, descent is not certified")
            ),
        }
    }

    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if self.every.is_some() {
            text += &self.on_the_way();
        }
        match &self.stored {
            None => {}
            Some(AuditOutcome::Declined(reasons)) => reasons.iter().for_each(|r| {
                text += &format!("  audit of the stored model: declined ({}): {}\n", r.code, r.message);
            }),
            Some(AuditOutcome::Certified(a)) => {
                text += &format!(
                    "  audit of the stored model: a network with loss 0 lies at most {} away ({}){}\n",
                    rounded(a.distance, 3, Rounding::Up),
                    a.existence_theorem(),
                    if a.convergence.is_some() { ", and descent from here converges" } else { "" }
                );
            }
        }
        text
    }
}

fn stored_json(outcome: &AuditOutcome) -> Value {
    match outcome {
        AuditOutcome::Declined(reasons) => json!({"status": "declined", "reasons": reasons}),
        AuditOutcome::Certified(a) => json!({
            "status": "certified",
            "reasons": [],
            "theorem": a.existence_theorem(),
            "distance": a.distance,
            "residual_upper": a.residual.get(),
            "step_size": a.convergence.as_ref().map(|(_, found)| found.descent.step_size),
            "certified_iterations": a.convergence.as_ref().map(|(_, found)| found.iterations),
        }),
    }
}

/// Audits what is going to be stored. A run that diverged has nothing to audit.
pub(crate) fn audit_stored(session: &Session, trained: &mut [Trained]) {
    for t in trained.iter_mut().filter(|t| !diverged(t)) {
        t.audits.stored = Some(match session.obvious_decline() {
            Some(reason) => AuditOutcome::Declined(vec![reason]),
            None => t.audits.finish(&t.task.name, &t.run.network),
        });
    }
}

/// Stored models of which nothing is proved.
fn declined(trained: &[Trained]) -> usize {
    trained.iter().filter(|t| matches!(t.audits.stored, Some(AuditOutcome::Declined(_)))).count()
}

/// Why there is no certificate about the stored model, where some of several networks passed.
pub(crate) fn missing_text(trained: &[Trained]) -> String {
    match declined(trained) {
        0 => String::new(),
        k if k == trained.len() => String::new(),
        k => format!("no audit.json: {k} of {} audits declined\n", trained.len()),
    }
}

/// The audit that proves least.
pub(crate) fn worst_json(trained: &[Trained]) -> Value {
    let rank = |outcome: &&AuditOutcome| match outcome {
        AuditOutcome::Declined(_) => f64::INFINITY,
        AuditOutcome::Certified(a) => a.distance,
    };
    let stored = trained.iter().filter_map(|t| t.audits.stored.as_ref());
    stored.max_by(|a, b| rank(a).total_cmp(&rank(b))).map_or(Value::Null, stored_json)
}

/// Writes `audit.json`, a certificate about `model.safetensors`, if all networks in it passed (the answer), and `audits.csv`.
pub(crate) fn save(session: &Session, trained: &[Trained], folder: &Path) -> Result<bool, Failure> {
    let mut certificates = vec![];
    for t in trained {
        let (audits, network) = (&t.audits, &t.run.network);
        let Some(AuditOutcome::Certified(audited)) = &audits.stored else { continue };
        let metric = Metric::plain(network.layers());
        let inputs = audits.problem.input_bounds_in(&metric);
        let record = certificate(audited, &t.task.name, &t.task.targets, network, &metric, &inputs, audits.tolerance);
        certificates.push(record.map_err(|e| Failure::limit(e.to_string()))?);
    }
    let all = certificates.len() == trained.len();
    if all {
        write_file(&file_of(session, certificates), &folder.join("audit.json"))?;
    }
    if trained.iter().any(|t| t.audits.every.is_some()) {
        write(&folder.join("audits.csv"), table(trained).as_bytes())?;
    }
    Ok(all)
}

fn table(trained: &[Trained]) -> String {
    let mut text = String::from("problem,iteration,loss,distance,step_size,remaining_iterations,declined\n");
    for (p, t) in trained.iter().enumerate() {
        for m in &t.audits.moments {
            text += &format!(
                "{p},{},{:e},{},{},{},{}\n",
                m.iteration,
                m.loss,
                cell(m.distance),
                cell(m.step_size),
                m.remaining.map(|r| r.to_string()).unwrap_or_default(),
                m.declined.unwrap_or_default()
            );
        }
    }
    text
}

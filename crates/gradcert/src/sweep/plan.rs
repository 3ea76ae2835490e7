//! From a plan to the list of its runs.
//!
//! ```json
//! { "fixed": {"data": "gaussian:50,100", "depth": 3},
//!   "vary":  {"seed": [0, 1, 2], "width": [10, 50]},
//!   "grids": [ {"fixed": {"start": "positive"}},
//!              {"fixed": {"start": "lecun"}, "vary": {"step": ["kernel:0.5", "kernel:1"]}} ] }
//! ```
//! Every grid stands for all combinations of its `vary` lists and the outer ones, over its `fixed` options and the outer
//! ones; what is inside wins. Without `grids` there is one. Options vary in alphabetical order, the last one fastest.

use super::error::SweepError;
use super::options::{OptionTexts, RunOptions};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// No plan has more runs.
pub const MOST_RUNS: usize = 1_000_000;

/// Part of every key: records of another meaning of the options must not be taken for these.
const MEANING: &str = "gradcert sweep 1\n";

type Values = BTreeMap<String, Value>;
type Lists = BTreeMap<String, Vec<Value>>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grid {
    #[serde(default)]
    fixed: Values,
    #[serde(default)]
    vary: Lists,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    fixed: Values,
    #[serde(default)]
    vary: Lists,
    #[serde(default)]
    grids: Vec<Grid>,
}

/// One run of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Made of the options: the same in every plan that has this run.
    pub key: String,
    /// The options as texts.
    pub texts: OptionTexts,
    /// The options.
    pub options: RunOptions,
}

/// The runs of a plan, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Different runs only.
    pub runs: Vec<Planned>,
    /// Of all keys in order.
    pub hash: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of a run.
pub fn key(texts: &OptionTexts) -> String {
    let mut hash = Sha256::new();
    hash.update(MEANING);
    for (name, text) in texts {
        hash.update(format!("{name}={text}\n"));
    }
    hex(&hash.finalize()[..8])
}

/// A value as the command line would have it.
fn text(option: &str, value: &Value) -> Result<String, SweepError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Array(parts) => {
            let parts: Result<Vec<_>, _> = parts.iter().map(|part| text(option, part)).collect();
            Ok(parts?.join(","))
        }
        Value::Null | Value::Object(_) => {
            Err(SweepError::value(option, &value.to_string(), "a text, a number, true, false or a list of these"))
        }
    }
}

/// All combinations over the fixed options, the last name fastest.
fn expand(fixed: &Values, vary: &Lists) -> Result<Vec<OptionTexts>, SweepError> {
    let mut all = vec![OptionTexts::new()];
    for (option, value) in fixed {
        let value = text(option, value)?;
        all[0].insert(option.clone(), value);
    }
    for (option, values) in vary {
        if all.len().saturating_mul(values.len()) > MOST_RUNS {
            return Err(SweepError::TooManyRuns { limit: MOST_RUNS });
        }
        let values: Vec<String> = values.iter().map(|v| text(option, v)).collect::<Result<_, _>>()?;
        let with = |run: &OptionTexts, value: &String| {
            let mut run = run.clone();
            run.insert(option.clone(), value.clone());
            run
        };
        all = all.iter().flat_map(|run| values.iter().map(|value| with(run, value)).collect::<Vec<_>>()).collect();
    }
    Ok(all)
}

/// Inner entries win, also over outer ones of the other kind.
fn merged(outer: &Text, inner: &Grid) -> (Values, Lists) {
    let (mut fixed, mut vary) = (outer.fixed.clone(), outer.vary.clone());
    for (option, value) in &inner.fixed {
        vary.remove(option);
        fixed.insert(option.clone(), value.clone());
    }
    for (option, values) in &inner.vary {
        fixed.remove(option);
        vary.insert(option.clone(), values.clone());
    }
    (fixed, vary)
}

impl Plan {
    /// Reads and expands a plan, and reads all options of all runs.
    ///
    /// # Errors
    /// [`SweepError::Plan`], [`SweepError::TooManyRuns`] and those of [`RunOptions::parse`].
    pub fn parse(json: &str) -> Result<Plan, SweepError> {
        let text: Text = serde_json::from_str(json).map_err(|e| SweepError::Plan(e.to_string()))?;
        let grids = if text.grids.is_empty() { vec![Grid::default()] } else { text.grids.clone() };
        let mut all = vec![];
        for grid in &grids {
            let (fixed, vary) = merged(&text, grid);
            all.extend(expand(&fixed, &vary)?);
            if all.len() > MOST_RUNS {
                return Err(SweepError::TooManyRuns { limit: MOST_RUNS });
            }
        }
        Plan::new(all)
    }

    /// From the options of every run; repeated runs count once.
    ///
    /// # Errors
    /// Those of [`RunOptions::parse`], and [`SweepError::Plan`] if there is no run.
    pub fn new(all: Vec<OptionTexts>) -> Result<Plan, SweepError> {
        let (mut runs, mut seen, mut hash) = (vec![], BTreeSet::new(), Sha256::new());
        for texts in all {
            let key = key(&texts);
            if seen.insert(key.clone()) {
                let options = RunOptions::parse(&texts)?;
                hash.update(&key);
                runs.push(Planned { key, texts, options });
            }
        }
        if runs.is_empty() {
            return Err(SweepError::Plan("there is no run in it".to_owned()));
        }
        Ok(Plan { runs, hash: hex(&hash.finalize()[..16]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{
        "fixed": {"data": "gaussian:4,6", "step": 0.25, "depth": 3, "width": 2},
        "vary": {"seed": [0, 1], "activation": ["tanh", "arctan"]},
        "grids": [{"fixed": {"start": "lecun"}},
                  {"fixed": {"start": "abs-lecun", "seed": 7}, "vary": {"step": [1, "kernel:0.5", 1]}}]
    }"#;

    #[test]
    fn grids_are_products_and_repeated_runs_count_once() {
        let plan = Plan::parse(PLAN).expect("a plan");
        assert_eq!(plan.runs.len(), 4 + 4);
        let shown: Vec<String> = plan
            .runs
            .iter()
            .map(|r| format!("{} {} {}", r.texts["activation"], r.texts["seed"], r.texts["step"]))
            .collect();
        assert_eq!(shown[..3], ["tanh 0 0.25", "tanh 1 0.25", "arctan 0 0.25"]);
        assert_eq!(shown[4..6], ["tanh 7 1", "tanh 7 kernel:0.5"]);
        assert_eq!(plan, Plan::parse(PLAN).expect("the same plan"));
    }

    #[test]
    fn a_key_depends_on_every_option_and_on_nothing_else() {
        let plan = Plan::parse(PLAN).expect("a plan");
        let keys: BTreeSet<_> = plan.runs.iter().map(|r| &r.key).collect();
        assert_eq!(keys.len(), plan.runs.len());
        let shorter = Plan::new(vec![plan.runs[3].texts.clone()]).expect("one run");
        assert_eq!(shorter.runs[0].key, plan.runs[3].key);
        assert_ne!(shorter.hash, plan.hash);
    }

    #[test]
    fn unusable_plans_are_refused() {
        for (json, code) in [
            ("", "sweep_plan"),
            ("[1]", "sweep_plan"),
            (r#"{"fixd": {}}"#, "sweep_plan"),
            (r#"{"fixed": {"data": {"a": 1}}}"#, "sweep_value"),
            (r#"{"fixed": {"data": "gaussian:3,4"}, "vary": {"seed": []}}"#, "sweep_plan"),
            (r#"{"fixed": {"data": "gaussian:3,4", "color": 1}}"#, "sweep_option"),
        ] {
            assert_eq!(Plan::parse(json).expect_err(json).code(), code, "{json}");
        }
        let many: Vec<u32> = (0..1001).collect();
        let json = serde_json::json!({"fixed": {"data": "gaussian:3,4"}, "vary": {"seed": many, "width": many[1..], "problem": many}});
        assert_eq!(Plan::parse(&json.to_string()).expect_err("too many").code(), "sweep_size");
    }
}

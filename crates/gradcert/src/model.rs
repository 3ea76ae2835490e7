//! Model files: safetensors, float64, with the architecture in the metadata.
//!
//! Tensors are named `P.L.weight` (d_L x d_{L-1}) and `P.L.bias`, P the number of the network from 0, L the layer from 1.
//! There is one problem per output: usually networks have one each.
//! Models made elsewhere are read by [`read`].

mod layers;
mod onnx;
mod order;
mod refusal;
mod source;
mod state_dict;

pub use refusal::Refusal;
pub use source::{Format, ReadModel, activation_elsewhere, read, read_bytes};
pub use state_dict::to_state_dict;

use crate::network::Network;
use crate::network::activation::Activation;
use faer::Mat;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// One or several networks that read the same samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// One network per problem.
    pub networks: Vec<Network>,
    /// What the outputs mean.
    pub meaning: Meaning,
}

/// What the outputs of a model mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// Names of the problems, one per output: one per network, unless a network made elsewhere has several outputs.
    pub problems: Vec<String>,
    /// Class names; empty for numeric targets. With two classes one network says the second one by a positive sign,
    /// with more the largest output wins.
    pub classes: Vec<String>,
    /// Name of the target, so that a table with it can be predicted from.
    pub target: Option<String>,
    /// (T13a) The lift that makes the inputs of the networks out of samples, in the words of `gradcert_data::Lift`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<String>,
}

/// Why a model file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file could not be opened, read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Not a model of ours.
    #[error("not a gradcert model: {0}")]
    Format(String),
    /// A model made elsewhere that cannot be read.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ModelError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            ModelError::File { .. } => "unreadable",
            ModelError::Format(_) => "model_format",
            ModelError::Refused(refusal) => refusal.code(),
        }
    }
}

fn bad(what: impl Into<String>) -> ModelError {
    ModelError::Format(what.into())
}

/// No network is larger than this; the sizes in a file are claims of a stranger.
const MOST_LAYERS: usize = 1000;

impl Model {
    /// The class or the value each row of outputs stands for, as text.
    pub fn decide(&self, outputs: &[f64]) -> String {
        match (self.meaning.classes.as_slice(), outputs) {
            ([first, second], [f]) => if *f > 0.0 { second } else { first }.clone(),
            (classes, outputs) if classes.len() == outputs.len() && !classes.is_empty() => {
                let best = (0..outputs.len()).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b])).unwrap_or(0);
                classes[best].clone()
            }
            (_, outputs) => outputs.iter().map(f64::to_string).collect::<Vec<String>>().join(","),
        }
    }

    /// The bytes of the model file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = vec![];
        for (p, network) in self.networks.iter().enumerate() {
            for l in 1..=network.layers() {
                let w = &network.weights[l];
                let bytes = (0..w.nrows()).flat_map(|i| (0..w.ncols()).flat_map(move |j| w[(i, j)].to_le_bytes()));
                tensors.push((format!("{p}.{l}.weight"), vec![w.nrows(), w.ncols()], bytes.collect()));
                let b = &network.biases[l];
                tensors.push((
                    format!("{p}.{l}.bias"),
                    vec![b.len()],
                    b.iter().flat_map(|x| x.to_le_bytes()).collect(),
                ));
            }
        }
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F64, shape.clone(), bytes)?)))
            .collect();
        let views = views.map_err(|e: safetensors::SafeTensorError| bad(e.to_string()))?;
        let meaning = serde_json::to_string(&self.meaning).map_err(|e| bad(e.to_string()))?;
        let activation = self.networks.first().map(|n| n.activation.to_string()).unwrap_or_default();
        let metadata = HashMap::from([
            ("format".to_owned(), "gradcert-model".to_owned()),
            ("version".to_owned(), version(&self.meaning).to_owned()),
            ("activation".to_owned(), activation),
            ("meaning".to_owned(), meaning),
        ]);
        sorted_header(safetensors::serialize(views, Some(metadata)).map_err(|e| bad(e.to_string()))?)
    }

    /// Reads a model from bytes; nothing in them is trusted.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| bad(e.to_string()))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| bad(e.to_string()))?;
        let metadata = header.metadata().as_ref().ok_or_else(|| bad("no metadata"))?;
        let entry = |key: &str| metadata.get(key).ok_or_else(|| bad(format!("no {key} in the metadata")));
        let version_read = entry("version")?;
        if entry("format")? != "gradcert-model" || !["1", "2"].contains(&version_read.as_str()) {
            return Err(bad("unknown format or version"));
        }
        let activation: Activation = entry("activation")?.parse().map_err(|e| bad(format!("activation: {e}")))?;
        let meaning: Meaning = serde_json::from_str(entry("meaning")?).map_err(|e| bad(e.to_string()))?;
        if version_read != version(&meaning) {
            return Err(bad("version and lift do not agree"));
        }
        let stored = |p: &usize| tensors.tensor(&format!("{p}.1.weight")).is_ok();
        let networks: Result<Vec<Network>, ModelError> =
            (0..meaning.problems.len()).take_while(stored).map(|p| read_network(&tensors, p, activation)).collect();
        let networks = networks?;
        let read: usize = networks.iter().map(|n| 2 * n.layers()).sum();
        let outputs: usize = networks.iter().map(Network::outputs).sum();
        if read != tensors.len() || networks.is_empty() || outputs != meaning.problems.len() {
            return Err(bad("tensors and problems do not agree"));
        }
        let inputs = networks[0].widths()[0];
        if networks.iter().any(|n| n.widths()[0] != inputs) {
            return Err(bad("the networks read different numbers of features"));
        }
        Ok(Model { networks, meaning })
    }

    /// Writes the file through a temporary one beside it, so that no half-written model is ever found.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let bytes = self.to_bytes()?;
        let temporary = temporary_beside(path);
        let create = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary);
        let written = create.and_then(|mut file| {
            let renamed = file.write_all(&bytes).and_then(|()| std::fs::rename(&temporary, path));
            if renamed.is_err() {
                // The error that is reported is the first one.
                let _ = std::fs::remove_file(&temporary);
            }
            renamed
        });
        written.map_err(|e| ModelError::File { path: path.display().to_string(), reason: e.to_string() })
    }

    /// Reads the file.
    pub fn load(path: &Path) -> Result<Model, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|e| ModelError::File { path: path.display().to_string(), reason: e.to_string() })?;
        Model::from_bytes(&bytes)
    }
}

/// Readers of version 1 know nothing of lifts, and would feed the networks samples that were not lifted.
fn version(meaning: &Meaning) -> &'static str {
    if meaning.lift.is_some() { "2" } else { "1" }
}

/// A name in the same folder that is nobody else's: the whole file name, the process and a counter. (Replacing the
/// extension would make `a.b` and `a.c` share one temporary file, and overwrite a file `a.tmp` of the user.)
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{count}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// The same file with the keys of its header in alphabetical order: the metadata come out of a hash map, and two runs
/// of the same command would write different bytes.
fn sorted_header(file: Vec<u8>) -> Result<Vec<u8>, ModelError> {
    let cut = || bad("a header of the wrong length");
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    let (header, tensors) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).map_err(|e| bad(e.to_string()))?;
    let mut text = serde_json::to_vec(&header).map_err(|e| bad(e.to_string()))?;
    // Tensors begin at a multiple of 8 bytes.
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut sorted = (text.len() as u64).to_le_bytes().to_vec();
    sorted.extend(text);
    sorted.extend(tensors);
    Ok(sorted)
}

fn read_network(tensors: &SafeTensors<'_>, p: usize, activation: Activation) -> Result<Network, ModelError> {
    let (mut weights, mut biases) = (vec![Mat::zeros(0, 0)], vec![vec![]]);
    for l in 1..=MOST_LAYERS {
        let Ok(weight) = tensors.tensor(&format!("{p}.{l}.weight")) else { break };
        let bias = tensors.tensor(&format!("{p}.{l}.bias")).map_err(|_| bad(format!("layer {l} has no bias")))?;
        let (&[rows, columns], &[width]) = (weight.shape(), bias.shape()) else {
            return Err(bad(format!("layer {l} has a tensor of the wrong rank")));
        };
        let before = weights.last().map_or(0, Mat::nrows);
        if rows != width || rows == 0 || columns == 0 || (l > 1 && columns != before) {
            return Err(bad(format!("layer {l}: shapes {rows} x {columns} and {width} do not fit")));
        }
        let w = doubles(&weight)?;
        weights.push(Mat::from_fn(rows, columns, |i, j| w[i * columns + j]));
        biases.push(doubles(&bias)?);
    }
    if weights.len() < 3 {
        return Err(bad(format!("network {p} does not have two or more layers")));
    }
    Ok(Network { activation, weights, biases })
}

fn doubles(tensor: &TensorView<'_>) -> Result<Vec<f64>, ModelError> {
    if tensor.dtype() != Dtype::F64 {
        return Err(bad("a tensor is not float64"));
    }
    let (chunks, _) = tensor.data().as_chunks::<8>();
    let values: Vec<f64> = chunks.iter().map(|c| f64::from_le_bytes(*c)).collect();
    if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(bad("a parameter is not finite")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_leaves_neighbours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::positive(Activation::Tanh, &[2, 3, 1], &[], 1.5);
        let meaning = Meaning { problems: vec!["y".to_owned()], classes: vec![], target: None, lift: None };
        let model = Model { networks: vec![network], meaning };
        // What replacing the extension would have overwritten.
        std::fs::write(folder.path().join("run.1.tmp"), "mine").unwrap();
        std::thread::scope(|scope| {
            for name in ["run.1.safetensors", "run.1.start.safetensors", "run.1.old", "run.1"] {
                let (model, path) = (&model, folder.path().join(name));
                scope.spawn(move || (0..20).for_each(|_| model.save(&path).unwrap()));
            }
        });
        assert_eq!(std::fs::read(folder.path().join("run.1.tmp")).unwrap(), b"mine");
        for name in ["run.1.safetensors", "run.1.start.safetensors", "run.1.old", "run.1"] {
            assert_eq!(Model::load(&folder.path().join(name)).unwrap(), model);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
        assert!(model.save(&folder.path().join("missing/model")).is_err());
        assert!(model.save(folder.path()).is_err(), "a folder");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}

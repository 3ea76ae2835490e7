//! Models made here or elsewhere: which format a file has, and how it is read.

use super::layers::{Layer, NumberFormat, network};
use super::refusal::Refusal;
use super::{Meaning, Model, ModelError, onnx, state_dict};
use crate::network::activation::Activation;
use safetensors::tensor::SafeTensors;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Larger files are refused unread.
const MOST_BYTES: u64 = 1 << 32;

/// Where a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own file.
    Gradcert,
    /// A state dict of fully connected layers in safetensors.
    StateDict,
    /// ONNX.
    Onnx,
}

impl Format {
    /// Its name for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Format::Gradcert => "gradcert",
            Format::StateDict => "state dict",
            Format::Onnx => "onnx",
        }
    }
}

/// A model and what its file says about itself.
#[derive(Clone, Debug)]
pub struct ReadModel {
    /// The model. A model made elsewhere is one network, with one name in [`Meaning::problems`] per output.
    pub model: Model,
    /// The format of the file.
    pub format: Format,
    /// The number formats of the parameters, each of which a double holds exactly.
    pub number_formats: Vec<&'static str>,
    /// Names of the layers in the file, in the order in which they are applied; empty for our own files.
    pub layers: Vec<String>,
    /// Layers (from 1) without a bias in the file.
    pub without_bias: Vec<usize>,
    /// Where the file computes something that is only nearly the function read.
    pub notes: Vec<String>,
}

impl ReadModel {
    /// A model of layers made elsewhere.
    fn new(
        format: Format,
        layers: Vec<Layer>,
        activation: Activation,
        formats: &[NumberFormat],
        notes: Vec<String>,
    ) -> Result<ReadModel, Refusal> {
        let names = layers.iter().map(|l| l.name.clone()).collect();
        let without_bias = (1..).zip(&layers).filter(|(_, l)| l.bias.is_none()).map(|(k, _)| k).collect();
        let network = network(layers, activation)?;
        let outputs = network.outputs();
        let problems = match outputs {
            1 => vec!["output".to_owned()],
            _ => (0..outputs).map(|k| format!("output{k}")).collect(),
        };
        let meaning = Meaning { problems, classes: vec![], target: None, lift: None };
        let number_formats = formats.iter().map(|f| f.name()).collect();
        let model = Model { networks: vec![network], meaning };
        Ok(ReadModel { model, format, number_formats, layers: names, without_bias, notes })
    }
}

/// The activation under the name it has where models are made elsewhere: `sigmoid` is 1/(1 + e^-t), `softplus` is
/// ln(1 + e^t), not the shifted functions [`Activation`] calls `logistic` and `softplus`.
pub fn activation_elsewhere(name: &str) -> Result<Activation, ModelError> {
    let refused = |reason| Err(Refusal::Activation { name: name.to_owned(), reason }.into());
    match name {
        "softplus" => Ok(Activation::PlainSoftplus),
        "logistic" => refused("say sigmoid for 1/(1 + e^-t)"),
        "swish" => Ok(Activation::Silu),
        "relu" | "leaky-relu" | "leaky_relu" | "selu" | "relu6" | "hardtanh" => refused(super::refusal::KINKED),
        "gelu-tanh" | "gelu_tanh" => refused(super::refusal::TANH_GELU),
        _ => name.parse().or_else(|_| {
            refused(
                "known are tanh, sigmoid, softplus, gelu, silu, erf, softsign, arctan, algebraic, identity and \
                 smooth-leaky-relu:C",
            )
        }),
    }
}

/// Reads a model of any format that is known. `activation` is needed for a state dict and refused for the others.
pub fn read(path: &Path, activation: Option<Activation>) -> Result<ReadModel, ModelError> {
    let failed = |e: std::io::Error| ModelError::File { path: path.display().to_string(), reason: e.to_string() };
    let file = File::open(path).map_err(failed)?;
    let too_large = || Refusal::TooLarge { what: "the number of bytes of the file".to_owned(), limit: MOST_BYTES };
    if file.metadata().map_err(failed)?.len() > MOST_BYTES {
        return Err(too_large().into());
    }
    // What is no ordinary file has no length.
    let mut bytes = vec![];
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_large().into());
    }
    read_bytes(&bytes, activation)
}

/// [`read`] from bytes; nothing in them is trusted.
pub fn read_bytes(bytes: &[u8], activation: Option<Activation>) -> Result<ReadModel, ModelError> {
    // safetensors: eight bytes of length, then a JSON object. ONNX: its first field is nearly always the version.
    if bytes.get(8) == Some(&b'{') {
        return read_safetensors(bytes, activation);
    }
    let hint = match bytes {
        [b'P', b'K', ..] | [0x80, ..] => {
            ": a pickle of PyTorch can run any program and is not opened; write the weights with \
             safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")"
        }
        [0x89, b'H', b'D', b'F', ..] => ": export the HDF5 model to ONNX",
        [] => ": it is empty",
        _ => "",
    };
    match bytes {
        [0x08 | 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..] => Ok(read_onnx(bytes, activation)?),
        _ => Err(Refusal::Unknown(hint).into()),
    }
}

fn read_safetensors(bytes: &[u8], activation: Option<Activation>) -> Result<ReadModel, ModelError> {
    let broken = |e: safetensors::SafeTensorError| Refusal::Broken { format: "safetensors", reason: e.to_string() };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let ours = header.metadata().as_ref().and_then(|m| m.get("format")).is_some_and(|f| f == "gradcert-model");
    if ours {
        let model = Model::from_bytes(bytes)?;
        let named = model.networks.first().map(|n| n.activation.to_string()).unwrap_or_default();
        if activation.is_some() {
            return Err(Refusal::ActivationGiven(named).into());
        }
        let number_formats = vec![NumberFormat::Float64.name()];
        return Ok(ReadModel {
            model,
            format: Format::Gradcert,
            number_formats,
            layers: vec![],
            without_bias: vec![],
            notes: vec![],
        });
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (layers, formats) = state_dict::layers(&tensors)?;
    let activation = activation.ok_or(Refusal::ActivationMissing)?;
    Ok(ReadModel::new(Format::StateDict, layers, activation, &formats, vec![])?)
}

fn read_onnx(bytes: &[u8], activation: Option<Activation>) -> Result<ReadModel, Refusal> {
    let chain = onnx::read(bytes)?;
    if activation.is_some() {
        return Err(Refusal::ActivationGiven(chain.activation.to_string()));
    }
    ReadModel::new(Format::Onnx, chain.layers, chain.activation, &chain.formats, chain.notes)
}

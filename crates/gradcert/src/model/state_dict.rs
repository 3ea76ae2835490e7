//! A state dict of fully connected layers as PyTorch names them, in safetensors: `P.weight` (outputs x inputs) and `P.bias`
//! (outputs) for each layer P, in any order.

use super::layers::{Layer, MOST_LAYERS, NumberFormat, entries, finite};
use super::order::{Named, order};
use super::refusal::{Refusal, list, quote};
use super::{ModelError, bad};
use crate::network::Network;
use faer::Mat;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// A network as a state dict: the layers have these names, those listed (from 1) have no bias. With `single` the parameters are
/// stored as float32.
///
/// # Errors
/// [`ModelError::Format`](super::ModelError) if the names do not fit, or `single` is asked for and a parameter is no float32.
pub fn to_state_dict(
    network: &Network,
    names: &[String],
    without_bias: &[usize],
    single: bool,
) -> Result<Vec<u8>, ModelError> {
    if names.len() != network.layers() {
        return Err(bad(format!("{} names for {} layers", names.len(), network.layers())));
    }
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = vec![];
    for (l, name) in (1..).zip(names) {
        // Names that were read are those of the weights.
        let layer = if name == "weight" { "" } else { name.strip_suffix(".weight").unwrap_or(name) };
        let full = |kind: &str| if layer.is_empty() { kind.to_owned() } else { format!("{layer}.{kind}") };
        let w = &network.weights[l];
        let rows: Vec<f64> = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)])).collect();
        tensors.push((full("weight"), vec![w.nrows(), w.ncols()], stored(&rows, single)?));
        let bias = &network.biases[l];
        if !without_bias.contains(&l) {
            tensors.push((full("bias"), vec![bias.len()], stored(bias, single)?));
        } else if bias.iter().any(|b| *b != 0.0) {
            return Err(bad(format!("layer {l} has a bias")));
        }
    }
    let kind = if single { Dtype::F32 } else { Dtype::F64 };
    let views: Result<Vec<_>, _> =
        tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(kind, shape.clone(), bytes)?))).collect();
    let views = views.map_err(|e: safetensors::SafeTensorError| bad(e.to_string()))?;
    safetensors::serialize(views, None).map_err(|e| bad(e.to_string()))
}

fn stored(values: &[f64], single: bool) -> Result<Vec<u8>, ModelError> {
    if !single {
        return Ok(values.iter().flat_map(|x| x.to_le_bytes()).collect());
    }
    if values.iter().any(|&x| f64::from(x as f32) != x) {
        return Err(bad("a parameter is no float32"));
    }
    Ok(values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect())
}

/// A longer name is an attack: names are compared with one another.
const LONGEST_NAME: usize = 1000;

/// The two tensors of a layer.
#[derive(Default)]
struct Parts<'a> {
    weight: Option<TensorView<'a>>,
    bias: Option<TensorView<'a>>,
}

/// The layers in the order in which they are applied, and the number formats they were stored in.
pub(super) fn layers(tensors: &SafeTensors<'_>) -> Result<(Vec<Layer>, Vec<NumberFormat>), Refusal> {
    let parts = parts(tensors)?;
    let named: Vec<Named<'_>> = parts
        .iter()
        .filter_map(|(name, part)| match part.weight.as_ref()?.shape() {
            &[outputs, inputs] => Some(Named { name, inputs, outputs }),
            _ => None,
        })
        .collect();
    if named.len() > MOST_LAYERS {
        return Err(Refusal::TooLarge { what: "the number of layers".to_owned(), limit: MOST_LAYERS as u64 });
    }
    let order = order(&named)?;
    let mut formats = vec![];
    let mut layers = vec![];
    for name in order.into_iter().map(|i| named[i].name) {
        let Some(Parts { weight: Some(weight), bias }) = parts.get(name) else { continue };
        layers.push(layer(name, weight, bias.as_ref(), &mut formats)?);
    }
    Ok((layers, formats))
}

/// Tensors grouped by layer; an error that names all that belong to no fully connected layer.
fn parts<'a>(tensors: &'a SafeTensors<'_>) -> Result<BTreeMap<String, Parts<'a>>, Refusal> {
    let mut parts: BTreeMap<String, Parts<'a>> = BTreeMap::new();
    let mut others: Vec<String> = vec![];
    for (name, view) in tensors.iter() {
        if name.len() > LONGEST_NAME {
            return Err(Refusal::Broken {
                format: "safetensors",
                reason: format!("the name {} is too long", quote(name)),
            });
        }
        let (layer, kind) = name.rsplit_once('.').unwrap_or(("", name));
        match (kind, view.shape().len()) {
            ("weight", 2) if !is_embedding(layer) => parts.entry(layer.to_owned()).or_default().weight = Some(view),
            ("bias", 1) => parts.entry(layer.to_owned()).or_default().bias = Some(view),
            _ => others.push(name.to_owned()),
        }
    }
    let lonely = parts.iter().filter(|(_, part)| part.weight.is_none());
    others.extend(lonely.map(|(layer, _)| if layer.is_empty() { "bias".to_owned() } else { format!("{layer}.bias") }));
    if others.is_empty() {
        return Ok(parts);
    }
    others.sort();
    Err(Refusal::Tensors(list(others.iter().map(String::as_str))))
}

/// The table of an embedding has the shape of a weight; its name is all that tells.
fn is_embedding(layer: &str) -> bool {
    layer.rsplit('.').next().is_some_and(|last| last.to_ascii_lowercase().contains("emb"))
}

fn layer(
    name: &str,
    weight: &TensorView<'_>,
    bias: Option<&TensorView<'_>>,
    formats: &mut Vec<NumberFormat>,
) -> Result<Layer, Refusal> {
    let full = |kind: &str| if name.is_empty() { kind.to_owned() } else { format!("{name}.{kind}") };
    let values = doubles(&full("weight"), weight, formats)?;
    let &[rows, columns] = weight.shape() else { return Err(Refusal::Tensors(quote(&full("weight")))) };
    let bias = bias.map(|b| doubles(&full("bias"), b, formats)).transpose()?;
    Ok(Layer { name: full("weight"), weight: Mat::from_fn(rows, columns, |i, j| values[i * columns + j]), bias })
}

/// The entries in the order of the file. The library has checked that there are as many bytes as shape and format ask for.
fn doubles(name: &str, tensor: &TensorView<'_>, formats: &mut Vec<NumberFormat>) -> Result<Vec<f64>, Refusal> {
    let format = match tensor.dtype() {
        Dtype::F64 => NumberFormat::Float64,
        Dtype::F32 => NumberFormat::Float32,
        Dtype::F16 => NumberFormat::Float16,
        Dtype::BF16 => NumberFormat::Bfloat16,
        other => return Err(Refusal::NumberFormat { tensor: quote(name), dtype: format!("{other:?}") }),
    };
    let count = entries(name, tensor.shape().iter().copied())?;
    let values = format.doubles(tensor.data());
    if values.len() != count {
        return Err(Refusal::Broken { format: "safetensors", reason: format!("{} has the wrong length", quote(name)) });
    }
    if !formats.contains(&format) {
        formats.push(format);
    }
    finite(name, values)
}

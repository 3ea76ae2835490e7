//! Fully connected networks in ONNX files: a chain of Gemm or MatMul + Add with one smooth activation between them.
//!
//! Every node of the graph is accounted for: what is not understood, or would round, is refused by name.

mod chain;
mod constant;
mod form;
mod messages;
mod node;

use super::layers::{Layer, NumberFormat};
use super::refusal::{Refusal, quote};
use crate::network::activation::Activation;
use chain::Walk;
use messages::{Dimension, Graph, Model, OperatorSet, ValueInfo};
use node::Operation;
use prost::Message;
use prost::bytes::Bytes;

/// Larger files are refused: a decoded file can take 16 times its bytes.
const MOST_BYTES: usize = 1 << 28;
/// A chain of layers has no more nodes or tensors.
const MOST_NODES: usize = 10_000;
/// The operators read here mean the same in these versions of the standard.
const VERSIONS: std::ops::RangeInclusive<i64> = 7..=27;

/// What a graph computes.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) layers: Vec<Layer>,
    pub(super) activation: Activation,
    pub(super) formats: Vec<NumberFormat>,
    pub(super) notes: Vec<String>,
}

fn broken(reason: impl Into<String>) -> Refusal {
    Refusal::Broken { format: "ONNX", reason: reason.into() }
}

fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, Refusal> {
    M::decode(bytes).map_err(|e| broken(e.to_string()))
}

/// The number of samples and the shape of one, as far as a graph declares them.
#[derive(Clone, Debug, Default)]
struct InputShape {
    /// None: not declared.
    dimensions: Option<Vec<Option<usize>>>,
}

impl InputShape {
    /// Samples x features? What is not declared is taken to be.
    fn is_matrix(&self) -> bool {
        self.dimensions.as_ref().is_none_or(|d| d.len() == 2)
    }

    /// Number of features, all dimensions but the first multiplied.
    fn features(&self) -> Option<usize> {
        let (_, rest) = self.dimensions.as_ref()?.split_first()?;
        rest.iter().try_fold(1usize, |product, d| product.checked_mul((*d)?))
    }

    /// The number of samples, if the graph is for a fixed one.
    fn samples(&self) -> Option<usize> {
        *self.dimensions.as_ref()?.first()?
    }
}

/// The chain of an ONNX file; nothing in it is trusted.
pub(super) fn read(bytes: &[u8]) -> Result<Chain, Refusal> {
    if bytes.len() > MOST_BYTES {
        return Err(Refusal::TooLarge {
            what: "the number of bytes of an ONNX file".to_owned(),
            limit: MOST_BYTES as u64,
        });
    }
    let model: Model = decode(Bytes::copy_from_slice(bytes))?;
    if !model.functions.is_empty() || !model.training_info.is_empty() {
        return Err(broken("functions and training graphs of a model are not read: export it inlined, for inference"));
    }
    versions(model.opset_import)?;
    let [graph] = <[Bytes; 1]>::try_from(model.graph).map_err(|_| broken("it does not have one graph"))?;
    let graph: Graph = decode(graph)?;
    if !graph.sparse_initializer.is_empty() || !graph.quantization_annotation.is_empty() {
        return Err(broken("sparse and quantised tensors are not read"));
    }
    if graph.node.len().max(graph.initializer.len()).max(graph.input.len()) > MOST_NODES {
        return Err(Refusal::TooLarge { what: "the number of nodes".to_owned(), limit: MOST_NODES as u64 });
    }
    walk(graph)
}

fn walk(graph: Graph) -> Result<Chain, Refusal> {
    let mut walk = Walk::default();
    for bytes in graph.initializer {
        let (name, value) = constant::tensor(bytes)?;
        walk.define_constant(name, value)?;
    }
    let mut inputs = vec![];
    for bytes in graph.input {
        let info: ValueInfo = decode(bytes)?;
        // Before version 4 of the format initialisers were listed among the inputs.
        if !walk.is_constant(&info.name) {
            inputs.push(info);
        }
    }
    let [input] = <[ValueInfo; 1]>::try_from(inputs)
        .map_err(|inputs| Refusal::Branch(format!("it has {} inputs, not one", inputs.len())))?;
    let shape = shape(&input)?;
    walk.define_input(input.name, shape)?;
    for bytes in graph.node {
        walk.apply(&Operation::read(bytes)?)?;
    }
    let [output] = <[Bytes; 1]>::try_from(graph.output)
        .map_err(|outputs| Refusal::Branch(format!("it has {} outputs, not one", outputs.len())))?;
    let output: ValueInfo = decode(output)?;
    walk.finish(&output.name)
}

/// An error unless the standard operator set is imported in a version that is known.
fn versions(sets: Vec<Bytes>) -> Result<(), Refusal> {
    if sets.len() > MOST_NODES {
        return Err(broken("too many operator sets"));
    }
    let mut standard = false;
    for bytes in sets {
        let set: OperatorSet = decode(bytes)?;
        if matches!(set.domain.as_str(), "" | "ai.onnx") {
            if !VERSIONS.contains(&set.version) {
                return Err(broken(format!(
                    "version {} of the operators is not read, only {} to {}",
                    set.version,
                    VERSIONS.start(),
                    VERSIONS.end()
                )));
            }
            standard = true;
        }
    }
    if standard { Ok(()) } else { Err(broken("it imports no operators of the standard")) }
}

fn shape(input: &ValueInfo) -> Result<InputShape, Refusal> {
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
    let dimensions = tensor.and_then(|t| t.shape.as_ref()).map(|shape| {
        let size = |d: &Dimension| usize::try_from(d.value).ok().filter(|&d| d > 0);
        shape.dim.iter().map(size).collect::<Vec<_>>()
    });
    if dimensions.as_ref().is_some_and(|d| d.len() > 8) {
        return Err(broken(format!("the input {} has too many dimensions", quote(&input.name))));
    }
    Ok(InputShape { dimensions })
}

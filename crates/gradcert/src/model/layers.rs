//! From the layers of a file to a network: shapes, limits and finite numbers, whatever the format.

use super::refusal::{Refusal, quote};
use crate::network::Network;
use crate::network::activation::Activation;
use faer::Mat;
use half::{bf16, f16};

/// No network is deeper; the sizes in a file are claims of a stranger.
pub(super) const MOST_LAYERS: usize = 1000;
/// No network has more parameters: 2 GiB of doubles.
const MOST_PARAMETERS: usize = 1 << 28;

/// One fully connected layer, `z = W h + b`.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Its name in the file.
    pub(super) name: String,
    /// `W` (units x inputs).
    pub(super) weight: Mat<f64>,
    /// `b`; 0 where there is none.
    pub(super) bias: Option<Vec<f64>>,
}

/// Number formats of which every number is a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberFormat {
    Float64,
    Float32,
    Float16,
    Bfloat16,
}

impl NumberFormat {
    pub(super) fn name(self) -> &'static str {
        match self {
            NumberFormat::Float64 => "float64",
            NumberFormat::Float32 => "float32",
            NumberFormat::Float16 => "float16",
            NumberFormat::Bfloat16 => "bfloat16",
        }
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            NumberFormat::Float64 => 8,
            NumberFormat::Float32 => 4,
            NumberFormat::Float16 | NumberFormat::Bfloat16 => 2,
        }
    }

    /// The doubles of little-endian bytes, exactly: a float with fewer digits and a smaller range of exponents is a double.
    pub(super) fn doubles(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            NumberFormat::Float64 => bytes.as_chunks::<8>().0.iter().map(|c| f64::from_le_bytes(*c)).collect(),
            NumberFormat::Float32 => bytes.as_chunks::<4>().0.iter().map(|c| f32::from_le_bytes(*c).into()).collect(),
            NumberFormat::Float16 => bytes.as_chunks::<2>().0.iter().map(|c| f16::from_le_bytes(*c).to_f64()).collect(),
            NumberFormat::Bfloat16 => {
                bytes.as_chunks::<2>().0.iter().map(|c| bf16::from_le_bytes(*c).to_f64()).collect()
            }
        }
    }
}

/// Number of entries of a tensor, an error if it is beyond every network that is read.
pub(super) fn entries(name: &str, shape: impl IntoIterator<Item = usize>) -> Result<usize, Refusal> {
    let product = shape.into_iter().try_fold(1usize, usize::checked_mul);
    product.filter(|&p| p <= MOST_PARAMETERS).ok_or_else(|| Refusal::TooLarge {
        what: format!("the number of entries of {}", quote(name)),
        limit: MOST_PARAMETERS as u64,
    })
}

/// The values, if all are finite.
pub(super) fn finite(name: &str, values: Vec<f64>) -> Result<Vec<f64>, Refusal> {
    if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(Refusal::NotFinite(quote(name))) }
}

/// The network of consecutive layers.
pub(super) fn network(layers: Vec<Layer>, activation: Activation) -> Result<Network, Refusal> {
    if layers.len() > MOST_LAYERS {
        return Err(Refusal::TooLarge { what: "the number of layers".to_owned(), limit: MOST_LAYERS as u64 });
    }
    if layers.is_empty() {
        return Err(Refusal::Shapes("no layer was found".to_owned()));
    }
    for layer in &layers {
        check(layer)?;
    }
    for pair in layers.windows(2) {
        let (given, wanted) = (pair[0].weight.nrows(), pair[1].weight.ncols());
        if given != wanted {
            let (first, second) = (quote(&pair[0].name), quote(&pair[1].name));
            return Err(Refusal::Shapes(format!("{first} has {given} outputs, {second} after it reads {wanted}")));
        }
    }
    let parameters =
        layers.iter().try_fold(0usize, |sum, l| sum.checked_add(l.weight.nrows() * (l.weight.ncols() + 1)));
    if parameters.is_none_or(|p| p > MOST_PARAMETERS) {
        return Err(Refusal::TooLarge { what: "the number of parameters".to_owned(), limit: MOST_PARAMETERS as u64 });
    }
    if layers.len() == 1 {
        return Err(Refusal::OneLayer);
    }
    let (mut weights, mut biases) = (vec![Mat::zeros(0, 0)], vec![vec![]]);
    for layer in layers {
        biases.push(layer.bias.unwrap_or_else(|| vec![0.0; layer.weight.nrows()]));
        weights.push(layer.weight);
    }
    Ok(Network { activation, weights, biases })
}

fn check(layer: &Layer) -> Result<(), Refusal> {
    let (units, inputs) = layer.weight.shape();
    if units == 0 || inputs == 0 {
        return Err(Refusal::Shapes(format!("{} has the shape ({units}, {inputs})", quote(&layer.name))));
    }
    match &layer.bias {
        Some(bias) if bias.len() != units => Err(Refusal::Shapes(format!(
            "{} has {units} outputs and a bias of length {} (weights must be stored as outputs x inputs)",
            quote(&layer.name),
            bias.len()
        ))),
        _ => Ok(()),
    }
}

//! Constants of a graph: weights, biases, scalars and shapes.

use super::super::layers::{NumberFormat, entries};
use super::super::refusal::{Refusal, quote};
use super::messages::{Tensor, kind};
use super::node::Operation;
use super::{broken, decode};
use prost::bytes::Bytes;

/// A constant tensor, row-major.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) dims: Vec<usize>,
    pub(super) values: Values,
}

/// Its entries.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Real numbers as doubles, exactly, and the format they were stored in.
    Real(Vec<f64>, NumberFormat),
    /// Integers: shapes.
    Integer(Vec<i64>),
    /// A number format that is not read, by its number in the ONNX standard.
    Other(i32),
}

impl Constant {
    /// The real numbers, an error otherwise.
    pub(super) fn real(&self, name: &str) -> Result<(&[f64], NumberFormat), Refusal> {
        let refused = |dtype: String| Err(Refusal::NumberFormat { tensor: quote(name), dtype });
        match &self.values {
            Values::Real(values, format) => Ok((values, *format)),
            Values::Integer(_) => refused("integer".to_owned()),
            Values::Other(number) => refused(format!("number {number} of the ONNX standard")),
        }
    }

    /// The only entry.
    pub(super) fn scalar(&self) -> Option<f64> {
        match &self.values {
            Values::Real(values, _) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }
}

/// The name and the value of a tensor message.
pub(super) fn tensor(bytes: Bytes) -> Result<(String, Constant), Refusal> {
    let tensor: Tensor = decode(bytes)?;
    let name = tensor.name.clone();
    if !tensor.external_data.is_empty() || tensor.data_location != 0 {
        return Err(broken(format!(
            "{} is in another file; export with external_data=False, so that the model is one file",
            quote(&name)
        )));
    }
    if !tensor.segment.is_empty() {
        return Err(broken(format!("{} is stored in segments", quote(&name))));
    }
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| broken(format!("{} has a negative dimension", quote(&name))))?;
    let count = entries(&name, dims.iter().copied())?;
    let values = values(tensor, &name)?;
    let length = match &values {
        Values::Real(values, _) => values.len(),
        Values::Integer(values) => values.len(),
        Values::Other(_) => count,
    };
    if length != count {
        return Err(broken(format!("{} has {length} entries, its shape says {count}", quote(&name))));
    }
    Ok((name, Constant { dims, values }))
}

/// Bytes in the file where there are any, else the field of the number format.
fn values(tensor: Tensor, name: &str) -> Result<Values, Refusal> {
    let format = match tensor.data_type {
        1 => NumberFormat::Float32,
        10 => NumberFormat::Float16,
        11 => NumberFormat::Float64,
        16 => NumberFormat::Bfloat16,
        7 => return integers(tensor, name),
        other => return Ok(Values::Other(other)),
    };
    let fields = [tensor.float_data.len(), tensor.double_data.len(), tensor.int32_data.len(), tensor.int64_data.len()];
    if let Some(raw) = tensor.raw_data {
        if raw.len() % format.bytes() != 0 || fields.iter().any(|&length| length > 0) {
            return Err(broken(format!("{} has a wrong number of bytes", quote(name))));
        }
        return Ok(Values::Real(format.doubles(&raw), format));
    }
    let values = match format {
        NumberFormat::Float64 => tensor.double_data,
        NumberFormat::Float32 => tensor.float_data.into_iter().map(f64::from).collect(),
        // The low 16 bits of each integer.
        NumberFormat::Float16 | NumberFormat::Bfloat16 => {
            let halves: Option<Vec<u16>> = tensor.int32_data.iter().map(|&x| u16::try_from(x).ok()).collect();
            let halves = halves.ok_or_else(|| broken(format!("{} has an entry beyond 16 bits", quote(name))))?;
            format.doubles(&halves.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        }
    };
    Ok(Values::Real(values, format))
}

fn integers(tensor: Tensor, name: &str) -> Result<Values, Refusal> {
    let Some(raw) = tensor.raw_data else { return Ok(Values::Integer(tensor.int64_data)) };
    let (chunks, rest) = raw.as_chunks::<8>();
    if !rest.is_empty() || !tensor.int64_data.is_empty() {
        return Err(broken(format!("{} has a wrong number of bytes", quote(name))));
    }
    Ok(Values::Integer(chunks.iter().map(|c| i64::from_le_bytes(*c)).collect()))
}

/// The value of a `Constant` node.
pub(super) fn of_node(operation: &Operation) -> Result<Constant, Refusal> {
    operation.inputs(0..=0)?;
    let [attribute] = operation.attributes.as_slice() else {
        return Err(operation.refused("a constant has one value"));
    };
    let real = |values: &[f32], dims| {
        let values = values.iter().map(|&x| f64::from(x)).collect();
        Ok(Constant { dims, values: Values::Real(values, NumberFormat::Float32) })
    };
    match (attribute.name.as_str(), attribute.kind) {
        ("value", kind::TENSOR) => match attribute.t.as_slice() {
            [bytes] => Ok(tensor(bytes.clone())?.1),
            _ => Err(operation.refused("a constant has one value")),
        },
        ("value_float", kind::FLOAT) => real(&[attribute.f], vec![]),
        ("value_floats", kind::FLOATS) => real(&attribute.floats, vec![attribute.floats.len()]),
        ("value_int", kind::INT) => Ok(Constant { dims: vec![], values: Values::Integer(vec![attribute.i]) }),
        ("value_ints", kind::INTS) => {
            Ok(Constant { dims: vec![attribute.ints.len()], values: Values::Integer(attribute.ints.clone()) })
        }
        (other, _) => Err(operation.refused(format!("constants given by {} are not read", quote(other)))),
    }
}

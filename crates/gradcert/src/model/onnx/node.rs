//! One node of a graph, decoded; everything it says must be understood.

use super::super::refusal::{Refusal, quote};
use super::messages::{Attribute, Node, kind};
use super::{broken, decode};
use prost::bytes::Bytes;
use std::ops::RangeInclusive;

/// A node has a handful of attributes and inputs.
const MOST_PARTS: usize = 64;

/// A node of the standard operator set.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) inputs: Vec<String>,
    pub(super) output: String,
    pub(super) attributes: Vec<Attribute>,
    name: String,
}

impl Operation {
    /// Decodes a node; an error if it is none of the standard operator set or has several results.
    pub(super) fn read(bytes: Bytes) -> Result<Operation, Refusal> {
        let node: Node = decode(bytes)?;
        if node.attribute.len() > MOST_PARTS || node.input.len() > MOST_PARTS {
            return Err(broken(format!("the node {} has too many parts", quote(&node.name))));
        }
        let attributes: Result<Vec<Attribute>, Refusal> = node.attribute.into_iter().map(decode).collect();
        let name = if node.name.is_empty() { node.output.join(", ") } else { node.name };
        let mut operation =
            Operation { kind: node.op_type, inputs: node.input, output: String::new(), attributes: attributes?, name };
        if !matches!(node.domain.as_str(), "" | "ai.onnx") || !node.overload.is_empty() {
            return Err(operation.refused(format!("it is not of the ONNX standard but of {}", quote(&node.domain))));
        }
        if operation.attributes.iter().any(|a| !a.ref_attr_name.is_empty()) {
            return Err(operation.refused("an attribute refers to a function"));
        }
        match <[String; 1]>::try_from(node.output) {
            Ok([output]) if !output.is_empty() => operation.output = output,
            _ => return Err(operation.refused("it does not have one result")),
        }
        // Trailing inputs that are left out may be written as empty names.
        while operation.inputs.last().is_some_and(String::is_empty) {
            operation.inputs.pop();
        }
        Ok(operation)
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> Refusal {
        let operator = quote(&self.kind).trim_matches('"').to_owned();
        Refusal::Operator { operator, node: quote(&self.name), reason: reason.into() }
    }

    /// An error if the number of inputs is not in the range.
    pub(super) fn inputs(&self, count: RangeInclusive<usize>) -> Result<&[String], Refusal> {
        if count.contains(&self.inputs.len()) && self.inputs.iter().all(|name| !name.is_empty()) {
            Ok(&self.inputs)
        } else {
            Err(self.refused(format!("it has {} inputs", self.inputs.len())))
        }
    }

    /// An error if there is an attribute beside these, or one twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (i, attribute) in self.attributes.iter().enumerate() {
            let name = attribute.name.as_str();
            if !known.contains(&name) || self.attributes[..i].iter().any(|a| a.name == name) {
                return Err(self.refused(format!("the attribute {} is unknown or given twice", quote(name))));
            }
        }
        Ok(())
    }

    fn attribute(&self, name: &str, kind: i32) -> Result<Option<&Attribute>, Refusal> {
        match self.attributes.iter().find(|a| a.name == name) {
            Some(a) if a.kind != kind && a.kind != 0 => {
                Err(self.refused(format!("the attribute {} is of the wrong kind", quote(name))))
            }
            found => Ok(found),
        }
    }

    pub(super) fn float(&self, name: &str, default: f32) -> Result<f64, Refusal> {
        Ok(self.attribute(name, kind::FLOAT)?.map_or(default, |a| a.f).into())
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> Result<i64, Refusal> {
        Ok(self.attribute(name, kind::INT)?.map_or(default, |a| a.i))
    }

    pub(super) fn integers(&self, name: &str) -> Result<Option<&[i64]>, Refusal> {
        Ok(self.attribute(name, kind::INTS)?.map(|a| a.ints.as_slice()))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&[u8]>, Refusal> {
        Ok(self.attribute(name, kind::STRING)?.map(|a| a.s.as_ref()))
    }
}

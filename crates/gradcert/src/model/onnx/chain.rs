//! Walks through the nodes in the order of the file, which the format demands to be the order of computation.

use super::super::layers::{Layer, MOST_LAYERS, entries, finite};
use super::super::refusal::{KINKED, Refusal, TANH_GELU, quote};
use super::constant::{Constant, Values, of_node};
use super::form::{Form, Kind, exact_product};
use super::node::Operation;
use super::{Chain, InputShape, broken};
use crate::network::activation::Activation;
use faer::Mat;
use std::collections::HashMap;
use std::rc::Rc;

/// A value that depends on the input.
#[derive(Clone, Copy, Debug)]
struct Value {
    form: Form,
    /// A matrix samples x units; an input with more dimensions is not until it is flattened.
    matrix: bool,
    used: bool,
}

/// The state of a walk.
#[derive(Default)]
pub(super) struct Walk {
    constants: HashMap<String, Rc<Constant>>,
    values: HashMap<String, Value>,
    input: InputShape,
    /// The number of the last sum; forms of earlier ones are no longer to be read.
    sum: usize,
    layers: Vec<Layer>,
    activation: Option<Activation>,
    formats: Vec<super::NumberFormat>,
    notes: Vec<String>,
    /// Entries of all matrices made so far: one tensor may be used many times.
    spent: usize,
}

/// One operand.
enum Operand {
    Value(Value),
    Constant(Rc<Constant>),
}

impl Walk {
    pub(super) fn is_constant(&self, name: &str) -> bool {
        self.constants.contains_key(name)
    }

    fn is_new(&self, name: &str) -> Result<(), Refusal> {
        if name.is_empty() || self.constants.contains_key(name) || self.values.contains_key(name) {
            return Err(broken(format!("the name {} is given twice or empty", quote(name))));
        }
        Ok(())
    }

    pub(super) fn define_constant(&mut self, name: String, value: Constant) -> Result<(), Refusal> {
        self.is_new(&name)?;
        self.constants.insert(name, Rc::new(value));
        Ok(())
    }

    pub(super) fn define_input(&mut self, name: String, shape: InputShape) -> Result<(), Refusal> {
        let matrix = shape.is_matrix();
        self.input = shape;
        self.define(name, Form::linear(0), matrix)
    }

    fn define(&mut self, name: String, form: Form, matrix: bool) -> Result<(), Refusal> {
        self.is_new(&name)?;
        self.values.insert(name, Value { form, matrix, used: false });
        Ok(())
    }

    /// The value or constant of a name. A value of an earlier sum would be a branch.
    fn operand(&mut self, name: &str) -> Result<Operand, Refusal> {
        if let Some(constant) = self.constants.get(name) {
            return Ok(Operand::Constant(Rc::clone(constant)));
        }
        let Some(value) = self.values.get_mut(name) else {
            return Err(broken(format!("{} is used before it is computed", quote(name))));
        };
        if value.form.sum != self.sum {
            return Err(Refusal::Branch(format!("{} is used again after the next layer", quote(name))));
        }
        value.used = true;
        Ok(Operand::Value(*value))
    }

    fn value(&mut self, operation: &Operation, name: &str) -> Result<Value, Refusal> {
        match self.operand(name)? {
            Operand::Value(value) => Ok(value),
            Operand::Constant(_) => Err(operation.refused(format!("{} is a constant", quote(name)))),
        }
    }

    fn constant(&self, operation: &Operation, name: &str) -> Result<Rc<Constant>, Refusal> {
        let constant = self.constants.get(name).map(Rc::clone);
        constant.ok_or_else(|| operation.refused(format!("{} is not a constant", quote(name))))
    }

    /// One node.
    pub(super) fn apply(&mut self, operation: &Operation) -> Result<(), Refusal> {
        use Activation::{Arctan, PlainSoftplus, Sigmoid, Softsign, Tanh};
        match operation.kind.as_str() {
            "Constant" => self.define_constant(operation.output.clone(), of_node(operation)?),
            "Transpose" => self.transpose(operation),
            "Gemm" => self.gemm(operation),
            "MatMul" => self.matmul(operation),
            "Add" => self.add(operation),
            "Mul" | "Div" => self.product(operation),
            "Tanh" => self.unary(operation, |form| form.activated(Tanh)),
            "Sigmoid" => self.unary(operation, |form| form.activated(Sigmoid)),
            "Softplus" => self.unary(operation, |form| form.activated(PlainSoftplus)),
            "Softsign" => self.unary(operation, |form| form.activated(Softsign)),
            "Atan" => self.unary(operation, |form| form.activated(Arctan)),
            "Erf" => self.unary(operation, Form::erf),
            "Abs" => self.unary(operation, Form::absolute),
            "Gelu" => self.gelu(operation),
            "Greater" => self.greater(operation),
            "Where" => self.choose(operation),
            "Identity" => self.identity(operation),
            "Flatten" => self.flatten(operation),
            "Reshape" => self.reshape(operation),
            "Relu" | "LeakyRelu" | "PRelu" | "ThresholdedRelu" | "Selu" | "HardSigmoid" | "HardSwish" | "Clip" => {
                Err(operation.refused(KINKED))
            }
            "Softmax" | "LogSoftmax" => {
                Err(operation.refused("export the network without it, the logits: the largest output is the same"))
            }
            "Dropout" => Err(operation.refused("call model.eval() before the export")),
            _ => Err(operation.refused("only fully connected layers with one smooth activation are read")),
        }
    }

    fn unary(&mut self, operation: &Operation, f: impl Fn(Form) -> Option<Form>) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [name] = operation.inputs(1..=1)? else { return Err(operation.refused("it has one input")) };
        let value = self.value(operation, name)?;
        let form = f(value.form).ok_or_else(|| operation.refused("what it is applied to is not a sum of a layer"))?;
        self.define(operation.output.clone(), form, value.matrix)
    }

    fn gelu(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&["approximate"])?;
        match operation.text("approximate")? {
            None | Some(b"none") => {}
            Some(_) => return Err(operation.refused(TANH_GELU)),
        }
        let [name] = operation.inputs(1..=1)? else { return Err(operation.refused("it has one input")) };
        let value = self.value(operation, name)?;
        let form = value.form.activated(Activation::Gelu);
        let form = form.ok_or_else(|| operation.refused("what it is applied to is not a sum of a layer"))?;
        self.define(operation.output.clone(), form, value.matrix)
    }

    fn identity(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [name] = operation.inputs(1..=1)? else { return Err(operation.refused("it has one input")) };
        match self.operand(name)? {
            Operand::Value(value) => self.define(operation.output.clone(), value.form, value.matrix),
            Operand::Constant(constant) => {
                self.is_new(&operation.output)?;
                self.constants.insert(operation.output.clone(), constant);
                Ok(())
            }
        }
    }

    /// Where the condition is z > T with a large T: the softplus of PyTorch.
    fn greater(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [name, threshold] = operation.inputs(2..=2)? else { return Err(operation.refused("it has two inputs")) };
        let threshold = self.constant(operation, threshold)?.scalar();
        let value = self.value(operation, name)?;
        let form = threshold.and_then(|t| value.form.above(t));
        let form = form.ok_or_else(|| operation.refused("only z > T inside softplus is read"))?;
        self.define(operation.output.clone(), form, value.matrix)
    }

    fn choose(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [condition, then, otherwise] = operation.inputs(3..=3)? else {
            return Err(operation.refused("it has three inputs"));
        };
        let [condition, then, otherwise] =
            [self.value(operation, condition)?, self.value(operation, then)?, self.value(operation, otherwise)?];
        let form = Form::chosen(condition.form, then.form, otherwise.form)
            .ok_or_else(|| operation.refused("only the threshold of softplus, 20 or more, is read"))?;
        self.note(
            "softplus is replaced by t beyond a threshold in the file; it is read as ln(1 + e^t) everywhere, which differs \
             by less than 2.1e-9 there",
        );
        self.define(operation.output.clone(), form, otherwise.matrix)
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|n| n == note) {
            self.notes.push(note.to_owned());
        }
    }

    fn product(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [a, b] = operation.inputs(2..=2)? else { return Err(operation.refused("it has two inputs")) };
        let divides = operation.kind == "Div";
        let (matrix, form) = match (self.operand(a)?, self.operand(b)?) {
            (Operand::Value(a), Operand::Value(b)) => {
                (a.matrix && b.matrix, if divides { a.form.over(b.form) } else { a.form.times(b.form) })
            }
            (Operand::Value(a), Operand::Constant(c)) => {
                (a.matrix, c.scalar().and_then(|c| if divides { a.form.divided(c) } else { a.form.scaled(c) }))
            }
            (Operand::Constant(c), Operand::Value(b)) if !divides => {
                (b.matrix, c.scalar().and_then(|c| b.form.scaled(c)))
            }
            _ => return Err(operation.refused("its operands are constants, or a constant over a value")),
        };
        let form = form.ok_or_else(|| operation.refused("it is no part of an activation that is known"))?;
        self.define(operation.output.clone(), form, matrix)
    }

    fn add(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [a, b] = operation.inputs(2..=2)? else { return Err(operation.refused("it has two inputs")) };
        let (name, value, constant) = match (self.operand(a)?, self.operand(b)?) {
            (Operand::Value(value), Operand::Constant(c)) => (b, value, c),
            (Operand::Constant(c), Operand::Value(value)) => (a, value, c),
            (Operand::Value(_), Operand::Value(_)) => {
                return Err(Refusal::Branch(format!("two values are added in {}", quote(&operation.output))));
            }
            _ => return Err(operation.refused("its operands are constants")),
        };
        if constant.scalar() == Some(1.0)
            && let Some(form) = value.form.plus_one()
        {
            return self.define(operation.output.clone(), form, value.matrix);
        }
        if !value.form.is_sum() {
            return Err(operation.refused("it is no part of an activation that is known"));
        }
        let units = self.layers.last().map_or(0, |layer| layer.weight.nrows());
        let bias = self.bias(operation, name, &constant, units)?;
        match self.layers.last_mut() {
            Some(layer) if layer.bias.is_none() => layer.bias = Some(bias),
            _ => return Err(operation.refused("it is no first bias of a layer")),
        }
        self.sum += 1;
        self.define(operation.output.clone(), Form::linear(self.sum), true)
    }

    fn matmul(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&[])?;
        let [a, b] = operation.inputs(2..=2)? else { return Err(operation.refused("it has two inputs")) };
        let value = self.value(operation, a)?;
        let weight = self.weight(operation, b, false, 1.0)?;
        self.layer(operation, b, value, weight, None)
    }

    fn gemm(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&["alpha", "beta", "transA", "transB"])?;
        let inputs = operation.inputs(2..=3)?;
        let (alpha, beta) = (operation.float("alpha", 1.0)?, operation.float("beta", 1.0)?);
        if operation.integer("transA", 0)? != 0 {
            return Err(operation.refused("its samples are columns (transA)"));
        }
        let value = self.value(operation, &inputs[0])?;
        let weight = self.weight(operation, &inputs[1], operation.integer("transB", 0)? != 0, alpha)?;
        let bias = match inputs.get(2) {
            None => None,
            Some(name) => {
                let constant = self.constant(operation, name)?;
                let bias = self.bias(operation, name, &constant, weight.nrows())?;
                Some(bias.into_iter().map(|b| product(name, beta, b)).collect::<Result<Vec<f64>, Refusal>>()?)
            }
        };
        self.layer(operation, &inputs[1], value, weight, bias)
    }

    /// The weights as units x inputs: the constant itself if `transposed`, times `alpha`.
    fn weight(&mut self, operation: &Operation, name: &str, transposed: bool, alpha: f64) -> Result<Mat<f64>, Refusal> {
        let constant = self.constant(operation, name)?;
        let &[rows, columns] = constant.dims.as_slice() else {
            return Err(operation.refused(format!(
                "the weights {} have {} dimensions",
                quote(name),
                constant.dims.len()
            )));
        };
        let (values, format) = constant.real(name)?;
        self.spend(name, values.len())?;
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
        let values = finite(name, values.to_vec())?;
        let values = values.into_iter().map(|w| product(name, alpha, w)).collect::<Result<Vec<f64>, Refusal>>()?;
        let at = |i: usize, j: usize| values[i * columns + j];
        Ok(if transposed { Mat::from_fn(rows, columns, at) } else { Mat::from_fn(columns, rows, |i, j| at(j, i)) })
    }

    /// A constant as one number per unit: (units), (1, units) or one number for all.
    fn bias(&mut self, operation: &Operation, name: &str, c: &Constant, units: usize) -> Result<Vec<f64>, Refusal> {
        let (values, format) = c.real(name)?;
        let values = match (c.dims.as_slice(), values) {
            ([] | [1] | [1, 1], &[value]) => vec![value; units],
            ([length] | [1, length], values) if *length == units => values.to_vec(),
            _ => {
                let reason = format!("the bias {} has the shape {:?}, the layer {units} units", quote(name), c.dims);
                return Err(operation.refused(reason));
            }
        };
        self.spend(name, units)?;
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
        finite(name, values)
    }

    fn spend(&mut self, name: &str, count: usize) -> Result<(), Refusal> {
        self.spent = self.spent.saturating_add(count);
        entries(name, [self.spent]).map(|_| ())
    }

    /// The next layer, and the activation before it.
    fn layer(
        &mut self,
        operation: &Operation,
        name: &str,
        value: Value,
        weight: Mat<f64>,
        bias: Option<Vec<f64>>,
    ) -> Result<(), Refusal> {
        if !value.matrix {
            return Err(operation.refused("the input is not samples x features: flatten it first"));
        }
        if self.layers.is_empty() {
            if !value.form.is_sum() {
                return Err(Refusal::ActivationPlace("an activation is applied to the input itself".to_owned()));
            }
            if self.input.features().is_some_and(|features| features != weight.ncols()) {
                return Err(Refusal::Shapes(format!("the first layer, {}, does not fit the input", quote(name))));
            }
        } else {
            self.activate(operation, value.form)?;
        }
        if self.layers.len() == MOST_LAYERS {
            return Err(Refusal::TooLarge { what: "the number of layers".to_owned(), limit: MOST_LAYERS as u64 });
        }
        self.layers.push(Layer { name: name.to_owned(), weight, bias });
        self.sum += 1;
        self.define(operation.output.clone(), Form::linear(self.sum), true)
    }

    /// Takes the activation of a hidden layer.
    fn activate(&mut self, operation: &Operation, form: Form) -> Result<(), Refusal> {
        let Some((sigma, note)) = form.activation() else {
            return Err(operation.refused("what stands before it is no activation that is known"));
        };
        if let Some(note) = note {
            self.note(&note);
        }
        match self.activation {
            Some(before) if before != sigma => Err(Refusal::ActivationPlace(format!(
                "the hidden layers have different activations, {before} and {sigma} (identity: none): one for all is read"
            ))),
            _ => {
                self.activation = Some(sigma);
                Ok(())
            }
        }
    }

    fn transpose(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&["perm"])?;
        let [name] = operation.inputs(1..=1)? else { return Err(operation.refused("it has one input")) };
        let constant = self.constant(operation, name)?;
        let (&[rows, columns], None | Some([1, 0])) = (constant.dims.as_slice(), operation.integers("perm")?) else {
            return Err(operation.refused("only a matrix of weights is transposed"));
        };
        let (values, format) = constant.real(name)?;
        self.spend(name, values.len())?;
        let values = (0..columns).flat_map(|j| (0..rows).map(move |i| values[i * columns + j])).collect();
        let dims = vec![columns, rows];
        self.define_constant(operation.output.clone(), Constant { dims, values: Values::Real(values, format) })
    }

    /// Flattening keeps samples as rows; of a matrix it changes nothing.
    fn flatten(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&["axis"])?;
        let [name] = operation.inputs(1..=1)? else { return Err(operation.refused("it has one input")) };
        let value = self.value(operation, name)?;
        if operation.integer("axis", 1)? != 1 || self.input.dimensions.as_ref().is_some_and(|d| d.len() < 2) {
            return Err(operation.refused("it does not keep the samples as rows"));
        }
        self.define(operation.output.clone(), value.form, true)
    }

    /// A reshape to samples x features, where it can be proved to keep the samples.
    fn reshape(&mut self, operation: &Operation) -> Result<(), Refusal> {
        operation.only(&["allowzero"])?;
        let [name, shape] = operation.inputs(2..=2)? else { return Err(operation.refused("it has two inputs")) };
        let constant = self.constant(operation, shape)?;
        let Values::Integer(shape) = &constant.values else {
            return Err(operation.refused("its shape is no integers"));
        };
        let zero_copies = operation.integer("allowzero", 0)? == 0;
        let value = self.value(operation, name)?;
        let features = match self.layers.last() {
            None => self.input.features(),
            Some(layer) => Some(layer.weight.nrows()),
        };
        let integer = |x: Option<usize>| x.and_then(|x| i64::try_from(x).ok());
        let samples = integer(self.input.samples());
        let keeps = match *shape.as_slice() {
            [-1, columns] => integer(features) == Some(columns),
            [0, -1] => zero_copies,
            [0, columns] => zero_copies && integer(features) == Some(columns),
            [rows, -1] => samples == Some(rows),
            [rows, columns] => samples == Some(rows) && integer(features) == Some(columns),
            _ => false,
        };
        if !keeps {
            return Err(operation.refused("it is not proved to keep the samples as rows"));
        }
        self.define(operation.output.clone(), value.form, true)
    }

    /// The chain, if it ends in the output and nothing was computed in vain.
    pub(super) fn finish(mut self, output: &str) -> Result<Chain, Refusal> {
        let Operand::Value(value) = self.operand(output)? else {
            return Err(Refusal::Branch("the output is a constant".to_owned()));
        };
        let mut unused: Vec<&str> =
            self.values.iter().filter(|(_, v)| !v.used).map(|(name, _)| name.as_str()).collect();
        unused.sort_unstable();
        if let Some(name) = unused.first() {
            return Err(Refusal::Branch(format!("{} is computed and not used", quote(name))));
        }
        if self.layers.is_empty() {
            return Err(Refusal::Branch("it has no layer".to_owned()));
        }
        if value.form.kind != Kind::Linear {
            return Err(Refusal::ActivationPlace(
                "an activation follows the last layer: export the network without it".to_owned(),
            ));
        }
        if !value.form.is_sum() {
            return Err(Refusal::ActivationPlace("the output is multiplied by a constant".to_owned()));
        }
        // One layer alone has none, and is refused later.
        let activation = self.activation.unwrap_or(Activation::Identity);
        Ok(Chain { layers: self.layers, activation, formats: self.formats, notes: self.notes })
    }
}

/// `factor x`, which must be a double.
fn product(name: &str, factor: f64, x: f64) -> Result<f64, Refusal> {
    if factor == 1.0 {
        return Ok(x);
    }
    exact_product(factor, x).ok_or_else(|| Refusal::Rounds(format!("{} times {factor}", quote(name))))
}

//! `gradcert inspect --model`: what a model file holds.

use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use gradcert::model::{self, ReadModel, activation_elsewhere};
use serde_json::{Value, json};
use std::path::Path;

/// Reads a model of any format that is known.
pub(crate) fn read(path: &Path, activation: Option<&str>) -> Result<ReadModel, Failure> {
    let activation = activation.map(activation_elsewhere).transpose()?;
    Ok(model::read(path, activation)?)
}

pub(crate) fn run(path: &Path, activation: Option<&str>) -> Result<(Exit, Output), Failure> {
    let clock = Seconds::start();
    let read = read(path, activation)?;
    let networks: Vec<Value> = read
        .model
        .networks
        .iter()
        .map(|network| {
            json!({
                "widths": network.widths(),
                "activation": network.activation.to_string(),
                "vanishes_at_zero": network.activation.vanishes_at_zero(),
                "parameters": network.parameters(),
            })
        })
        .collect();
    let json = json!({
        "status": "done",
        "format": read.format.name(),
        "number_formats": read.number_formats,
        "layers": read.layers,
        "networks": networks,
        "problems": read.model.meaning.problems,
        "classes": read.model.meaning.classes,
        "lift": read.model.meaning.lift,
        "notes": read.notes,
        "seconds": clock.seconds(),
    });
    Ok((Exit::Done, Output { text: text(path, &read), json }))
}

fn text(path: &Path, read: &ReadModel) -> String {
    let count = read.model.networks.len();
    let networks = if count == 1 { "one network".to_owned() } else { format!("{count} networks") };
    let numbers = read.number_formats.join(" and ");
    let mut text = format!("{}: {}, {networks}, {numbers} (exact in float64)\n", path.display(), read.format.name());
    for (network, p) in read.model.networks.iter().zip(0..) {
        let name = read.model.meaning.problems.get(p).filter(|_| count > 1).map(|name| format!("{name}: "));
        let widths: Vec<String> = network.widths().iter().map(usize::to_string).collect();
        text += &format!(
            "  {}{} layers, widths {}, activation {}, {} parameters\n",
            name.unwrap_or_default(),
            network.layers(),
            widths.join(" - "),
            network.activation,
            network.parameters()
        );
    }
    if !read.layers.is_empty() {
        text += &format!(
            "  in this order: {}\n",
            read.layers.iter().map(|l| format!("{l:?}")).collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(lift) = &read.model.meaning.lift {
        text += &format!("  samples are lifted first: {lift}\n");
    }
    read.notes.iter().for_each(|note| text += &format!("  note: {note}\n"));
    text
}

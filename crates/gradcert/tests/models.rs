//! Models made by PyTorch and the onnx package (`models/make_models.py`) are read, and compute what they computed there; what
//! cannot be read is refused with its code; broken files are errors, never panics.

use faer::{Mat, Par};
use gradcert::model::{Format, ReadModel, activation_elsewhere, read, read_bytes, to_state_dict};
use gradcert::network::activation::Activation;
use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

fn expected() -> Value {
    let text = std::fs::read_to_string(folder().join("expected.json")).expect("expected.json");
    serde_json::from_str(&text).expect("JSON")
}

fn activation(entry: &Value) -> Option<Activation> {
    entry["activation"].as_str().map(|name| activation_elsewhere(name).expect("an activation"))
}

fn matrix(rows: &Value) -> Mat<f64> {
    let rows = rows.as_array().expect("rows");
    let width = rows[0].as_array().expect("a row").len();
    Mat::from_fn(rows.len(), width, |i, j| rows[i][j].as_f64().expect("a number"))
}

fn load(name: &str, activation: Option<Activation>) -> ReadModel {
    read(&folder().join(name), activation).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn outputs_are_those_of_the_programs_that_made_the_models() {
    let expected = expected();
    let models = expected["expected"].as_object().expect("models");
    assert!(models.len() >= 20, "{} models", models.len());
    for (name, entry) in models {
        let read = load(name, activation(entry));
        let (samples, outputs) = (matrix(&entry["samples"]), matrix(&entry["outputs"]));
        let [network] = read.model.networks.as_slice() else { panic!("{name}: one network") };
        let computed = network.evaluate(samples.as_ref(), Par::Seq);
        assert_eq!((computed.ncols(), computed.nrows()), outputs.shape(), "{name}");
        assert_eq!(read.model.meaning.problems.len(), network.outputs(), "{name}");
        let pairs = || (0..outputs.nrows()).flat_map(|i| (0..outputs.ncols()).map(move |k| (i, k)));
        let size = pairs().map(|(i, k)| outputs[(i, k)].abs()).fold(0.0, f64::max);
        let error = pairs().map(|(i, k)| (outputs[(i, k)] - computed[(k, i)]).abs()).fold(0.0, f64::max);
        assert!(error <= 1e-12 * size, "{name}: {error:e} of {size:e}");
    }
}

#[test]
fn refusals_have_the_right_code() {
    let expected = expected();
    let models = expected["refused"].as_object().expect("models");
    assert!(models.len() >= 30, "{} models", models.len());
    for (name, entry) in models {
        let answer = read(&folder().join(name), activation(entry)).map(|model| model.format);
        let error = answer.expect_err(name);
        assert_eq!(Some(error.code()), entry["code"].as_str(), "{name}: {error}");
    }
}

#[test]
fn what_a_file_says_is_told() {
    let named = load("named-float32.safetensors", Some(Activation::Sigmoid));
    assert_eq!((named.format, &*named.number_formats), (Format::StateDict, &["float32"][..]));
    assert_eq!(named.layers, ["fc1.weight", "fc2.weight", "out.weight"]);
    assert_eq!(named.model.networks[0].widths(), [4, 7, 7, 3]);
    assert!(named.model.networks[0].biases[2].iter().all(|&b| b == 0.0));

    let sequential = load("sequential-float64.safetensors", Some(Activation::Tanh));
    let names = ["0.weight", "2.weight", "4.weight", "6.weight", "8.weight", "10.weight"];
    assert_eq!(sequential.layers, names);

    let gelu = load("gelu-float32.onnx", None);
    assert_eq!((gelu.model.networks[0].activation, gelu.notes.len()), (Activation::Gelu, 1));
    assert!(load("softplus-dynamo.onnx", None).notes[0].contains("2.1e-9"));
    assert!(load("softplus-torchscript.onnx", None).notes.is_empty());
    let activation = load("sigmoid-three-outputs.onnx", None).model.networks[0].activation;
    assert_eq!(activation, Activation::Sigmoid);
    assert!(!activation.vanishes_at_zero());
}

#[test]
fn an_activation_is_needed_where_the_file_has_none_and_refused_where_it_has_one() {
    let code = |name: &str, activation| read(&folder().join(name), activation).expect_err(name).code();
    assert_eq!(code("sequential-float64.safetensors", None), "activation_missing");
    assert_eq!(code("tanh-float32.onnx", Some(Activation::Tanh)), "activation_given");
    for name in ["relu", "logistic", "gelu-tanh", "nothing", ""] {
        assert_eq!(activation_elsewhere(name).map_err(|e| e.code()), Err("activation_unsupported"), "{name}");
    }
}

/// Names for which tensors are wrong are in the message.
#[test]
fn refusals_name_the_culprits() {
    let message = |name: &str, activation| read(&folder().join(name), activation).expect_err(name).to_string();
    let batch = message("batch-norm.safetensors", Some(Activation::Tanh));
    for name in ["1.running_mean", "1.num_batches_tracked", "1.weight"] {
        assert!(batch.contains(name), "{batch}");
    }
    assert!(message("relu.onnx", None).contains("Lipschitz"));
    assert!(message("order-unknown.safetensors", Some(Activation::Tanh)).contains("rename"));
    assert!(message("pickle.pt", None).contains("save_file"));
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect(name)
}

/// A model that was read is consistent, whatever the bytes were.
fn is_consistent(bytes: &[u8]) {
    for activation in [None, Some(Activation::Tanh)] {
        let Ok(read) = read_bytes(bytes, activation) else { continue };
        for network in &read.model.networks {
            let widths = network.widths();
            assert!(network.layers() >= 2 && widths.iter().all(|&d| d > 0));
            for l in 1..=network.layers() {
                assert_eq!(network.weights[l].shape(), (widths[l], widths[l - 1]));
                assert!(network.biases[l].len() == widths[l] && network.biases[l].iter().all(|b| b.is_finite()));
            }
        }
    }
}

#[test]
fn every_truncation_is_an_answer() {
    for name in ["named-float32.safetensors", "gelu-torchscript.onnx", "flatten.onnx", "float16.onnx"] {
        let whole = bytes(name);
        for length in 0..whole.len() {
            is_consistent(&whole[..length]);
        }
    }
}

/// What was read from a state dict and written again reads as the same network; what does not fit is refused.
#[test]
fn state_dicts_survive_a_round_trip() {
    for (name, act, single) in [
        ("sequential-float64.safetensors", Activation::Tanh, false),
        ("named-float32.safetensors", Activation::Sigmoid, true),
        ("nested-bfloat16.safetensors", Activation::PlainSoftplus, true),
        ("silu-float64.safetensors", Activation::Silu, false),
    ] {
        let first = read_bytes(&bytes(name), Some(act)).unwrap();
        let network = &first.model.networks[0];
        let file = to_state_dict(network, &first.layers, &first.without_bias, single).unwrap();
        let again = read_bytes(&file, Some(act)).unwrap();
        assert_eq!(again.model, first.model, "{name}");
        assert_eq!((again.layers, again.without_bias), (first.layers.clone(), first.without_bias.clone()), "{name}");
        assert!(to_state_dict(network, &first.layers[1..], &[], false).is_err());
        let mut fine = network.clone();
        fine.weights[1][(0, 0)] = 0.1;
        assert!(to_state_dict(&fine, &first.layers, &first.without_bias, true).is_err(), "0.1 is no float32");
        fine.biases[1][0] = 0.5;
        assert!(to_state_dict(&fine, &first.layers, &[1], false).is_err(), "a bias would be lost");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_are_answered(
        index in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let names = [
            "nested-bfloat16.safetensors", "sequential-float16.safetensors", "gelu-dynamo-18.onnx", "softplus-dynamo.onnx",
            "matmul-erf-float32.onnx", "reshape-dynamo.onnx",
        ];
        let mut file = bytes(names[index]);
        for (at, byte) in &changes {
            let at = at.index(file.len());
            file[at] = *byte;
        }
        if cuts {
            file.truncate(cut.index(file.len()));
        }
        is_consistent(&file);
    }

    #[test]
    fn random_bytes_are_answered(head in prop::sample::select(vec![&b"\x08\x08"[..], b"\x3a", b""]), tail in any::<Vec<u8>>()) {
        is_consistent(&[head, &tail].concat());
    }
}

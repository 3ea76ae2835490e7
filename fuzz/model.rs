//! What both model targets do with their bytes.

use gradcert::model::read_bytes;
use gradcert::network::activation::Activation;

/// Reads bytes as a model made elsewhere; what was read must be consistent.
pub fn read_model(bytes: &[u8]) {
    for activation in [None, Some(Activation::Tanh)] {
        let Ok(read) = read_bytes(bytes, activation) else { continue };
        for network in &read.model.networks {
            let widths = network.widths();
            for l in 1..=network.layers() {
                assert_eq!(network.weights[l].shape(), (widths[l], widths[l - 1]));
                assert_eq!(network.biases[l].len(), widths[l]);
            }
        }
    }
}

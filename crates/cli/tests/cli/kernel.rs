//! `gradcert kernel`.

use crate::support::{Folder, Table};

/// The entries of a square matrix in NumPy's format.
fn npy(bytes: &[u8]) -> (usize, Vec<f64>) {
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let header = std::str::from_utf8(&bytes[10..10 + length]).expect("a header");
    assert!(header.ends_with('\n') && header.contains("'<f8'"), "{header}");
    let entries: Vec<f64> =
        bytes[10 + length..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes"))).collect();
    let n = entries.len().isqrt();
    assert!(n * n == entries.len() && header.contains(&format!("({n}, {n})")), "{header}");
    (n, entries)
}

#[test]
fn the_matrix_is_written_and_its_bound_holds() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(3, 9, 20).csv());
    let json = folder.run("kernel ntk --data data.csv --start lecun --width 6 --out k/K.npy --json").exits(0).json();
    assert_eq!((&json["kernel"], &json["samples"]), (&"ntk".into(), &9.into()));
    let (n, k) = npy(&std::fs::read(folder.path("k/K.npy")).expect("the matrix"));
    assert_eq!(n, 9);
    assert!((0..n).all(|i| (0..n).all(|j| k[i * n + j] == k[j * n + i])));
    // Every Rayleigh quotient is above the bound: unit vectors and differences of two.
    let bound = json["lmin_lower"].as_f64().expect("a number");
    assert!(bound > 0.0);
    for i in 0..n {
        assert!(k[i * n + i] >= bound);
        for j in 0..i {
            assert!(k[i * n + i] + k[j * n + j] - 2.0 * k[i * n + j] >= 2.0 * bound);
        }
    }
    // Pivots of elimination are entries of Schur complements, so not below the smallest eigenvalue; here not far above it either.
    let mut a = k.clone();
    let mut smallest_pivot = f64::INFINITY;
    for p in 0..n {
        smallest_pivot = smallest_pivot.min(a[p * n + p]);
        for i in p + 1..n {
            let factor = a[i * n + p] / a[p * n + p];
            (p..n).for_each(|j| a[i * n + j] -= factor * a[p * n + j]);
        }
    }
    assert!(bound <= smallest_pivot && bound > 0.01 * smallest_pivot, "{bound} {smallest_pivot}");
    // A frozen bias is a smaller kernel.
    let frozen = folder
        .run("kernel ntk --data data.csv --start lecun --width 6 --freeze-bias --out F.npy --no-bound --json")
        .json();
    assert!(frozen["lmin_lower"].is_null());
    let (_, f) = npy(&std::fs::read(folder.path("F.npy")).expect("the matrix"));
    assert!((0..n).all(|i| f[i * n + i] < k[i * n + i]));
}

#[test]
fn the_kernel_of_a_positive_start_and_what_is_refused() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(5, 6, 10).csv());
    let text = folder.run("kernel ntk --data data.csv").exits(0).stdout;
    assert!(text.contains("smallest eigenvalue at least"), "{text}");
    folder.run("kernel ntk --data data.csv --whiten").exits(2);
    // More samples than features: no positive start is certified, so none has a scale.
    folder.write("tall.csv", Table::gaussian(5, 12, 4).csv());
    let declined = folder.run("kernel ntk --data tall.csv --json").exits(3).json();
    assert_eq!(declined["reasons"][0]["code"], "dependent_inputs");
    folder.run("kernel ntk --data data.csv --start lecun --out data.csv/K.npy").exits(4);
}

#[test]
fn limits_are_written_with_a_bound_and_a_spectrum() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(7, 6, 8).csv());
    let conv = "conv-resnet --depth 3 --channels 2 --activation tanh";
    for kernel in ["hinf", "hinf-joint", "fc --depth 3", "resnet --depth 3 --residual-scale 0.9", conv] {
        let options = "--data data.csv --normalize --out K.npy --spectrum K.svg --json";
        let json = folder.run(&format!("kernel {kernel} {options}")).exits(0).json();
        let (n, k) = npy(&std::fs::read(folder.path("K.npy")).expect("the matrix"));
        let bound = json["lmin_lower"].as_f64().expect("a number");
        assert!(n == 6 && bound > 0.0, "{kernel}");
        for i in 0..n {
            assert!(k[i * n + i] >= bound);
            assert!((0..i).all(|j| k[i * n + j] == k[j * n + i]));
        }
        // In floats, next to the bound.
        let smallest = json["eigenvalues"][0].as_f64().expect("a number");
        assert!(bound <= smallest + 1e-12 && bound > 0.999 * smallest, "{kernel}: {bound} {smallest}");
        assert_eq!(json["entries_enclosed"], kernel.starts_with("hinf"));
        assert!(std::fs::read_to_string(folder.path("K.svg")).expect("a figure").contains("<svg"));
    }
    folder.write("zero.csv", "a,b,target\n0,0,1\n1,2,3\n");
    let refused = folder.run("kernel hinf --data zero.csv --json").exits(4).json();
    assert_eq!(refused["code"], "zero_sample");
}

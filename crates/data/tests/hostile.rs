//! Bytes from strangers: an answer, never a panic, and never memory for what a file only declares.

use std::path::PathBuf;

use gradcert_data::{Format, Limits, LoadOptions, load_bytes, load_inputs_bytes};
use proptest::prelude::*;

fn options() -> LoadOptions {
    LoadOptions { limits: Limits { file_bytes: 1 << 20, values: 1 << 14 }, ..LoadOptions::default() }
}

fn files() -> Vec<(Format, Vec<u8>)> {
    let mut files = vec![
        (Format::Npy, "X.npy"),
        (Format::Npy, "X-fortran.npy"),
        (Format::Npy, "labels.npy"),
        (Format::Npz, "stored.npz"),
        (Format::Npz, "deflate.npz"),
        (Format::Npz, "labels.npz"),
        (Format::Csv, "numeric.csv"),
        (Format::Csv, "numeric.csv.gz"),
        (Format::Tsv, "numeric.tsv"),
        (Format::Libsvm, "numeric.svm"),
    ];
    if cfg!(feature = "parquet") {
        let names = [
            "none.parquet",
            "snappy.parquet",
            "gzip.parquet",
            "zstd.parquet",
            "pages-v2.parquet",
            "polars.parquet",
            "types.parquet",
            "labels.parquet",
            "null.parquet",
        ];
        files.extend(names.map(|name| (Format::Parquet, name)));
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    files.into_iter().map(|(format, name)| (format, std::fs::read(folder.join(name)).unwrap())).collect()
}

fn read_both_ways(bytes: &[u8], format: Format) {
    let _ = load_bytes(bytes, format, &options()).map(|data| (data.problems(), gradcert_data::inspect(&data)));
    let _ = load_inputs_bytes(bytes, format, Some("target"), &options());
}

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(i, byte)| Change::Set(i, byte)),
        4 => (at(), 0..8_u8).prop_map(|(i, bit)| Change::Flip(i, bit)),
        1 => at().prop_map(Change::Truncate),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(i, bytes)| Change::Insert(i, bytes)),
        1 => (at(), prop::sample::select(vec![0_u8, 0x7f, 0x80, 0xff, b'9'])).prop_map(|(i, byte)| Change::Repeat(i, byte)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match change {
        Change::Set(i, byte) => bytes[i.index(length)] = *byte,
        Change::Flip(i, bit) => bytes[i.index(length)] ^= 1 << bit,
        Change::Truncate(i) => bytes.truncate(i.index(length)),
        Change::Insert(i, more) => {
            let at = i.index(length);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Repeat(i, byte) => {
            let at = i.index(length);
            bytes[at..length.min(at + 8)].fill(*byte);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    /// 800 sets of changes to each of up to nineteen files.
    #[test]
    fn changed_files_are_answered(changes in prop::collection::vec(change(), 1..6)) {
        for (format, mut bytes) in files() {
            for change in &changes {
                apply(&mut bytes, change);
            }
            read_both_ways(&bytes, format);
        }
    }

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Npy, Format::Npz, Format::Csv, Format::Tsv, Format::Libsvm, Format::Parquet] {
            read_both_ways(&bytes, format);
        }
    }
}

/// Found by fuzzing: a page header with nested lists of 2^31 elements that are not there.
#[cfg(feature = "parquet")]
#[test]
fn endless_lists_in_a_page_header_are_refused_at_once() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/endless-header.parquet");
    let bytes = std::fs::read(file).unwrap();
    let error = load_inputs_bytes(&bytes, Format::Parquet, Some("target"), &options()).unwrap_err();
    assert_eq!(error.code(), "malformed", "{error}");
}

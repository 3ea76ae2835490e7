//! Every format, as the real tools write it, reads to the same samples. `fixtures/make.py` made the files.

use std::path::PathBuf;

use gradcert_data::{DataError, Dataset, LoadOptions, TargetColumn, Targets, load, load_inputs};

const X: [f64; 12] = [1.5, -2.0, 0.25, 0.5, 3.0, -1.0, 2.0, 0.125, 7.0, -4.0, 8.0, 16.0];
const Y: [f64; 4] = [1.0, -1.0, 0.5, 2.0];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(name: &str) -> Result<Dataset, DataError> {
    load(fixture(name), &LoadOptions::default())
}

fn read_pair(inputs: &str, targets: &str) -> Result<Dataset, DataError> {
    load(fixture(inputs), &LoadOptions { targets_path: Some(fixture(targets)), ..LoadOptions::default() })
}

fn code(result: Result<Dataset, DataError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "no error")
}

#[test]
fn numeric_files_hold_the_same_samples() {
    let mut names = vec!["numeric.csv", "numeric.csv.gz", "numeric.tsv", "numeric.svm", "stored.npz", "deflate.npz"];
    if cfg!(feature = "parquet") {
        names.extend([
            "none.parquet",
            "snappy.parquet",
            "gzip.parquet",
            "zstd.parquet",
            "pages-v2.parquet",
            "polars.parquet",
        ]);
    }
    for name in names {
        let data = read(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(data.shape(), (4, 3), "{name}");
        assert_eq!(data.inputs().as_slice(), X, "{name}");
        assert_eq!(data.targets(), &Targets::Numeric(Y.to_vec()), "{name}");
    }
}

#[test]
fn numpy_arrays_of_every_order_and_type() {
    for name in ["X.npy", "X-fortran.npy", "X-float32.npy", "X-big-endian.npy"] {
        assert_eq!(read_pair(name, "y.npy").unwrap().inputs().as_slice(), X, "{name}");
    }
    let scaled: Vec<f64> = X.iter().map(|x| 8.0 * x).collect();
    assert_eq!(read_pair("X-int16.npy", "y.npy").unwrap().inputs().as_slice(), scaled);
    assert_eq!(code(read_pair("X-objects.npy", "y.npy")), "malformed");
    let pair = format!("{},{}", fixture("X.npy").display(), fixture("y.npy").display());
    assert_eq!(load(pair, &LoadOptions::default()).unwrap().targets(), &Targets::Numeric(Y.to_vec()));
    assert_eq!(code(read("X.npy")), "missing_target");
}

#[test]
fn text_targets_are_classes() {
    let mut sets = vec![
        read("labels.csv"),
        read("labels.npz"),
        read_pair("X.npy", "labels.npy"),
        read_pair("X.npy", "labels-bytes.npy"),
    ];
    if cfg!(feature = "parquet") {
        sets.push(read("labels.parquet"));
    }
    let expected =
        Targets::Labels { classes: ["cat", "dog", "owl"].map(str::to_owned).to_vec(), index: vec![0, 1, 0, 2] };
    for data in sets {
        let data = data.unwrap();
        assert_eq!(data.targets(), &expected);
        assert_eq!(data.inputs().as_slice(), X);
    }
}

#[test]
fn columns_are_chosen_by_name_and_index() {
    for column in ["b", "1"] {
        let options = LoadOptions { target: TargetColumn::Column(column.to_owned()), ..LoadOptions::default() };
        let data = load(fixture("numeric.csv"), &options).unwrap();
        assert_eq!(data.target_name(), Some("b"));
        assert_eq!(data.column_names().unwrap(), ["a", "c", "target"]);
        assert_eq!(data.targets(), &Targets::Numeric(vec![-2.0, 3.0, 0.125, 8.0]));
    }
    let options = LoadOptions { ignore: vec!["a".to_owned()], ..LoadOptions::default() };
    assert_eq!(load(fixture("numeric.csv"), &options).unwrap().column_names().unwrap(), ["b", "c"]);
    let options = LoadOptions { target: TargetColumn::Column("z".to_owned()), ..LoadOptions::default() };
    assert_eq!(code(load(fixture("numeric.csv"), &options)), "unknown_column");
}

#[test]
fn inputs_alone() {
    let options = LoadOptions::default();
    assert_eq!(code(read("inputs-alone.npz")), "missing_target");
    assert_eq!(load_inputs(fixture("inputs-alone.npz"), None, &options).unwrap().matrix().as_slice(), X);
    let inputs = load_inputs(fixture("labels.csv"), Some("target"), &options).unwrap();
    assert_eq!(inputs.matrix().as_slice(), X);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_types_and_nulls() {
    let data = read("types.parquet").unwrap();
    let first = [1.0, 255.0, 4_294_967_295.0, -1_099_511_627_776.0, 0.5];
    assert_eq!(data.inputs().row(0), first);
    let Err(DataError::MissingValue { place }) = read("null.parquet") else { panic!("a null was read") };
    assert_eq!((place.row, place.column.as_str()), (1, "a"));
}

#[test]
fn bundled_sets_are_what_the_table_says() {
    let shape = |name| gradcert_data::bundled(name).unwrap().load().unwrap();
    for (name, n, d, counts) in [
        ("leukaemia", 38, 5000, vec![27, 11]),
        ("khan", 63, 2308, vec![8, 23, 12, 20]),
        ("khan-test", 20, 2308, vec![3, 6, 6, 5]),
        ("coffee", 60, 1841, vec![20, 20, 20]),
    ] {
        let data = shape(name);
        assert_eq!(data.shape(), (n, d), "{name}");
        let Targets::Labels { index, classes } = data.targets() else { panic!("{name} has no classes") };
        let found: Vec<usize> = (0..classes.len()).map(|k| index.iter().filter(|&&i| i == k).count()).collect();
        assert_eq!(found, counts, "{name}");
        gradcert_data::validate(&data).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(gradcert_data::bundled("nothing").is_none());
}

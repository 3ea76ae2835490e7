//! One thing wrong per test, with the code and the place of the answer.

use gradcert_data::{
    DataError, Dataset, Format, Header, Limits, LoadOptions, Matrix, Targets, inspect, load_bytes, merge_duplicates,
    validate,
};

fn csv(text: &str) -> Result<Dataset, DataError> {
    load_bytes(text.as_bytes(), Format::Csv, &LoadOptions::default())
}

fn code(result: Result<Dataset, DataError>) -> &'static str {
    result.and_then(|data| validate(&data).map(|_| data)).map_or_else(|error| error.code(), |_| "no error")
}

#[test]
fn every_bad_table_has_its_code() {
    for (text, expected) in [
        ("a,b,y\n1,2,3\n2,3,4\n", "no error"),
        ("\u{feff}a,b,y\r\n1, 2 ,3\r\n2,3,4\r\n", "no error"),
        ("a;b;y\n1;2;3\n2;3;4\n", "no error"),
        ("", "empty"),
        ("a,b,y\n", "empty"),
        ("y\n1\n2\n", "empty"),
        ("a,b,y\n1,2,3\n1,2\n", "ragged"),
        ("a,b,y\n1,,3\n1,2,3\n", "missing_value"),
        ("a,b,y\n1,NA,3\n1,2,3\n", "missing_value"),
        ("a,b,y\n1,2,\n1,2,3\n", "missing_value"),
        ("a,b,y\n1,red,3\n1,2,3\n", "non_numeric"),
        ("a;b;y\n1,5;2;3\n2;3;4\n", "non_numeric"),
        ("a,b,y\n1,nan,3\n1,2,3\n", "nan"),
        ("a,b,y\n1,2,nan\n1,2,3\n", "nan"),
        ("a,b,y\n1,inf,3\n1,2,3\n", "infinite"),
        ("a,b,y\n1,1e400,3\n1,2,3\n", "infinite"),
        ("a,b,y\n1,-1e151,3\n1,2,3\n", "huge"),
        ("a,b,y\n1,2,3\n", "too_few_samples"),
        ("a,b,y\n1,2,3\n2,3,3\n", "constant_target"),
        ("a,b,y\n1,2,x\n2,3,x\n", "constant_target"),
        ("a,b,y\n1,2,3\n1,2,4\n", "duplicate_conflict"),
        ("a,b,y\n1,0,3\n1,-0,3\n2,2,4\n", "duplicate_rows"),
        ("1.5,2,1\n2,3,4\n", "numeric_header"),
        ("400.5,401,y\n2,3,4\n3,3,5\n", "no error"),
        ("1,2,3\n2,3,4\n3,3,5\n", "numeric_header"),
        ("3;2\n2;3\n", "numeric_header"),
    ] {
        assert_eq!(code(csv(text)), expected, "{text:?}");
    }
}

#[test]
fn the_answer_says_where() {
    let error = csv("a,b,y\n1,2,3\n1,red,3\n").unwrap_err();
    let message = error.to_string();
    assert!(message.contains("row 2") && message.contains("'b'") && message.contains("red"), "{message}");
}

#[test]
fn a_file_without_header_keeps_its_first_sample() {
    let options = LoadOptions { header: Header::Absent, ..LoadOptions::default() };
    let data = load_bytes(b"1.5,2,1\n2,3,4\n", Format::Csv, &options).unwrap();
    assert_eq!(data.inputs().as_slice(), [1.5, 2.0, 2.0, 3.0]);
}

#[test]
fn numbers_become_classes_on_demand() {
    let options = LoadOptions { labels: true, ..LoadOptions::default() };
    let data = load_bytes(b"a,y\n1,10\n2,9.0\n3,9\n", Format::Csv, &options).unwrap();
    let Targets::Labels { classes, index } = data.targets() else { panic!("not classes") };
    assert_eq!((classes.as_slice(), index.as_slice()), (&["9".to_owned(), "10".to_owned()][..], &[1, 0, 0][..]));
    let problem = &data.problems()[0];
    assert_eq!((problem.positive_class.as_deref(), &problem.y[..]), (Some("10"), &[1.0, -1.0, -1.0][..]));
}

#[test]
fn more_classes_are_one_versus_rest() {
    let problems = Targets::from_labels(&["b", "a", "c"]).problems();
    let y: Vec<&[f64]> = problems.iter().map(|problem| problem.y.as_slice()).collect();
    assert_eq!(y, [[-1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]]);
    assert_eq!(problems[0].name, "a versus rest");
}

#[test]
fn findings() {
    let inputs = Matrix::new(3, 3, vec![1.0, 5.0, 0.5, -1.0, 5.0, 0.5, 0.0, 5.0, -1.0]).unwrap();
    let data = Dataset::new(inputs, None, Targets::Numeric(vec![1.0, 2.0, 3.0])).unwrap();
    let findings = inspect(&data).unwrap();
    assert_eq!(findings.constant_columns, [1]);
    assert!(findings.centred);
    assert_eq!(findings.largest_input, 5.0);
}

#[test]
fn duplicates_merge_with_their_multiplicity() {
    let data = csv("a,b,y\n1,2,3\n0,0,1\n1,2,3\n-0,0,1\n1,2,3\n").unwrap();
    let merged = merge_duplicates(&data).unwrap();
    assert_eq!(merged.dataset.inputs().as_slice(), [1.0, 2.0, 0.0, 0.0]);
    assert_eq!(merged.dataset.targets(), &Targets::Numeric(vec![3.0, 1.0]));
    assert_eq!((&merged.multiplicity[..], &merged.first_row_of_group[..]), (&[3, 2][..], &[0, 1][..]));
    assert_eq!(merged.group_of_row, [0, 1, 0, 1, 0]);
    validate(&merged.dataset).unwrap();
    let conflict = csv("a,y\n1,2\n1,3\n").unwrap();
    assert_eq!(merge_duplicates(&conflict).unwrap_err().code(), "duplicate_conflict");
}

/// A header that declares 8 EiB, an index of 10^18, and a gzip file of 100 MB of zeros.
#[test]
fn declared_sizes_do_not_allocate() {
    let dictionary = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 1), }";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend(u16::try_from(dictionary.len()).unwrap().to_le_bytes());
    npy.extend(dictionary);
    let options = LoadOptions::default();
    assert_eq!(gradcert_data::load_npy_pair(&npy, &npy, &options).unwrap_err().code(), "too_large");
    let sparse = load_bytes(b"1 1000000000000000000:1\n", Format::Libsvm, &options);
    assert_eq!(sparse.unwrap_err().code(), "too_large");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'0'), 100_000_000), &mut packed).unwrap();
    let limits = Limits { values: 1000, ..Limits::default() };
    let bomb = load_bytes(&packed.finish().unwrap(), Format::Csv, &LoadOptions { limits, ..options });
    assert_eq!(bomb.unwrap_err().code(), "too_large");
}

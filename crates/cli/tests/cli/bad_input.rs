//! Input that cannot be used: exit code 4 (5 over a limit, 2 for a command line that makes no sense), a stable code.

use crate::support::{Folder, Table};

/// Every command that reads training data refuses this file in the same way.
#[track_caller]
fn refused(content: &str, code: &str) {
    let folder = Folder::new();
    folder.write("data.csv", content);
    for command in ["inspect", "certify", "train --out run"] {
        let answer = folder.run(&format!("{command} --data data.csv --json")).exits(4);
        assert_eq!(answer.error_code(), code);
    }
    assert!(!folder.path("run").exists());
    let plain = folder.run("certify --data data.csv").exits(4).says(code);
    assert_eq!(plain.stdout, "", "errors do not go to standard output");
}

#[test]
fn not_a_number() {
    refused("a,b,y\n1,2,3\nNaN,5,6\n", "nan");
    refused("a,b,y\n1,2,3\n4,5,NaN\n", "nan");
}

#[test]
fn infinite() {
    refused("a,b,y\n1,2,3\n4,inf,6\n", "infinite");
    refused("a,b,y\n1,2,3\n4,1e999,6\n", "infinite");
}

#[test]
fn empty() {
    refused("a,b,y\n", "empty");
}

#[test]
fn ragged() {
    refused("a,b,y\n1,2,3\n4,5\n", "ragged");
}

#[test]
fn one_sample() {
    refused("a,b,y\n1,2,3\n", "too_few_samples");
}

#[test]
fn constant_target() {
    refused("a,b,y\n1,2,7\n4,5,7\n", "constant_target");
    refused("a,b,y\n1,2,same\n4,5,same\n", "constant_target");
}

#[test]
fn conflicting_duplicates() {
    refused("a,b,y\n1,2,3\n1,2,4\n5,6,7\n", "duplicate_conflict");
    let folder = Folder::new();
    folder.write("data.csv", "a,b,y\n1,2,3\n1,2,4\n5,6,7\n");
    let answer = folder.run("certify --data data.csv --merge-duplicates --json").exits(4);
    assert_eq!(answer.error_code(), "duplicate_conflict");
}

#[test]
fn words_and_gaps_among_the_features() {
    refused("a,b,y\n1,x,3\n4,5,6\n", "non_numeric");
    refused("a,b,y\n1,,3\n4,5,6\n", "missing_value");
}

#[test]
fn values_whose_square_overflows() {
    refused("a,b,y\n1,2,3\n4,1e200,6\n", "huge");
}

#[test]
fn large_values_that_are_still_allowed_are_answered() {
    let folder = Folder::new();
    for (name, table) in [
        ("inputs", Table::gaussian(20, 4, 8).map(|x| 1e140 * x)),
        ("tiny", Table::gaussian(20, 4, 8).map(|x| 1e-200 * x)),
        (
            "targets",
            Table {
                targets: ["1e140", "-1e140", "2e140", "1"].map(str::to_owned).to_vec(),
                ..Table::gaussian(20, 4, 8)
            },
        ),
    ] {
        folder.write("data.csv", table.csv());
        let code = folder.run("certify --data data.csv --scale 10").code;
        assert!(matches!(code, Some(0 | 3)), "{name}: {code:?}");
    }
}

#[test]
fn scales_at_the_edge_of_the_doubles_are_answered() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(21, 3, 9).csv());
    for options in [
        "--scale 1e308",
        "--scale 1e-308",
        "--scale 1e308 --hidden-scale 1e308 --depth 3 --width 4",
        "--scale 1e-308 --hidden-scale 1e-308 --depth 3 --width 4",
        "--scale 10 --tol 1e-320",
        "--scale 10 --tol 1e300",
        "--scale 10 --width 1",
    ] {
        let code = folder.run(&format!("certify --data data.csv {options}")).code;
        assert!(matches!(code, Some(0 | 3)), "{options}: {code:?}");
    }
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(22, 4, 8).csv());
    std::fs::create_dir(folder.path("folder.csv")).expect("a folder");
    for (arguments, code) in [
        ("certify --data missing.csv", "unreadable"),
        ("certify --data folder.csv", "unreadable"),
        ("certify --data data.unknown", "unsupported_format"),
        ("certify --data .", "unsupported_format"),
        ("certify --data bundled:nothing", "unknown_bundled_set"),
        ("certify --data data.csv --target nothing", "unknown_column"),
        ("certify --data data.csv --target 99", "unknown_column"),
        ("certify --data data.csv --start missing.safetensors", "unreadable"),
        ("certify --data data.csv --scale 20 --out missing/c.json", "unreadable"),
        ("certify --data data.csv --scale 20 --out data.csv/c.json", "unreadable"),
        ("certify --data data.csv --scale 20 --out folder.csv", "unreadable"),
        ("train --data data.csv --scale 20 --out data.csv", "unreadable"),
        ("train --data data.csv --scale 20 --out data.csv/run", "unreadable"),
        ("check missing.json --data data.csv", "unreadable"),
        ("check folder.csv --data data.csv", "unreadable"),
        ("check data.csv --data missing.csv", "unreadable"),
        ("predict --model missing.safetensors --data data.csv", "unreadable"),
        ("predict --model folder.csv --data data.csv", "unreadable"),
        ("predict --model data.csv --data data.csv", "model_unknown"),
    ] {
        let answer = folder.run(&format!("{arguments} --json")).exits(4);
        assert_eq!(answer.error_code(), code, "{arguments}");
    }
    let mut files = folder.files();
    files.sort();
    assert_eq!(files, ["data.csv", "folder.csv"], "failed writes leave nothing behind");
}

#[test]
fn a_model_of_other_features() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(23, 3, 6).csv());
    folder.write("other.csv", Table::gaussian(23, 3, 5).csv());
    folder.run("train --data data.csv --scale 20 --out run").exits(0);
    let answer = folder.run("predict --model run/model.safetensors --data other.csv --json").exits(4);
    assert_eq!(answer.error_code(), "shape");
    let start = "--start run/model.safetensors";
    let answer = folder.run(&format!("certify --data other.csv {start} --json")).exits(4);
    assert_eq!(answer.error_code(), "start_shape");
    let mut bytes = folder.read("run/model.safetensors");
    bytes.truncate(bytes.len() - 8);
    folder.write("cut.safetensors", bytes);
    let answer = folder.run("predict --model cut.safetensors --data data.csv --json").exits(4);
    assert_eq!(answer.error_code(), "model_broken");
}

#[test]
fn over_a_limit() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(24, 3, 6).csv());
    for command in ["certify", "train --out run", "certify --scan"] {
        for start in ["positive", "lecun"].into_iter().filter(|s| !command.contains("scan") || *s == "positive") {
            let arguments = format!("{command} --data data.csv --width 1000000 --depth 3 --start {start} --json");
            assert_eq!(folder.run(&arguments).exits(5).error_code(), "resource_limit", "{arguments}");
        }
    }
    let file = std::fs::File::create(folder.path("large.json")).expect("a file");
    file.set_len(257 << 20).expect("a hole");
    assert_eq!(folder.run("check large.json --data data.csv --json").exits(5).error_code(), "resource_limit");
}

#[test]
fn command_lines_that_make_no_sense() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(25, 3, 6).csv());
    for arguments in [
        "",
        "nothing",
        "certify",
        "certify --data data.csv --nothing",
        "certify --data data.csv --depth 1",
        "certify --data data.csv --depth 65",
        "certify --data data.csv --width 0",
        "certify --data data.csv --width 4 --widths 3,4",
        "certify --data data.csv --depth 3 --widths 3,4",
        "certify --data data.csv --widths 3,,4",
        "certify --data data.csv --scale 0",
        "certify --data data.csv --scale -1",
        "certify --data data.csv --scale inf",
        "certify --data data.csv --hidden-scale nan",
        "certify --data data.csv --hidden-scale 1",
        "starts --data data.csv --scan-depths 3",
        "certify --data data.csv --tol 0",
        "certify --data data.csv --tol -1",
        "certify --data data.csv --activation relu",
        "certify --data data.csv --activation smooth-leaky-relu",
        "certify --data data.csv --activation smooth-leaky-relu:1",
        "certify --data data.csv --start nothing",
        "certify --data data.csv --train nothing",
        "certify --data data.csv --threads 0",
        "certify --data data.csv --seed -1",
        "certify --data data.csv --method paper --start lecun",
        "certify --data data.csv --start lecun --scale 3",
        "certify --data data.csv --start lecun --hidden-scale 3",
        "train --data data.csv",
        "train --data data.csv --out run --step 0",
        "train --data data.csv --out run --step fast",
        "train --data data.csv --out run --max-iterations -1",
        "train --data data.csv --out run --allow-uncertified",
        "train --data data.csv --out run --optimizer sgd",
        "train --data data.csv --out run --optimizer lbfgs --step 0.1",
        "train --data data.csv --out run --optimizer adam --step certified",
        "check",
        "predict --data data.csv",
        "completions",
        "completions nothing",
    ] {
        let answer = folder.run(arguments).exits(2);
        assert_eq!(answer.stdout, "", "{arguments}");
        assert!(!answer.stderr.is_empty(), "{arguments} explains itself");
    }
    assert_eq!(folder.files(), ["data.csv"]);
    folder.run("--help").exits(0).says("Exit codes");
    folder.run("--version").exits(0).says(env!("CARGO_PKG_VERSION"));
    folder.run("certify --data data.csv --scale -1").says("a positive number");
}

//! A fresh folder, the program in it, and data with a seed.

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A temporary folder in which the program runs.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("a file is written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("text")
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).expect("JSON")
    }

    /// Names of all files of the folder itself.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder");
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// The program with these arguments, separated by blanks.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gradcert"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path());
        command
    }

    /// Runs the program; whatever it answers, it must not panic.
    pub(crate) fn run(&self, arguments: &str) -> Answer {
        let output = self.command(arguments).output().expect("the program starts");
        let answer = Answer::new(arguments, &output);
        assert!(!answer.stderr.contains("panicked"), "{answer:?}");
        answer
    }
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    fn new(arguments: &str, output: &Output) -> Answer {
        Answer {
            arguments: arguments.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).expect("text"),
            stderr: String::from_utf8(output.stderr.clone()).expect("text"),
        }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Answer {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Answer {
        assert!(self.stdout.contains(part) || self.stderr.contains(part), "'{part}' is missing: {self:?}");
        self
    }

    /// The one JSON object that is all of standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        assert!(value.is_object(), "{self:?}");
        assert_eq!(self.stdout.lines().count(), 1, "{} prints one line", self.arguments);
        value
    }

    /// The code of an error, from the JSON object; the same stands on standard error.
    #[track_caller]
    pub(crate) fn error_code(&self) -> String {
        let json = self.json();
        assert_eq!(json["status"], "error", "{self:?}");
        let code = json["code"].as_str().expect("a code").to_owned();
        let message = json["message"].as_str().expect("a message");
        assert!(self.stderr.contains(&code) && self.stderr.contains(message), "{self:?}");
        code
    }
}

/// Deterministic normal numbers: a linear congruential generator and Box-Muller.
pub(crate) struct Gaussian(u64);

impl Gaussian {
    pub(crate) fn new(seed: u64) -> Gaussian {
        Gaussian(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// One of the integers below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }
}

/// Samples with targets, as text so that labels fit too.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Vec<f64>>,
    pub(crate) targets: Vec<String>,
}

impl Table {
    /// Normal inputs and normal targets.
    pub(crate) fn gaussian(seed: u64, samples: usize, features: usize) -> Table {
        let mut random = Gaussian::new(seed);
        let rows = (0..samples).map(|_| (0..features).map(|_| random.normal()).collect()).collect();
        let targets = (0..samples).map(|_| format!("{:?}", random.normal())).collect();
        Table { rows, targets }
    }

    /// The same inputs with labels, in turn.
    pub(crate) fn labelled(mut self, labels: &[&str]) -> Table {
        self.targets = (0..self.rows.len()).map(|i| labels[i % labels.len()].to_owned()).collect();
        self
    }

    /// The same with every input transformed.
    pub(crate) fn map(mut self, f: impl Fn(f64) -> f64) -> Table {
        self.rows.iter_mut().flatten().for_each(|x| *x = f(*x));
        self
    }

    /// The same with the first `count` samples once more at the end.
    pub(crate) fn repeated(mut self, count: usize) -> Table {
        self.rows.extend_from_within(..count);
        self.targets.extend_from_within(..count);
        self
    }

    pub(crate) fn numbers(&self) -> Vec<f64> {
        self.targets.iter().map(|y| y.parse().expect("a number")).collect()
    }

    /// With a header, the target `y` last. `{:?}` reads back as the same double.
    pub(crate) fn csv(&self) -> String {
        let names: Vec<String> = (0..self.rows[0].len()).map(|j| format!("x{j}")).collect();
        let mut text = names.join(",") + ",y\n";
        for (row, y) in self.rows.iter().zip(&self.targets) {
            let cells: Vec<String> = row.iter().map(|x| format!("{x:?}")).collect();
            text += &format!("{},{y}\n", cells.join(","));
        }
        text
    }

    /// `X` and `y` as NumPy arrays of float64.
    pub(crate) fn npy(&self) -> (Vec<u8>, Vec<u8>) {
        let (n, d) = (self.rows.len(), self.rows[0].len());
        (npy(&format!("({n}, {d})"), self.rows.iter().flatten().copied()), npy(&format!("({n},)"), self.numbers()))
    }

    pub(crate) fn npz(&self) -> Vec<u8> {
        let (x, y) = self.npy();
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
        for (name, bytes) in [("X.npy", x), ("y.npy", y)] {
            let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            archive.start_file(name, stored).expect("an entry");
            archive.write_all(&bytes).expect("its bytes");
        }
        archive.finish().expect("an archive").into_inner()
    }
}

fn npy(shape: &str, values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take 10 bytes; the data start at a multiple of 64.
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header += "\n";
    let length = u16::try_from(header.len()).expect("a short header");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    values.into_iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

/// The rows of a CSV file without its header, as text.
pub(crate) fn csv_rows(text: &str) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The keys every JSON object about a certificate has.
pub(crate) const CERTIFY_KEYS: [&str; 14] = [
    "status",
    "reasons",
    "step_size",
    "radius",
    "certified_iterations",
    "rate",
    "smin_lower",
    "scale",
    "hidden_scale",
    "layer_steps",
    "method",
    "theorem",
    "tolerance",
    "seconds",
];

#[track_caller]
pub(crate) fn has_keys(json: &Value, keys: &[&str]) {
    for key in keys {
        assert!(json.get(key).is_some(), "no key {key} in {json}");
    }
}

#[track_caller]
pub(crate) fn number(json: &Value, key: &str) -> f64 {
    json[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {json}"))
}

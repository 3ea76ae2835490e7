//! Real data inside the library, so that a demonstration works from any folder. `bundled/README.md` states where they
//! come from.

use crate::{DataError, Dataset, Format, LoadOptions, load_bytes};

/// A data set inside the library.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The name [`bundled`] knows it by.
    pub name: &'static str,
    /// What the samples, features and targets are.
    pub description: &'static str,
    /// The file name in the folder `bundled` of this crate.
    pub file_name: &'static str,
    format: Format,
    bytes: &'static [u8],
}

/// All data sets inside the library.
pub static BUNDLED: [Bundled; 4] = [
    Bundled {
        name: "leukaemia",
        description: "expression of 5000 genes in 38 bone marrow samples; acute lymphoblastic (ALL, 27) or myeloid (AML, 11) leukaemia",
        file_name: "leukaemia.csv.gz",
        format: Format::Csv,
        bytes: include_bytes!("../bundled/leukaemia.csv.gz"),
    },
    Bundled {
        name: "khan",
        description: "expression of 2308 genes in 63 small round blue cell tumours of childhood; four kinds",
        file_name: "khan.csv.gz",
        format: Format::Csv,
        bytes: include_bytes!("../bundled/khan.csv.gz"),
    },
    Bundled {
        name: "khan-test",
        description: "the 20 test samples that belong to khan",
        file_name: "khan-test.csv.gz",
        format: Format::Csv,
        bytes: include_bytes!("../bundled/khan-test.csv.gz"),
    },
    Bundled {
        name: "coffee",
        description: "infrared spectra at 1841 wavenumbers of 60 coffees from three countries; nearly collinear features",
        file_name: "coffee.npz",
        format: Format::Npz,
        bytes: include_bytes!("../bundled/coffee.npz"),
    },
];

/// The data set inside the library with this name.
pub fn bundled(name: &str) -> Option<&'static Bundled> {
    BUNDLED.iter().find(|set| set.name == name)
}

impl Bundled {
    /// Reads the data; no file is opened.
    ///
    /// # Errors
    /// None with the files of this version; the signature is that of every reader.
    pub fn load(&self) -> Result<Dataset, DataError> {
        load_bytes(self.bytes, self.format, &LoadOptions::default())
    }

    /// The file, byte for byte.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }
}

//! Data sets: reading, validation, targets, duplicates.
//!
//! Files are read into a [`Dataset`], whose numbers are finite and whose shapes agree; [`validate`] then checks what
//! training needs. Every refusal is a [`DataError`] with a stable code, a place and a remedy. Readers work on bytes from
//! strangers: they never panic, and allocate in proportion to what a file holds and not to what it declares.
//!
//! ```
//! use gradcert_data::{Format, LoadOptions, Targets, load_bytes, validate};
//!
//! let table = b"height,width,kind\n1.5,2,cat\n0.5,1,dog\n";
//! let data = load_bytes(table, Format::Csv, &LoadOptions::default())?;
//! assert_eq!(data.shape(), (2, 2));
//! assert_eq!(data.problems()[0].y, [-1.0, 1.0]); // "dog" is +1
//! assert!(validate(&data)?.constant_columns.is_empty());
//! # Ok::<(), gradcert_data::DataError>(())
//! ```

mod bundled;
mod dataset;
mod duplicates;
mod error;
mod formats;
mod lift;
mod load;
mod matrix;
mod options;
mod raw;
mod validate;

pub use bundled::{BUNDLED, Bundled, bundled};
pub use dataset::{Coding, Dataset, Inputs, LARGEST_MAGNITUDE, Problem, Targets};
pub use duplicates::{Merged, merge_duplicates};
pub use error::{DataError, Place};
pub use lift::{Features, Lift, LiftPlan, median_distance};
pub use load::{load, load_bytes, load_inputs, load_inputs_bytes, load_npy_pair};
pub use matrix::Matrix;
pub use options::{Format, Header, Limits, LoadOptions, TargetColumn};
pub use validate::{Findings, inspect, validate};

//! Time to read a file: `cargo run --release -p gradcert-data --example load_time -- FILE`.
#![allow(clippy::print_stdout, reason = "an example talks")]

fn main() -> Result<(), gradcert_data::DataError> {
    for path in std::env::args().skip(1) {
        let start = std::time::Instant::now();
        let data = gradcert_data::load(&path, &gradcert_data::LoadOptions::default())?;
        println!("{path}: {:?} in {:.3} s", data.shape(), start.elapsed().as_secs_f64());
    }
    Ok(())
}

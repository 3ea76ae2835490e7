//! Records of finished runs: a table of numbers each, so that an experiment can be interrupted and continued.

use crate::bench::{Bench, PaperError};
use gradcert::sweep::SweepError;
use std::path::Path;

/// Rows of numbers.
pub(crate) type Rows = Vec<Vec<f64>>;

/// The rows of an earlier call where `bench.resume` asks for them, or those of `run`, which are kept.
pub(crate) fn kept(bench: &Bench<'_>, name: &str, run: impl FnOnce() -> Rows) -> Result<Rows, PaperError> {
    kept_in(bench, "du2018", name, run)
}

/// The same in the folder of another paper.
pub(crate) fn kept_in(
    bench: &Bench<'_>,
    paper: &str,
    name: &str,
    run: impl FnOnce() -> Rows,
) -> Result<Rows, PaperError> {
    let folder = bench.folder.join(paper);
    let path = folder.join(format!("{name}.csv"));
    if let (true, Some(rows)) = (bench.resume, read(&path)) {
        return Ok(rows);
    }
    let rows = run();
    let file = |e: std::io::Error| PaperError::Sweep(SweepError::File { path: path.clone(), message: e.to_string() });
    std::fs::create_dir_all(&folder).map_err(file)?;
    let temporary = path.with_extension("csv.part");
    std::fs::write(&temporary, text(&rows)).and_then(|()| std::fs::rename(&temporary, &path)).map_err(file)?;
    Ok(rows)
}

/// Digits that give the same double again; the last line says that the record is whole.
fn text(rows: &Rows) -> String {
    let line = |row: &Vec<f64>| row.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(",");
    let body: String = rows.iter().map(|row| line(row) + "\n").collect();
    format!("{body}rows,{}\n", rows.len())
}

fn read(path: &Path) -> Option<Rows> {
    let text = std::fs::read_to_string(path).ok()?;
    let (body, end) = text.trim_end().rsplit_once('\n')?;
    let rows: Option<Rows> = body.lines().map(|l| l.split(',').map(|x| x.parse().ok()).collect()).collect();
    rows.filter(|rows| end == format!("rows,{}", rows.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_written_and_broken_ones_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let bench = |resume| Bench { folder: folder.path().to_owned(), threads: 1, resume, progress: &|_, _| () };
        let rows = vec![vec![0.1, f64::NAN, f64::INFINITY], vec![1e-300, -2.0]];
        kept(&bench(false), "run", || rows.clone()).unwrap();
        let again = kept(&bench(true), "run", || panic!("it is there")).unwrap();
        assert_eq!(format!("{again:?}"), format!("{rows:?}"));
        let path = folder.path().join("du2018/run.csv");
        std::fs::write(&path, "1.0\n2.0\nrows,3\n").unwrap();
        assert_eq!(kept(&bench(true), "run", || vec![vec![5.0]]).unwrap(), vec![vec![5.0]]);
    }
}

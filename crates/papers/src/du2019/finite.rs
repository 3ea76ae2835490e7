//! `|G^(H) - K^(H)| / |K^(H)|` at the start, over the width: `m^{-1/2}`.

use super::pages::{by_architecture, chart, curve, section, slope, table};
use super::{Architecture, Settings, kernel_of, no_network};
use crate::bench::{Bench, PaperError};
use crate::du2018::store::kept_in;
use crate::du2018::{norm, sphere};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::kernel::limit::limit_kernel;
use gradcert::network::wide::{WideNetwork, WidePasses, WideShape};
use gradcert::sweep::Progress;
use gradcert_report::article::{Article, Colour};

pub(crate) fn finite(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let (x, _) = sphere(settings.samples, settings.features, settings.seed);
    let depth = settings.finite_depth;
    let mut sheet = Sheet::new("du2019-finite-width", &["network", "width", "seed", "relative_distance"]);
    let (mut curves, mut cells, mut findings, mut numbers) = (vec![], vec![], vec![], vec![]);
    for architecture in Architecture::ALL {
        let (kernel, name) = (kernel_of(architecture, settings, depth), architecture.name());
        let limit = limit_kernel(kernel, &x).map_err(|e| no_network(&e))?.matrix;
        let size = norm(&limit);
        let mut means = vec![];
        for (index, &width) in settings.widths.iter().enumerate() {
            (bench.progress)(name, Progress { runs: settings.widths.len(), finished: index });
            let shape = WideShape::of(kernel, width, settings.features).map_err(|e| no_network(&e))?;
            let Some(shape) = shape else { continue };
            let record = format!("finite-{}-{name}-H{depth}-m{width}-x{}", settings.experiment(), settings.draws);
            let draws = kept_in(bench, "du2019", &record, || {
                let par = faer::get_global_parallelism();
                let one = |seed: u64| {
                    let network = WideNetwork::draw(shape, settings.seed.wrapping_add(seed));
                    let kernel = WidePasses::new(&network, &x, par).kernel(depth, par);
                    vec![norm(&(kernel - &limit)) / size]
                };
                (0..settings.draws).map(one).collect()
            })?;
            let mean = draws.iter().map(|row| row[0]).sum::<f64>() / draws.len() as f64;
            means.push((width as f64, mean));
            cells.push(vec![name.to_owned(), width.to_string(), format!("{mean:.4e}")]);
            let row = |(seed, row): (usize, &Vec<f64>)| {
                vec![name.to_owned(), width.to_string(), seed.to_string(), format!("{:e}", row[0])]
            };
            sheet.rows.extend(draws.iter().enumerate().map(row));
        }
        let power = slope(&means);
        findings.push(format!("{name}: the relative distance falls like m^{power:.3} (theory: -0.5)"));
        numbers.push((format!("power-{name}"), power));
        numbers.extend(means.last().map(|m| (format!("distance-{name}"), m.1)));
        curves.push((architecture, means));
    }
    let mut shown = by_architecture(&curves);
    if let Some(&(m0, d0)) = curves.first().and_then(|c| c.1.first()) {
        let half = settings.widths.iter().map(|&m| (m as f64, d0 * (m0 / m as f64).sqrt())).collect();
        shown.push(curve("slope -1/2", half, true, Colour::Plain));
    }
    let caption = format!("|G^({depth}) - K^({depth})| / |K^({depth})|, mean over {} draws", settings.draws);
    let article = Article {
        title: "Du et al. 2019: kernels of finite networks against their limits".to_owned(),
        lead: "The tangent kernel of the last hidden layer's weights at the start, spectral norms.".to_owned(),
        sections: vec![section(
            "Distance over width",
            "An independent check of the limits as well: a wrong recursion would leave a distance that does not fall.",
            vec![chart("finite-width", &caption, ("width m", true), "relative distance", shown)],
            vec![table(&caption, &["network", "width m", "relative distance"], cells)],
        )],
        ..Article::default()
    };
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}

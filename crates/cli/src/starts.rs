//! Drawn starts: their law, their seed, and drawing again until one is certified.

use crate::args::{NetArgs, StartArg};
use crate::failure::Failure;
use crate::output::progress_bar;
use crate::session::{Task, given_start, metric, options};
use gradcert::certify::{Outcome, Reason, Scale, given, random};
use gradcert::network::Network;
use gradcert::network::random::{Law, draw};
use std::collections::BTreeMap;

/// Where a drawn start came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Its seed.
    pub(crate) seed: u64,
    /// Starts drawn up to it.
    pub(crate) draws: u64,
}

/// The law of a start that is drawn, `None` for others.
pub(crate) fn law(net: &NetArgs, task: &Task) -> Result<Option<Law>, Failure> {
    match net.start {
        StartArg::LeCun => Ok(Some(Law::LeCun)),
        StartArg::AbsoluteLeCun => Ok(Some(Law::AbsoluteLeCun)),
        StartArg::He => Ok(Some(Law::He)),
        StartArg::Xavier => Ok(Some(Law::Xavier)),
        StartArg::Ntk => Ok(Some(Law::LeCun)),
        StartArg::Conditional => conditional(net, task).map(Some),
        StartArg::Positive | StartArg::File(_) | StartArg::Point(_) => Ok(None),
    }
}

/// A start drawn with a seed, in the coordinates of the problem.
pub(crate) fn draw_start(net: &NetArgs, task: &Task, law: Law, seed: u64) -> Network {
    draw(net.activation(), &random::widths(&task.problem, &options(net)), law, seed)
}

/// The law of `--start conditional`: the box given, or `[A, 2A]`, with the A at which (T10) is likeliest unless one is given.
pub(crate) fn conditional(net: &NetArgs, task: &Task) -> Result<Law, Failure> {
    let from = |a: f64| Law::Conditional { low: a, high: 2.0 * a };
    match (net.entry_box, net.scale) {
        (Some((low, high)), _) => Ok(Law::Conditional { low, high }),
        (None, Scale::Fixed(a)) => Ok(from(a)),
        (None, Scale::Minimum) => Err(Failure::usage("--start conditional takes --box LOW,HIGH or --scale A, not min")),
        (None, Scale::Auto) => {
            let likeliest = random::theorem(&task.problem, &options(net)).ok().and_then(|t| t.likeliest());
            let missing = "no box is known in which the theorem about random starts holds for this network and these data: give \
                           --box LOW,HIGH, or --scale A for the box A,2A";
            likeliest.map(|l| from(l.scale)).ok_or_else(|| Failure::usage(missing))
        }
    }
}

/// The certificate of a start that is not the positive one, drawn again with the next seed up to `--retry` times.
pub(crate) fn certify(task: &mut Task, index: usize, net: &NetArgs) -> Result<Outcome, Failure> {
    let Some(law) = law(net, task)? else {
        let start = given_start(task, index, net)?;
        return Ok(given::certify(&task.problem, &start, &metric(net, &start.widths()), &options(net)));
    };
    let most = net.retry.map_or(1, u64::from);
    let first = net.seed().wrapping_add(index as u64);
    let bar = progress_bar(most, &task.name);
    let mut declined = BTreeMap::<&'static str, (u64, Reason)>::new();
    for k in 0..most {
        task.drawn = Some(Drawn { seed: first.wrapping_add(k), draws: k + 1 });
        let start = draw_start(net, task, law, first.wrapping_add(k));
        let outcome = given::certify(&task.problem, &start, &metric(net, &start.widths()), &options(net));
        let Outcome::Declined(reasons) = outcome else {
            bar.finish_and_clear();
            return Ok(outcome);
        };
        for reason in reasons {
            declined.entry(reason.code).and_modify(|(count, _)| *count += 1).or_insert((1, reason));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Outcome::Declined(declined.into_values().map(|(count, reason)| summary(count, most, reason)).collect()))
}

/// A reason that was given `count` times.
fn summary(count: u64, draws: u64, reason: Reason) -> Reason {
    if draws == 1 {
        return reason;
    }
    Reason { code: reason.code, message: format!("{count} of {draws} draws, first: {}", reason.message) }
}

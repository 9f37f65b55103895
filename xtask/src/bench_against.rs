//! Whether requests cost what they cost at another commit: the comparison server of both, measured
//! by turns.

mod arguments;
mod build;
mod load;
mod server;

use std::path::Path;
use std::time::Duration;

use self::arguments::Arguments;
use self::server::Server;
use crate::Result;
use crate::workspace::Workspace;

const ROUTES: [&str; 3] = ["/plain", "/read", "/incr"];
/// Before a server is measured: its memory is fresh, and so are all connections.
const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) fn run(arguments: &[&str]) -> Result {
    let arguments = Arguments::parse(arguments)?;
    let workspace = Workspace::load()?;
    let [before, now] = build::both(&workspace, &arguments.commit)?;
    let mut table = Table::default();
    for run in 0..arguments.runs {
        // Whatever else the machine does in the meantime, it does to both.
        let order: [(&Path, Side); 2] = [(&before, Side::Before), (&now, Side::Now)];
        let order = if run % 2 == 0 { order } else { [order[1], order[0]] };
        for (program, side) in order {
            measure(program, side, arguments.time, &mut table)?;
        }
        println!("{} of {} runs", run + 1, arguments.runs);
    }
    println!("\n{}", table.text(&arguments.commit));
    table.verdict(arguments.within)
}

/// Starts a server of its own, so that no run has the luck of another.
fn measure(program: &Path, side: Side, time: Duration, table: &mut Table) -> Result {
    let server = Server::start(program)?;
    let cookie = load::session(server.address)?;
    for (route, of) in ROUTES.into_iter().zip(&mut table.0) {
        load::drive(server.address, route, &cookie, WARM_UP)?;
        let before = server.cpu()?;
        let requests = load::drive(server.address, route, &cookie, time)?;
        let spent = server.cpu()?.saturating_sub(before);
        let cost = spent.as_secs_f64() * 1e6 / requests as f64;
        match side {
            Side::Before => of.before.push(cost),
            Side::Now => of.now.push(cost),
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    Now,
}

/// Microseconds of processor time a request, of each run.
#[derive(Default)]
struct Costs {
    before: Vec<f64>,
    now: Vec<f64>,
}

impl Costs {
    /// By how many percent a request costs more.
    fn change(&self) -> f64 {
        (median(&self.now) / median(&self.before) - 1.0) * 100.0
    }
}

/// A row a route.
#[derive(Default)]
struct Table([Costs; ROUTES.len()]);

impl Table {
    fn text(&self, commit: &str) -> String {
        let mut text = format!("| route | {commit} | now | change |\n| --- | --- | --- | --- |\n");
        for (route, costs) in ROUTES.iter().zip(&self.0) {
            let (before, now) = (spread(&costs.before), spread(&costs.now));
            text += &format!("| {route} | {before} | {now} | {:+.1} % |\n", costs.change());
        }
        text + "\nMicroseconds of processor time a request: the median, and the least and the most of a run."
    }

    fn verdict(&self, within: f64) -> Result {
        let rows = ROUTES.iter().zip(&self.0).map(|(route, costs)| (route, costs.change()));
        let slower: Vec<String> = rows
            .filter(|(_, change)| change.is_nan() || *change > within)
            .map(|(route, change)| format!("\n  {route}: {change:+.1} %"))
            .collect();
        if slower.is_empty() {
            return Ok(());
        }
        Err(format!(
            "requests cost more than {within} % more than before; on a machine that does nothing \
             else, find out by what:{}",
            slower.concat()
        ))
    }
}

fn spread(costs: &[f64]) -> String {
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = costs.iter().copied().fold(0.0, f64::max);
    format!("{:.2} ({least:.2}–{most:.2})", median(costs))
}

fn median(costs: &[f64]) -> f64 {
    let mut costs = costs.to_vec();
    costs.sort_by(f64::total_cmp);
    let middle = costs.len() / 2;
    match costs.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(costs[middle - 1], costs[middle]),
        _ => costs[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(incr: &[f64]) -> Table {
        let costs = |now: &[f64]| Costs { before: vec![10.0, 30.0, 20.0], now: now.to_vec() };
        Table([costs(&[20.0]), costs(&[10.0, 12.0]), costs(incr)])
    }

    #[test]
    fn medians_are_compared() {
        let text = table(&[19.0, 21.0, 22.0]).text("main");
        assert!(text.contains("| /plain | 20.00 (10.00–30.00) | 20.00 (20.00–20.00) | +0.0 % |"));
        assert!(text.contains("| /read | 20.00 (10.00–30.00) | 11.00 (10.00–12.00) | -45.0 % |"));
        assert!(text.contains("| +5.0 % |"), "{text}");
    }

    #[test]
    fn what_costs_more_is_named() {
        assert_eq!(table(&[20.6]).verdict(3.1), Ok(()));
        let error = table(&[21.0]).verdict(3.0).unwrap_err();
        assert!(error.contains("/incr: +5.0 %") && !error.contains("/plain"), "{error}");
        assert!(table(&[]).verdict(3.0).is_err(), "nothing was measured");
    }
}

//! The results of `tandem drive` for people.

use tandem_sim::suite::{Results, Run, Summary};

use crate::table::table;

/// Prints the tables, then what a reader must know about the logs.
pub fn results(results: &Results) {
    let columns = [
        "log",
        "planner",
        "traffic",
        "perception",
        "faults",
        "score",
        "NC",
        "DAC",
        "DDC",
        "TLC",
        "EP",
        "TTC",
        "LK",
        "HC",
        "EC",
        "m",
        "at fault",
        "s",
    ];
    let mut runs = table(&columns, 5);
    results.runs.iter().for_each(|run| {
        runs.add_row(row(run));
    });
    println!("{runs}\n");
    let columns = ["planner", "traffic", "perception", "faults", "logs", "score", "km", "at fault / km", "95 %"];
    let mut summary = table(&columns, 4);
    results.summary.iter().for_each(|line| {
        summary.add_row(mean(line));
    });
    println!("{summary}");
    let by_tag = results.by_tag();
    if !by_tag.is_empty() {
        let columns =
            ["tag", "planner", "traffic", "perception", "faults", "logs", "score", "km", "at fault / km", "95 %"];
        let mut tags = table(&columns, 5);
        by_tag.iter().for_each(|(tag, line)| {
            tags.add_row([vec![tag.clone()], mean(line)].concat());
        });
        println!("\n{tags}");
    }
    notes(results);
}

fn row(run: &Run) -> Vec<String> {
    let (result, scores) = (&run.result, &run.result.scores);
    let mut cells = vec![result.log.clone(), result.planner.clone(), result.traffic.clone(), result.perception.clone()];
    cells.push(run.injection.clone());
    let parts = [scores.nc, scores.dac, scores.ddc, scores.tlc, scores.ep, scores.ttc, scores.lk, scores.hc, scores.ec];
    cells.push(format!("{:.3}", result.score));
    cells.extend(parts.iter().map(|part| format!("{part:.2}")));
    cells.push(format!("{:.0}", result.distance_m));
    cells.push(result.at_fault_collisions.to_string());
    cells.push(format!("{:.1}", result.duration_s));
    cells
}

fn mean(line: &Summary) -> Vec<String> {
    let rate = line.at_fault_per_km.map_or("–".to_owned(), |rate| format!("{rate:.2}"));
    let interval =
        line.at_fault_per_km_interval.map_or("–".to_owned(), |[low, high]| format!("{low:.2} – {high:.2}"));
    vec![
        line.planner.clone(),
        line.traffic.clone(),
        line.perception.clone(),
        line.injection.clone(),
        line.logs.to_string(),
        format!("{:.3}", line.score_mean),
        format!("{:.2}", line.distance_km),
        rate,
        interval,
    ]
}

fn notes(results: &Results) {
    let mut last = None;
    for run in results.runs.iter().filter(|run| !run.result.notes.is_empty()) {
        if last != Some(&run.result.log) {
            println!("{}: {}", run.result.log, run.result.notes.join("; "));
            last = Some(&run.result.log);
        }
    }
    for log in results.skipped.iter().filter(|log| !log.is_damaged) {
        println!("not driven: {}", log.reason);
    }
    if results.lost_messages > 0 {
        let (lost, meant) = (results.lost_messages, results.lost_injected);
        println!("{lost} messages lost, {meant} of them as injected");
    }
}

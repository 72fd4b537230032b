//! The report of a paper's experiments.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::STYLE;
use crate::experiments::{Drawn, Reproduction, Row, Verdict};

/// One HTML page: every figure, and below it what the paper says beside what was measured.
pub fn paper(done: &Reproduction) -> String {
    let rows = || done.figures.iter().flat_map(|figure| &figure.rows);
    let count = |verdict: Verdict| rows().filter(|row| row.verdict == verdict).count();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (done.title) ", reproduced" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (done.title) ", reproduced" }
                p { (done.authors) ". Every figure stands with what the paper says, what was measured, and how far apart they are." }
                @if done.quick {
                    p.result { "Made with " code { "--quick" } ": small budgets on generated digits. It shows that everything runs; no number here is to be compared." }
                } @else {
                    p.result {
                        (count(Verdict::Found)) " numbers and claims found as published, "
                        (count(Verdict::Better)) " better, " (count(Verdict::Missed)) " not found."
                    }
                }
                @for figure in &done.figures { (section(figure)) }
                h2 { "How it was made" }
                dl {
                    dt { "device" } dd { (done.device) }
                    dt { "made by" } dd {
                        "bures " (env!("CARGO_PKG_VERSION"))
                        @if let Some(commit) = option_env!("BURES_COMMIT") { ", " (commit) }
                    }
                    dt { "settings" } dd { code { "assets/experiments" } ", and " code { "config.toml" } " of every run in " code { "data/" } }
                }
                p {
                    "Errors are means over the seeds with one standard error. A number counts as found within the tolerance that is printed with it. "
                    "The paper does not state its epochs but for Figures 4 and 6; those used here are printed."
                }
            }
        }
    };
    page.into_string()
}

fn section(figure: &Drawn) -> Markup {
    html! {
        h2 { (figure.name) ". " (figure.title) }
        figure {
            (PreEscaped(&figure.picture.svg))
            figcaption { (figure.caption) }
        }
        table {
            thead {
                tr {
                    th.text { "what" } th.text { "data" } th { "paper" } th { "measured" } th { "apart" } th { "trials" }
                    th { "epochs" } th { "time" } th.text { "" } th.text { "in the paper" }
                }
            }
            tbody { @for row in &figure.rows { (line(row)) } }
        }
    }
}

fn line(row: &Row) -> Markup {
    let number = |value: f64| if row.percent { format!("{:.2} %", 100.0 * value) } else { format!("{value:.3}") };
    let paper = match (row.paper, row.tolerance) {
        (Some(paper), Some(tolerance)) => format!("{} (± {})", number(paper), number(tolerance)),
        (Some(paper), None) => number(paper),
        (None, _) => "claim".to_owned(),
    };
    html! {
        tr {
            td.text { (row.what) } td.text { (row.data) } td { (unbroken(&paper)) }
            td { (unbroken(&row.measured())) @if row.ours.is_some() && !row.detail.is_empty() { br; (row.detail) } }
            td { @if let (Some(paper), Some(ours)) = (row.paper, row.ours) { (unbroken(&signed(ours - paper, row.percent))) } }
            td { (row.trials) }
            td { @if let Some(epochs) = row.epochs { (epochs) } }
            td { @if let Some(seconds) = row.seconds { (format!("{seconds:.0} s")) } }
            td.text { b { (verdict(row.verdict)) } }
            td.text { (row.place) }
        }
    }
}

/// Numbers that stay with their units and errors where a cell is narrow.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}").replace(",\u{a0}", ", ").replace("\u{a0}(", " (")
}

fn signed(off: f64, percent: bool) -> String {
    if percent { format!("{:+.2} %", 100.0 * off) } else { format!("{off:+.3}") }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Found => "found",
        Verdict::Better => "better",
        Verdict::Missed => "not found",
        Verdict::Untold => "",
    }
}

//! The report of a certification.

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::STYLE;
use crate::certify::{Certificate, Record, Summary, kind_text, round_up};
use crate::plot::{self, Picture};
use crate::{Error, Result};

/// Rows of the table: the worst inputs come first, and a report that lists more is not read.
const ROWS: usize = 100;

/// The pictures and `report.html` of a certificate, as names and contents. They depend on the certificate alone.
///
/// # Errors
/// [`Error::Config`] for a certificate without inputs; [`Error::Data`] where a picture cannot be drawn.
pub fn certificate(certificate: &Certificate) -> Result<Vec<(String, Vec<u8>)>> {
    let records = &certificate.records;
    let name = Path::new(&certificate.about.model.path).file_stem();
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (bounds, terms) = rayon::join(|| plot::bounds(records, &name), || plot::terms(records, &name));
    let mut pictures = vec![bounds?, terms?];
    if let ([record], [mixture], false) = (&records[..], &certificate.mixtures[..], certificate.samples.is_empty()) {
        let of =
            if certificate.about.settings.joint { "joint set".to_owned() } else { format!("input {}", record.input) };
        let title = format!("{name}, {of}");
        pictures.push(plot::marginals(mixture, &certificate.samples, &title)?);
    }
    let page = page(certificate, &name, &pictures)?;
    let mut files = Vec::new();
    for picture in pictures {
        files.push((format!("{}.svg", picture.name), picture.svg.into_bytes()));
        files.push((format!("{}.png", picture.name), picture.png));
    }
    files.push(("report.html".to_owned(), page.into_string().into_bytes()));
    Ok(files)
}

fn page(certificate: &Certificate, name: &str, pictures: &[Picture]) -> Result<Markup> {
    let (records, joint) = (&certificate.records, certificate.about.settings.joint);
    let empty = || Error::Config("the certificate holds no input".to_owned());
    let summary = Summary::of(records).ok_or_else(empty)?;
    let mut worst: Vec<&Record> = records.iter().collect();
    worst.sort_by(|a, b| b.relative_bound.total_cmp(&a.relative_bound));
    worst.truncate(ROWS);
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Certificate: " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Certificate: " (name) }
                (proven(certificate, &summary))
                @for picture in pictures {
                    figure { (PreEscaped(&picture.svg)) figcaption { (caption(&picture.name, sampled(records), joint)) } }
                }
                h2 { @if joint { "The bound" } @else if worst.len() < records.len() { "The " (worst.len()) " largest bounds" } @else { "All bounds" } }
                (table(&worst, certificate))
                h2 { "What it is about" }
                (about(certificate))
            }
        }
    })
}

/// What is proven, and what it is about.
fn proven(certificate: &Certificate, summary: &Summary) -> Markup {
    let [first, end] = certificate.about.inputs.range;
    let what = "The proof covers the rounding of its own arithmetic. It says nothing about how well the network fits its data.";
    html! {
        @if certificate.about.settings.joint {
            p.result {
                "Relative 2-Wasserstein distance to the true joint distribution of the network's outputs at " (end - first)
                " inputs together, proven: " b { (round_up(summary.worst, 2)) } "."
            }
            p {
                "The outputs are random, since the network's weights are: the same weights at all of these inputs. The certificate holds one "
                "Gaussian mixture for the joint distribution of the outputs, and a number that it is proven to lie within. " (what)
            }
        } @else {
            p.result {
                "Relative 2-Wasserstein distance to the network's true output distribution, proven: median "
                b { (round_up(summary.median, 2)) } ", worst " b { (round_up(summary.worst, 2)) } " (input " (summary.worst_input) ")."
            }
            p {
                "For each input the network's output is random, since its weights are. The certificate holds a Gaussian "
                "mixture for it, and a number that the true distribution is proven to lie within. " (what)
            }
        }
    }
}

/// How many samples of each law were drawn, and the confidence of the lower limits.
fn sampled(records: &[Record]) -> Option<(usize, f64)> {
    records.first()?.empirical.as_ref().map(|e| (e.samples, e.confidence))
}

/// What a picture shows.
fn caption(picture: &str, sampled: Option<(usize, f64)>, joint: bool) -> String {
    match (picture, sampled) {
        ("bounds", None) if joint => "The proven bound.".to_owned(),
        ("bounds", None) => "The proven bound of every input, in increasing order.".to_owned(),
        ("bounds", Some((samples, confidence))) => format!(
            "Line: the proven bound. Dots: the distance of {samples} samples of the network from {samples} of the mixture, and from {samples} \
             more of the network itself. Samples are far apart even where they come from one law, so the dots may lie far above the bound: where \
             both lie together, sampling sees no difference. What samples do prove, with probability {confidence}, is the lower limit in the table."
        ),
        ("terms", _) => "What the bounds are made of, each part carried to the output. Where nothing is lost by carrying older errors in the \
                         next layer's metric, or that metric does not help, the part of that name is missing."
            .to_owned(),
        _ => "The mixture's marginals over histograms of samples.".to_owned(),
    }
}

fn table(records: &[&Record], certificate: &Certificate) -> Markup {
    let joint = certificate.about.settings.joint;
    let [first, end] = certificate.about.inputs.range;
    let sampled = records.iter().any(|record| record.empirical.is_some());
    let up = |value: f64| round_up(value, 3);
    html! {
        table {
            thead {
                tr {
                    th { @if joint { "inputs" } @else { "input" } } th { "relative bound" } th { "bound" } th { "root mean square output" }
                    th { "components" } th { "largest part" }
                    @if sampled { th { "sampled distance, relative" } th { "sampling floor" } th { "lower limit" } }
                }
            }
            tbody {
                @for record in records {
                    tr {
                        td { @if joint { (first) ".." (end) } @else { (record.input) } } td { (up(record.relative_bound)) } td { (up(record.bound)) }
                        td { (size(record.second_moment.sqrt())) } td { (record.components) }
                        td.text { (largest(record)) }
                        @if let Some(e) = &record.empirical {
                            @for value in [e.distance, e.floor, e.lower] {
                                td { (format!("{:.2e}", value / record.second_moment.sqrt())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A positive number with three decimals, or in powers of ten where that reads badly.
fn size(value: f64) -> String {
    if (0.01..1e5).contains(&value) { format!("{value:.3}") } else { format!("{value:.3e}") }
}

fn largest(record: &Record) -> String {
    let most = record.terms.iter().max_by(|a, b| a.value.total_cmp(&b.value)).filter(|term| term.value > 0.0);
    most.map_or_else(String::new, |term| {
        let percent = 100.0 * term.value / record.bound;
        format!("{} in layer {}, {percent:.0} %", kind_text(&term.kind), term.layer)
    })
}

fn about(certificate: &Certificate) -> Markup {
    let about = &certificate.about;
    let (model, inputs, settings) = (&about.model, &about.inputs, &about.settings);
    let [first, end] = inputs.range;
    html! {
        dl {
            dt { "model" } dd { (file_name(&model.path)) br; code { (model.sha256) } }
            dt { "inputs" } dd {
                (file_name(&inputs.given)) ", rows " (first) ".." (end) " of " (inputs.rows) ", "
                (inputs.width) " values each" br; code { (inputs.sha256) }
            }
            dt { "method" } dd {
                (settings.method)
                @if let Some(epsilon) = settings.epsilon {
                    ", split until " (epsilon) " or " (settings.max_components) " components"
                }
            }
            @if let Some(dropout) = model.dropout { dt { "dropout" } dd { (dropout) } }
            dt { "made by" } dd { "bures " (about.version) @if !about.commit.is_empty() { ", " (about.commit) } }
        }
        p { "Proved again, without trusting this folder, by " code { "bures verify" } "." }
    }
}

/// A path's last part: folders of the machine that it was made on are nobody's business.
fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

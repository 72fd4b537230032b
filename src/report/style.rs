//! How reports look.

/// The style sheet of every report.
pub(super) const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;color:#262626;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.result{font-size:1.1rem}
figure{margin:1.5rem 0}figure svg{max-width:100%;height:auto}figcaption{color:#606060;font-size:.92rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #e4e4e4}th{font-weight:600}td.text,th.text{text-align:left}
dt{font-weight:600}dd{margin:0 0 .6rem}code{font-size:.85em;overflow-wrap:anywhere}
@media print{body{max-width:none;margin:0}figure,tr{break-inside:avoid}}";

//! The program as people meet it: the built binary, its exit codes, messages and files.

mod bad_files;
mod bad_usage;
mod certify_bad;
mod certify_edits;
mod certify_joint;
mod certify_nets;
mod certify_run;
mod covariance;
mod disk;
mod diverge;
#[path = "../common/files.rs"]
mod files;
mod golden;
mod help;
mod json;
mod learn;
mod place;
mod reproduce;
mod resume;
mod same_bits;
#[path = "../common/skip.rs"]
mod skip;
mod vgg;

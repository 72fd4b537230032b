//! Readers, writers and data sets: right on good files, an error on bad ones, never a panic.

mod arrays;
mod atomic;
mod cifar;
mod common;
#[path = "../common/files.rs"]
mod files;
mod fuzz;
mod idx;
mod normalize;
mod pictures;
mod real;
mod sets;
#[path = "../common/skip.rs"]
mod skip;
mod strokes;
mod tensors;

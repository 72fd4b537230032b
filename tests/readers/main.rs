//! Readers, writers and data sets: right on good files, an error on bad ones, never a panic.

mod arrays;
mod atomic;
mod cifar;
mod common;
mod fuzz;
mod idx;
mod normalize;
mod pictures;
mod real;
mod sets;
mod strokes;
mod tensors;

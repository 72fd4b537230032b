//! The trusted core: turns stored numbers into the printed bound. No GPU, no unsafe code, no dependency but `libm`.

mod types;

pub use types::{Layer, LayerWitness, Method, Mixture, Network, Proof, Split, Term, TermKind, Witness};

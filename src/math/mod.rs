//! Mathematics in `f64` on the host. Nothing here is part of a proof: what it computes is proposed, and
//! [`certify::core`](crate::certify::core) proves what follows from it.

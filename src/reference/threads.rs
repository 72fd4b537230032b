//! The threads of the CPU executor. A training step is a few loops of some hundred microseconds: threads that fell asleep
//! between two of them would take longer to wake up than the loop takes to run.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator};

/// Runs `work` with rayon's threads held awake for the loops of the twins. Loops outside of it run all the same, only slower to start.
pub fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    spindle::with_lock(rayon::current_num_threads(), work)
}

/// Calls `work` for every item, on all threads.
pub(super) fn each<T, I>(items: I, work: impl Fn(T) + Sync)
where
    I: IntoParallelIterator<Item = T>,
    I::Iter: IndexedParallelIterator,
{
    let items = items.into_par_iter();
    if items.len() > 0 {
        spindle::for_each(items.len(), items, work);
    }
}

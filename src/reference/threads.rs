//! The threads of the CPU executor. A training step is a few loops of some hundred microseconds: threads that fell asleep
//! between two of them would take longer to wake up than the loop takes to run.

use std::sync::atomic::Ordering;

use rayon::iter::plumbing::{Producer, ProducerCallback};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator};

/// How often a thread looks for the next loop before it sleeps, some tenths of a millisecond: longer than a step's gaps, and short enough
/// for threads of a busy machine, which else spin away the turns of those they wait for.
const LOOKS: u32 = 4096;

/// Runs `work` with rayon's threads held awake for the loops of the twins. Loops outside of it run all the same, only slower to start.
pub fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    spindle::SPIN_LIMIT.store(LOOKS, Ordering::Relaxed);
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

/// Elementary operations that are not worth a second thread.
const FEW: usize = 1 << 16;

/// [`each`], or on this thread alone where all items together are few `operations`: narrow layers make many short loops, and on a busy
/// machine every one of them would wait for the other threads to get their turn.
pub(super) fn each_of<T, I>(operations: usize, items: I, work: impl Fn(T) + Sync)
where
    I: IntoParallelIterator<Item = T>,
    I::Iter: IndexedParallelIterator,
{
    if operations > FEW {
        return each(items, work);
    }
    items.into_par_iter().with_producer(InOrder(work));
}

/// Takes the items one after the other.
struct InOrder<F>(F);

impl<T, F: Fn(T)> ProducerCallback<T> for InOrder<F> {
    type Output = ();

    fn callback<P: Producer<Item = T>>(self, producer: P) {
        producer.into_iter().for_each(self.0);
    }
}

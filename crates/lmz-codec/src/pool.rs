//! Threads, of which a build without the feature `threads` has one.

use crate::error::{CodecError, Result};

/// Threads of a reader, a writer or the like.
#[derive(Debug)]
pub struct Pool {
    #[cfg(feature = "threads")]
    pool: rayon::ThreadPool,
}

/// The system gives no more threads.
pub fn cannot_start(threads: usize, why: &dyn std::fmt::Display) -> CodecError {
    CodecError::InvalidArgument(format!("cannot start {threads} threads (fewer: -T): {why}"))
}

#[cfg(feature = "threads")]
mod with_threads {
    use rayon::prelude::*;

    use super::{Pool, Result, cannot_start};

    impl Pool {
        /// So many threads, 0 standing for as many as there are processors, whatever RAYON_NUM_THREADS says.
        pub fn new(threads: usize) -> Result<Self> {
            let threads = match threads {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            };
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let built = builder.build();
            let pool = built.map_err(|error| cannot_start(threads, &error))?;
            Ok(Self { pool })
        }

        /// Runs `work`, whose [`map`]s use these threads.
        pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
            self.pool.install(work)
        }

        /// How many there are.
        pub fn threads(&self) -> usize {
            self.pool.current_num_threads()
        }
    }

    /// Threads that the current [`map`] may use.
    pub fn threads() -> usize {
        rayon::current_num_threads()
    }

    /// `work` on each item, on as many threads as there are; the results in the items' order, or the error of one.
    pub fn map<T: Send, R: Send>(
        items: Vec<T>,
        work: impl Fn(T) -> Result<R> + Sync + Send,
    ) -> Result<Vec<R>> {
        items.into_par_iter().map(work).collect()
    }
}

#[cfg(not(feature = "threads"))]
mod with_one {
    use super::{Pool, Result};

    impl Pool {
        /// The one thread, whatever was asked for.
        pub fn new(_: usize) -> Result<Self> {
            Ok(Self {})
        }

        /// Runs `work`.
        pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
            work()
        }

        /// One.
        pub fn threads(&self) -> usize {
            threads()
        }
    }

    /// One.
    pub fn threads() -> usize {
        1
    }

    /// `work` on each item in turn.
    pub fn map<T: Send, R: Send>(
        items: Vec<T>,
        work: impl Fn(T) -> Result<R> + Sync + Send,
    ) -> Result<Vec<R>> {
        items.into_iter().map(work).collect()
    }
}

#[cfg(feature = "threads")]
pub use with_threads::{map, threads};

#[cfg(not(feature = "threads"))]
pub use with_one::{map, threads};

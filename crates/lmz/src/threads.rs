//! How many threads the floating-point engine and the trainer use on the CPU.

/// Makes the floating-point engine and the trainer use this many threads from now on; one for each core if 0. It is a
/// setting of the whole process, to be made once, before any work.
///
/// # Errors
/// It was set before, or work has begun; threads cannot be started.
pub fn use_threads(threads: usize) -> std::io::Result<()> {
    // Not by RAYON_NUM_THREADS, which knows no limit.
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(std::io::Error::other)
}

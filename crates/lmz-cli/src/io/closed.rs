//! Standard streams that were closed when the program began.
//!
//! Before `main` the standard library opens the null device in their place, so that no file gets their numbers: what
//! is written then is nowhere, and nobody is told. So they are looked at before that.

use std::io;

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    target_vendor = "apple"
))]
mod system {
    use std::fs::File;
    use std::mem::ManuallyDrop;
    use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::io::{Errno, fcntl_getfd};

    static CLOSED: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

    /// What the loader runs before the standard library's own beginning.
    #[used]
    // SAFETY: the section is made for pointers to functions of this kind (System V ABI, "Initialization and
    // Termination Functions"; Mach-O's `__mod_init_func`), and this one makes system calls alone, for which nothing
    // must be set up.
    #[cfg_attr(
        target_vendor = "apple",
        unsafe(link_section = "__DATA,__mod_init_func")
    )]
    #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
    static BEFORE_MAIN: extern "C" fn() = look;

    extern "C" fn look() {
        for (closed, number) in CLOSED.iter().zip(0..) {
            // SAFETY: the number is asked about and nothing else is done with it, open or not.
            let stream = unsafe { BorrowedFd::borrow_raw(number) };
            closed.store(fcntl_getfd(stream) == Err(Errno::BADF), Ordering::Relaxed);
        }
    }

    pub fn is_closed(number: usize) -> bool {
        CLOSED[number].load(Ordering::Relaxed)
    }

    /// Puts in its place what takes nothing, so that no writer of it succeeds.
    pub fn refuse_output() {
        let full = File::options().write(true).open("/dev/full");
        // Not every system has that; a pipe that nobody reads takes nothing either.
        let taken = full.map(OwnedFd::from).or_else(|_| {
            let (_, writer) = std::io::pipe()?;
            Ok::<_, std::io::Error>(OwnedFd::from(writer))
        });
        if let Ok(taken) = taken {
            // SAFETY: the standard library has opened something in its place; it stays open, since this is not dropped.
            let mut stdout = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(1) });
            // If it fails, this is as without it.
            let _ = rustix::io::dup2(taken, &mut stdout);
        }
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    target_vendor = "apple"
)))]
mod system {
    pub fn is_closed(_: usize) -> bool {
        false
    }

    pub fn refuse_output() {}
}

/// Makes writing to a closed standard output fail; to be called first.
pub fn begin() {
    if system::is_closed(1) {
        system::refuse_output();
    }
}

/// Refuses standard input that was closed.
///
/// # Errors
/// It was.
pub fn check_input() -> io::Result<()> {
    match system::is_closed(0) {
        true => Err(io::Error::other("is closed")),
        false => Ok(()),
    }
}

/// Refuses standard output that was closed.
///
/// # Errors
/// It was.
pub fn check_output() -> io::Result<()> {
    match system::is_closed(1) {
        true => Err(io::Error::other("it is closed")),
        false => Ok(()),
    }
}

//! The system calls that a program may not make, as the kernel's filter language has them.
//!
//! A program has one process: what would make another fails with EPERM. (A limit on processes does not bind root.)
//! Threads are allowed.

/// `(code, jt, jf, k)` of `struct sock_filter`.
type Instruction = (u16, u8, u8, u32);

const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
const EPERM: u32 = 0x0005_0000 | 1;
const ENOSYS: u32 = 0x0005_0000 | 38;

/// `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;
const CLONE_THREAD: u32 = 0x0001_0000;

struct Calls {
    architecture: u32,
    clone: u32,
    /// glibc falls back to `clone` where it is not there; its flags cannot be seen here.
    clone3: u32,
    forks: &'static [u32],
    /// Other ways to reach beyond the sandbox: ptrace, unshare, setns, keyctl, bpf, io_uring, perf.
    refused: &'static [u32],
}

/// The filter for this machine, as bytes for bubblewrap; none where the numbers of system calls are not known here.
pub(super) fn filter() -> Option<Vec<u8>> {
    let calls = if cfg!(target_arch = "x86_64") {
        Calls {
            architecture: 0xc000_003e,
            clone: 56,
            clone3: 435,
            forks: &[57, 58],
            refused: &[101, 272, 308, 248, 249, 250, 321, 425, 426, 427, 298, 323],
        }
    } else if cfg!(target_arch = "aarch64") {
        Calls {
            architecture: 0xc000_00b7,
            clone: 220,
            clone3: 435,
            forks: &[],
            refused: &[117, 97, 268, 217, 218, 219, 280, 425, 426, 427, 241, 282],
        }
    } else {
        return None;
    };
    Some(bytes(&program(&calls)))
}

fn program(calls: &Calls) -> Vec<Instruction> {
    let mut program = vec![
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, calls.architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ];
    if calls.architecture == 0xc000_003e {
        // The x32 calls have numbers of their own.
        program.extend([(JUMP_SET, 0, 1, 0x4000_0000), (RETURN, 0, 0, EPERM)]);
    }
    program.extend([(JUMP_EQUAL, 0, 1, calls.clone3), (RETURN, 0, 0, ENOSYS)]);
    for &call in calls.forks.iter().chain(calls.refused) {
        program.extend([(JUMP_EQUAL, 0, 1, call), (RETURN, 0, 0, EPERM)]);
    }
    program.extend([
        (JUMP_EQUAL, 0, 3, calls.clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_SET, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, EPERM),
        (RETURN, 0, 0, ALLOW),
    ]);
    program
}

fn bytes(program: &[Instruction]) -> Vec<u8> {
    let each = program.iter().flat_map(|&(code, jt, jf, k)| {
        let [c0, c1] = code.to_ne_bytes();
        let [k0, k1, k2, k3] = k.to_ne_bytes();
        [c0, c1, jt, jf, k0, k1, k2, k3]
    });
    each.collect()
}

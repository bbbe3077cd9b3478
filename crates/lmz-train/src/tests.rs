//! The backend of this crate's unit tests.

/// burn's CPU backend, as lmz-float uses it.
pub(crate) type Cpu = lmz_float::Cpu;

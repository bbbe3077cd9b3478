//! The command as people use it: the real program, real files, pipes and signals.

#[cfg(feature = "bench")]
mod bench;
mod cat;
mod damage;
mod device;
mod gguf;
mod harness;
mod hazards;
mod inspect;
mod keep_going;
mod listing;
mod models;
mod outputs;
mod round_trip;
mod sameness;
mod small;
mod streams;
mod usage;
mod verify;

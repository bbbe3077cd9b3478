//! The command as people use it: the real program, real files, pipes and signals.

#[cfg(feature = "bench")]
mod bench;
#[cfg(feature = "float")]
mod bpc;
mod cat;
mod corpus;
mod damage;
mod device;
#[cfg(feature = "float")]
mod eval;
mod families;
mod faults;
mod gguf;
mod habits;
mod harness;
mod hazards;
#[cfg(feature = "download")]
mod hub;
mod inspect;
mod keep_going;
mod listing;
mod models;
mod outputs;
mod round_trip;
mod sameness;
mod small;
mod streams;
#[cfg(unix)]
mod study;
mod system;
#[cfg(feature = "train")]
mod train;
mod usage;
mod verify;

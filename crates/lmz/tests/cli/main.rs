//! The command as people use it: the real program, real files, pipes and signals.

mod damage;
mod harness;
mod inspect;
mod listing;
mod models;
mod outputs;
mod round_trip;
mod sameness;
mod streams;
mod usage;
mod verify;

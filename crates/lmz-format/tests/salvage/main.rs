//! What can be had from a damaged file, is; and what is lost is known to the byte.

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod members;
mod saved;
mod work;

//! Prepared models from outside: whatever the bytes, an error or an engine, and no panic.

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod content;
mod damage;
mod families;
mod metadata;
mod parts;

//! Prepared models from outside: whatever the bytes, an error or an engine, and no panic.

mod blocks;
mod bounds;
mod content;
mod damage;
mod families;
mod metadata;
mod parts;

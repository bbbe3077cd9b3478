//! Writes the report of the published study: `cargo run -p lmz-study --example published_report FILE`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| "published.html".into(), PathBuf::from);
    for file in lmz_study::report::published_report().write(&path)? {
        println!("{}", file.display());
    }
    Ok(())
}

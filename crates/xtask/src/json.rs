//! The layout of the committed JSON files: a line for each thing that a reader compares.

use serde_json::Value;

/// A file of `numerics`, `recipe` and named models, a line for each of a model's fields.
pub fn models(versions: [u8; 2], kind: &str, models: &[(&str, Vec<(&str, Value)>)]) -> String {
    let model = |(name, fields): &(&str, Vec<(&str, Value)>)| {
        let fields = fields.iter();
        let lines: Vec<String> = fields
            .map(|(field, value)| format!("      \"{field}\": {value}"))
            .collect();
        format!("    \"{name}\": {{\n{}\n    }}", lines.join(",\n"))
    };
    let models: Vec<String> = models.iter().map(model).collect();
    format!(
        "{{\n  \"numerics\": {},\n  \"recipe\": {},\n  \"{kind}\": {{\n{}\n  }}\n}}\n",
        versions[0],
        versions[1],
        models.join(",\n")
    )
}

/// A file of named values, a line for each case of a list.
pub fn cases(lists: &[(&str, Value)]) -> String {
    let list = |(name, value): &(&str, Value)| match value {
        Value::Array(cases) => {
            let cases: Vec<String> = cases.iter().map(|case| format!("  {case}")).collect();
            format!("\"{name}\": [\n{}\n]", cases.join(",\n"))
        }
        other => format!("\"{name}\": {other}"),
    };
    let lists: Vec<String> = lists.iter().map(list).collect();
    format!("{{\n{}\n}}\n", lists.join(",\n"))
}

/// Numerics and recipe of most models.
pub const ORDINARY: [u8; 2] = [lmz_exact::NUMERICS_VERSION, lmz_exact::RECIPE];
/// Of models with wide scores.
pub const WIDE: [u8; 2] = [lmz_exact::WIDE_NUMERICS, lmz_exact::WIDE_RECIPE];

/// A hash in hexadecimal.
pub fn hex(hash: [u8; 32]) -> String {
    blake3::Hash::from_bytes(hash).to_hex().to_string()
}

//! The three published ways of writing rotary parameters in `config.json`.
//!
//! * `rope_theta` at the top and `rope_scaling: {"type": ...}`;
//! * the same with `{"rope_type": ...}`;
//! * transformers 5: `rope_parameters: {"rope_type": ..., "rope_theta": ...}`.

use serde_json::Value;

use crate::blueprint::RopeScaling;
use crate::config::{Fields, unsupported};
use crate::error::Result;

const DEFAULT_THETA: f64 = 10000.0;

/// Takes the rotary fields and returns the base and the scaling. What a table holds beyond its
/// kind's parameters is added to `ignored`.
pub(crate) fn read(top: &mut Fields, ignored: &mut Vec<String>) -> Result<(f64, RopeScaling)> {
    let outer = top.float("rope_theta")?;
    let (old, new) = (top.take("rope_scaling"), top.take("rope_parameters"));
    let (name, table) = match (old, new) {
        (None, None) => return Ok((outer.unwrap_or(DEFAULT_THETA), RopeScaling::None)),
        (Some(old), None) => ("rope_scaling", old),
        (None, Some(new)) => ("rope_parameters", new),
        (Some(old), Some(new)) if old == new => ("rope_parameters", new),
        (Some(_), Some(_)) => {
            return Err(top.invalid("rope_parameters", "contradicts rope_scaling"));
        }
    };
    let Value::Object(map) = table else {
        return Err(top.invalid(name, "is not an object"));
    };
    let mut table = Fields::new(format!("{name}."), map);
    let inner = table.float("rope_theta")?;
    let theta = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(table.invalid("rope_theta", "contradicts the rope_theta outside"));
        }
        (outer, inner) => inner.or(outer).unwrap_or(DEFAULT_THETA),
    };
    match table.float("partial_rotary_factor")? {
        None | Some(1.0) => {}
        Some(part) => {
            return Err(unsupported(
                &table.path("partial_rotary_factor"),
                &Value::from(part),
            ));
        }
    }
    let kind = match (table.text("rope_type")?, table.text("type")?) {
        (Some(new), Some(old)) if new != old => {
            return Err(table.invalid("rope_type", "contradicts the older type"));
        }
        (new, old) => new.or(old),
    };
    // Without a kind it may still be transformers 5, whose table then holds the base alone.
    let scaling = match kind.as_deref() {
        Some("default") => RopeScaling::None,
        None if inner.is_some() => RopeScaling::None,
        None => return Err(table.missing("rope_type")),
        Some("linear") => RopeScaling::Linear {
            factor: number(&mut table, "factor")?,
        },
        Some("llama3") => RopeScaling::Llama3 {
            factor: number(&mut table, "factor")?,
            low_freq_factor: number(&mut table, "low_freq_factor")?,
            high_freq_factor: number(&mut table, "high_freq_factor")?,
            original_max_position_embeddings: table.required("original_max_position_embeddings")?,
        },
        Some(other) => return Err(unsupported(&table.path("rope_type"), &Value::from(other))),
    };
    ignored.extend(table.into_names());
    Ok((theta, scaling))
}

fn number(table: &mut Fields, name: &str) -> Result<f64> {
    match table.float(name)? {
        Some(value) => Ok(value),
        None => Err(table.missing(name)),
    }
}

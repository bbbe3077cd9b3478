//! The published ways of writing rotary parameters in `config.json`.
//!
//! * `rope_theta` at the top and `rope_scaling: {"type": ...}`;
//! * the same with `{"rope_type": ...}`;
//! * transformers 5: `rope_parameters: {"rope_type": ..., "rope_theta": ...}`, for some families
//!   one such table for each kind of layer.
//!
//! The share of a head that rotates, `partial_rotary_factor`, stands at the top or in the table.

use super::fields::Fields;
use crate::blueprint::RopeScaling;
use crate::error::Result;

const SHARE: &str = "partial_rotary_factor";

/// What a configuration says of its rotary embedding.
pub(super) struct Rope {
    pub(super) theta: f64,
    pub(super) scaling: RopeScaling,
    /// The share of a head that rotates, where it is given, and the field that gives it.
    pub(super) share: Option<(f64, String)>,
}

/// Takes the rotary fields; `theta` is the base where none is given.
pub(super) fn read(top: &mut Fields, theta: f64) -> Result<Rope> {
    let outer = Outer {
        theta: top.float("rope_theta")?,
        share: top.float(SHARE)?,
    };
    let (old, new) = (top.take("rope_scaling"), top.take("rope_parameters"));
    let (name, value) = match (old, new) {
        (None, None) => {
            return Ok(Rope {
                theta: outer.theta.unwrap_or(theta),
                scaling: RopeScaling::None,
                share: outer.share.map(|share| (share, top.path(SHARE))),
            });
        }
        (Some(old), None) => ("rope_scaling", old),
        (None, Some(new)) => ("rope_parameters", new),
        (Some(old), Some(new)) if old == new => ("rope_parameters", new),
        (Some(_), Some(_)) => {
            return Err(top.invalid("rope_parameters", "contradicts rope_scaling"));
        }
    };
    top.put(name, value);
    let Some(mut table) = top.object(name)? else {
        return Err(top.missing(name));
    };
    let rope = read_table(&mut table, &outer, theta)?;
    top.ignore_rest(table);
    Ok(rope)
}

/// What stands outside the table.
#[derive(Default)]
pub(super) struct Outer {
    theta: Option<f64>,
    share: Option<f64>,
}

/// Takes the fields of one table.
pub(super) fn read_table(table: &mut Fields, outer: &Outer, theta: f64) -> Result<Rope> {
    let inner = table.float("rope_theta")?;
    let agreed =
        |table: &Fields, name: &str, outer: Option<f64>, inner: Option<f64>| match (outer, inner) {
            (Some(outer), Some(inner)) if outer != inner => {
                Err(table.invalid(name, &format!("contradicts the {name} outside")))
            }
            (outer, inner) => Ok(inner.or(outer)),
        };
    let base = agreed(table, "rope_theta", outer.theta, inner)?.unwrap_or(theta);
    let share = table.float(SHARE)?;
    let path = if share.is_some() {
        table.path(SHARE)
    } else {
        SHARE.into()
    };
    let share = agreed(table, SHARE, outer.share, share)?;
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
            factor: number(table, "factor")?,
        },
        Some("llama3") => RopeScaling::Llama3 {
            factor: number(table, "factor")?,
            low_freq_factor: number(table, "low_freq_factor")?,
            high_freq_factor: number(table, "high_freq_factor")?,
            original_max_position_embeddings: table.required("original_max_position_embeddings")?,
        },
        Some(other) => return Err(table.unsupported("rope_type", other)),
    };
    Ok(Rope {
        theta: base,
        scaling,
        share: share.map(|share| (share, path)),
    })
}

fn number(table: &mut Fields, name: &str) -> Result<f64> {
    match table.float(name)? {
        Some(value) => Ok(value),
        None => Err(table.missing(name)),
    }
}

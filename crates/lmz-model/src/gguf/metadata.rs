//! A file's metadata: typed values by key. Strings and arrays stay in the file, so that what a
//! header claims to hold is never allocated for.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cursor::Cursor;
use crate::error::{ModelError, Result};

/// The numbers by which a file names the types of values.
mod id {
    pub(super) const U8: u32 = 0;
    pub(super) const I8: u32 = 1;
    pub(super) const U16: u32 = 2;
    pub(super) const I16: u32 = 3;
    pub(super) const U32: u32 = 4;
    pub(super) const I32: u32 = 5;
    pub(super) const F32: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const STRING: u32 = 8;
    pub(super) const ARRAY: u32 = 9;
    pub(super) const U64: u32 = 10;
    pub(super) const I64: u32 = 11;
    pub(super) const F64: u32 = 12;
}

/// One value.
#[derive(Clone, Debug)]
enum Value {
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    /// Where its bytes are.
    Text(Range<usize>),
    Array(Array),
}

/// Values of one type, one after the other.
#[derive(Clone, Debug)]
struct Array {
    kind: u32,
    count: usize,
    range: Range<usize>,
}

/// The metadata of one file.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    values: BTreeMap<String, Value>,
}

impl Metadata {
    /// Reads `count` keys and values.
    pub(super) fn read(cursor: &mut Cursor<'_>, count: u64) -> Result<Self> {
        let mut values = BTreeMap::new();
        for _ in 0..count {
            let key = cursor.name("a key")?;
            let kind = cursor.u32(key)?;
            let value = value(cursor, key, kind)?;
            if values.insert(key.to_owned(), value).is_some() {
                return Err(cursor.malformed(format!("the key {key} stands there twice")));
            }
        }
        Ok(Self { values })
    }

    /// All keys, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

fn value(cursor: &mut Cursor<'_>, key: &str, kind: u32) -> Result<Value> {
    Ok(match kind {
        id::U8 => Value::Unsigned(cursor.u8(key)?.into()),
        id::I8 => Value::Signed(cursor.u8(key)?.cast_signed().into()),
        id::U16 => Value::Unsigned(cursor.u16(key)?.into()),
        id::I16 => Value::Signed(cursor.u16(key)?.cast_signed().into()),
        id::U32 => Value::Unsigned(cursor.u32(key)?.into()),
        id::I32 => Value::Signed(cursor.u32(key)?.cast_signed().into()),
        id::F32 => Value::F32(f32::from_bits(cursor.u32(key)?)),
        id::BOOL => Value::Bool(cursor.u8(key)? != 0),
        id::STRING => Value::Text(cursor.string(key)?),
        id::ARRAY => Value::Array(array(cursor, key)?),
        id::U64 => Value::Unsigned(cursor.u64(key)?),
        id::I64 => Value::Signed(cursor.u64(key)?.cast_signed()),
        id::F64 => Value::F64(f64::from_bits(cursor.u64(key)?)),
        other => {
            return Err(cursor.malformed(format!("the key {key} has a value of type {other}")));
        }
    })
}

fn array(cursor: &mut Cursor<'_>, key: &str) -> Result<Array> {
    let kind = cursor.u32(key)?;
    let count = cursor.u64(key)?;
    let size = match kind {
        id::U8 | id::I8 | id::BOOL => 1,
        id::U16 | id::I16 => 2,
        id::U32 | id::I32 | id::F32 => 4,
        id::U64 | id::I64 | id::F64 => 8,
        // At least its length.
        id::STRING => 8,
        other => {
            let what = format!("the key {key} is an array of values of type {other}");
            return Err(cursor.malformed(what));
        }
    };
    let Some(bytes) = count
        .checked_mul(size)
        .filter(|&n| n <= cursor.left() as u64)
    else {
        return Err(cursor.malformed(format!(
            "the key {key} is said to have {count} values, and the file has room for {}: it is \
             truncated or damaged; download it again",
            cursor.left() as u64 / size
        )));
    };
    let range = if kind == id::STRING {
        let start = cursor.position();
        for _ in 0..count {
            cursor.string(key)?;
        }
        start..cursor.position()
    } else {
        cursor.take(bytes, key)?
    };
    Ok(Array {
        kind,
        // No larger than the file.
        count: count as usize,
        range,
    })
}

/// The metadata together with the file that its strings and arrays lie in.
#[derive(Clone, Copy)]
pub(super) struct Meta<'a> {
    pub(super) file: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) metadata: &'a Metadata,
}

impl<'a> Meta<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.metadata.values.get(key)
    }

    pub(super) fn has(self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn missing(self, key: &str) -> ModelError {
        ModelError::MissingField {
            file: self.file.into(),
            field: key.into(),
        }
    }

    pub(super) fn invalid(self, key: &str, reason: impl Into<String>) -> ModelError {
        ModelError::InvalidField {
            file: self.file.into(),
            field: key.into(),
            reason: reason.into(),
        }
    }

    /// A number that counts something. An array whose elements are all the same counts as one.
    pub(super) fn uint(self, key: &str) -> Result<Option<usize>> {
        let not = || self.invalid(key, "is not a non-negative integer");
        let number = match self.get(key) {
            None => return Ok(None),
            Some(Value::Unsigned(n)) => *n,
            Some(Value::Signed(n)) => u64::try_from(*n).map_err(|_| not())?,
            Some(Value::Array(_)) => {
                let all = self.ints(key)?.unwrap_or_default();
                let Some((&first, rest)) = all.split_first() else {
                    return Err(self.invalid(key, "is an empty array"));
                };
                if rest.iter().any(|&n| n != first) {
                    return Err(self.unsupported(key, "different numbers for different layers"));
                }
                u64::try_from(first).map_err(|_| not())?
            }
            Some(_) => return Err(not()),
        };
        usize::try_from(number).map(Some).map_err(|_| not())
    }

    /// A number. One that is stored as an f32 was written as a decimal before: the shortest
    /// decimal that it stands for is what the configuration said.
    pub(super) fn float(self, key: &str) -> Result<Option<f64>> {
        Ok(match self.get(key) {
            None => None,
            Some(Value::F32(x)) => Some(shortest(*x)),
            Some(Value::F64(x)) => Some(*x),
            Some(Value::Unsigned(n)) => Some(*n as f64),
            Some(Value::Signed(n)) => Some(*n as f64),
            Some(_) => return Err(self.invalid(key, "is not a number")),
        })
    }

    pub(super) fn flag(self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.invalid(key, "is not true or false")),
        }
    }

    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(range)) => match std::str::from_utf8(&self.bytes[range.clone()]) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.invalid(key, "is not UTF-8")),
            },
            Some(_) => Err(self.invalid(key, "is not a string")),
        }
    }

    fn array(self, key: &str, kind: &str) -> Result<Option<&'a Array>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(_) => Err(self.invalid(key, format!("is not an array of {kind}"))),
        }
    }

    pub(super) fn texts(self, key: &str) -> Result<Option<Vec<&'a str>>> {
        let Some(array) = self.array(key, "strings")? else {
            return Ok(None);
        };
        if array.kind != id::STRING {
            return Err(self.invalid(key, "is not an array of strings"));
        }
        let mut cursor = Cursor::new(self.file, self.bytes, array.range.start);
        // Walked once already: there are as many.
        let texts = (0..array.count).map(|_| cursor.name(key));
        texts.collect::<Result<_>>().map(Some)
    }

    pub(super) fn floats(self, key: &str) -> Result<Option<Vec<f32>>> {
        let Some(array) = self.array(key, "numbers")? else {
            return Ok(None);
        };
        let bytes = &self.bytes[array.range.clone()];
        match array.kind {
            id::F32 => {
                let numbers = bytes.as_chunks().0.iter();
                Ok(Some(numbers.map(|b| f32::from_le_bytes(*b)).collect()))
            }
            _ => Err(self.invalid(key, "is not an array of f32")),
        }
    }

    /// An array of integers or flags.
    pub(super) fn ints(self, key: &str) -> Result<Option<Vec<i64>>> {
        let Some(array) = self.array(key, "integers")? else {
            return Ok(None);
        };
        let bytes = &self.bytes[array.range.clone()];
        let quads = || bytes.as_chunks().0.iter();
        let pairs = || bytes.as_chunks().0.iter();
        Ok(Some(match array.kind {
            id::U8 => bytes.iter().map(|&b| b.into()).collect(),
            id::BOOL => bytes.iter().map(|&b| i64::from(b != 0)).collect(),
            id::I8 => bytes.iter().map(|&b| b.cast_signed().into()).collect(),
            id::U16 => pairs().map(|b| u16::from_le_bytes(*b).into()).collect(),
            id::I16 => pairs().map(|b| i16::from_le_bytes(*b).into()).collect(),
            id::U32 => quads().map(|b| u32::from_le_bytes(*b).into()).collect(),
            id::I32 => quads().map(|b| i32::from_le_bytes(*b).into()).collect(),
            id::I64 | id::U64 => {
                let numbers = bytes.as_chunks().0.iter();
                numbers.map(|b| i64::from_le_bytes(*b)).collect()
            }
            _ => return Err(self.invalid(key, "is not an array of integers")),
        }))
    }

    /// The error for a value that asks for something that no engine here does.
    pub(super) fn unsupported(self, key: &str, value: impl ToString) -> ModelError {
        ModelError::Unsupported {
            file: self.file.into(),
            field: key.into(),
            value: value.to_string(),
        }
    }
}

/// The f64 nearest to the shortest decimal that reads as this f32.
fn shortest(x: f32) -> f64 {
    x.to_string().parse().unwrap_or(f64::from(x))
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn decimals_come_back() {
        for x in [1e-5, 1e-6, 0.00048828125, 1e6, 10000.0, 0.1, 500000.0] {
            assert_eq!(shortest(x as f32), x);
        }
        assert!(shortest(f32::NAN).is_nan());
        assert_eq!(shortest(f32::INFINITY), f64::INFINITY);
    }
}

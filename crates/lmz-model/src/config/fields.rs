//! The fields of a JSON object, taken out one by one, so that what nobody asked for is left over.

use serde_json::{Map, Value};

use crate::error::{ModelError, Result};

/// The file that they stand in.
pub(crate) const CONFIG: &str = "config.json";

/// The fields of one JSON object that have not been read yet. A `null` counts as absent, except
/// for [`nullable`](Self::nullable).
pub(super) struct Fields {
    prefix: String,
    map: Map<String, Value>,
    /// Full names of fields without a known meaning that were met on the way.
    ignored: Vec<String>,
}

impl Fields {
    /// `prefix` (empty, or ending in a dot) is put before names in errors.
    pub(super) fn new(prefix: impl Into<String>, map: Map<String, Value>) -> Self {
        Self {
            prefix: prefix.into(),
            map,
            ignored: Vec::new(),
        }
    }

    /// The full name of a field.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Removes a field.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Puts a field back, or in.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.map.insert(name.into(), value);
    }

    /// Whether a field is there, be it `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Gives a field under an older name its newer one.
    pub(super) fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        let Some(value) = self.take(old) else {
            return Ok(());
        };
        match self.take(new) {
            Some(other) if other.as_f64() != value.as_f64() => {
                Err(self.invalid(old, &format!("contradicts {new}")))
            }
            _ => {
                self.put(new, value);
                Ok(())
            }
        }
    }

    /// Removes a field that holds an object; its fields get this one's name as their prefix.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Fields>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields::new(self.path(name) + ".", map))),
            Some(_) => Err(self.invalid(name, "is not an object")),
        }
    }

    /// Reports what is left of `table` as ignored.
    pub(super) fn ignore_rest(&mut self, table: Fields) {
        let (left, mut ignored) = table.into_rest();
        self.ignored
            .extend(left.into_iter().map(|(path, _, _)| path));
        self.ignored.append(&mut ignored);
    }

    /// What is left, as (full name, name, value), and the full names already ignored.
    pub(super) fn into_rest(self) -> (Vec<(String, String, Value)>, Vec<String>) {
        let prefix = self.prefix;
        let left = self.map.into_iter();
        let left = left.map(|(name, value)| (format!("{prefix}{name}"), name, value));
        (left.collect(), self.ignored)
    }

    pub(super) fn missing(&self, name: &str) -> ModelError {
        ModelError::MissingField {
            file: CONFIG.into(),
            field: self.path(name),
        }
    }

    pub(super) fn invalid(&self, name: &str, reason: &str) -> ModelError {
        ModelError::InvalidField {
            file: CONFIG.into(),
            field: self.path(name),
            reason: reason.into(),
        }
    }

    /// The error for a value that no engine here implements.
    pub(super) fn unsupported(&self, name: &str, value: impl Into<Value>) -> ModelError {
        unsupported(self.path(name), &value.into())
    }

    fn typed<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => Err(self.invalid(name, &format!("is not {kind}"))),
            },
        }
    }

    pub(super) fn uint(&mut self, name: &str) -> Result<Option<usize>> {
        self.typed(name, "a non-negative integer", |value| {
            value.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", Value::as_f64)
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.typed(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>> {
        self.typed(name, "a list", |value| value.as_array().cloned())
    }

    pub(super) fn required(&mut self, name: &str) -> Result<usize> {
        match self.uint(name)? {
            Some(value) => Ok(value),
            None => Err(self.missing(name)),
        }
    }

    /// A field whose `null` says "none", which is not what its absence says: `read` is asked where
    /// it is there, else the value is `absent`.
    pub(super) fn nullable<T>(
        &mut self,
        name: &str,
        absent: Option<T>,
        read: impl Fn(&mut Self, &str) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        if self.has(name) {
            read(self, name)
        } else {
            Ok(absent)
        }
    }
}

/// The error for a value that no engine here implements, under its full name.
pub(super) fn unsupported(field: String, value: &Value) -> ModelError {
    let mut value = value.to_string();
    if value.len() > 200 {
        value = value.chars().take(200).chain("...".chars()).collect();
    }
    ModelError::Unsupported {
        file: CONFIG.into(),
        field,
        value,
    }
}

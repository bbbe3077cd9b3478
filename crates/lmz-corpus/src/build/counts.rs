//! How often something happened, by what it is called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by name, in the order of the names. The names are part of manifests; docs/corpus.md lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// One more of `what`.
    pub fn one(&mut self, what: &str) {
        self.add(what, 1);
    }

    /// `n` more of `what`.
    pub fn add(&mut self, what: &str, n: u64) {
        match self.0.get_mut(what) {
            Some(count) => *count += n,
            None if n > 0 => _ = self.0.insert(what.to_owned(), n),
            None => {}
        }
    }

    /// All of `other` as well.
    pub fn merge(&mut self, other: &Self) {
        for (what, n) in &other.0 {
            self.add(what, *n);
        }
    }

    /// How many of `what`.
    pub fn get(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// All that were counted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, n)| (what.as_str(), *n))
    }
}

//! What the server says about a model.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::{HubError, Result};
use crate::name::{HubName, is_commit, is_path};

/// A revision of a model.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    /// The commit.
    pub(super) sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    blob_id: Option<String>,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Debug, Deserialize)]
struct Lfs {
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    size: Option<u64>,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its path, with slashes.
    pub(super) name: String,
    /// Bytes, if the server says so.
    pub(super) size: Option<u64>,
    /// Its hash, if the server says so.
    pub(super) hash: Option<String>,
}

impl Info {
    /// Reads an answer.
    pub(super) fn read(url: &str, json: &[u8]) -> Result<Self> {
        let odd = |why: String| HubError::Server(format!("{url}: not what the hub answers: {why}"));
        let info: Self = serde_json::from_slice(json).map_err(|error| odd(error.to_string()))?;
        match is_commit(&info.sha) {
            true => Ok(info),
            false => Err(odd(format!("the commit is {:?}", info.sha))),
        }
    }

    /// The files whose names are paths below a folder; others are left out.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.siblings.iter().map(|one| one.rfilename.as_str());
        names.filter(|name| is_path(name))
    }

    /// Whether there is a file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|one| one == name)
    }

    /// A file.
    ///
    /// # Errors
    /// It is not among them.
    pub(super) fn listed(&self, model: &HubName, name: &str) -> Result<Listed> {
        let found = self.siblings.iter().find(|one| one.rfilename == name);
        let found =
            found
                .filter(|one| is_path(&one.rfilename))
                .ok_or_else(|| HubError::NoModel {
                    name: model.to_string(),
                    reason: format!("there is no file {name} in it"),
                })?;
        let lfs = found.lfs.as_ref();
        Ok(Listed {
            name: name.to_owned(),
            size: lfs.and_then(|lfs| lfs.size).or(found.size),
            hash: match lfs {
                Some(lfs) => lfs.sha256.clone(),
                None => found.blob_id.clone(),
            },
        })
    }
}

impl Listed {
    /// Whether a snapshot has it, as far as its size tells.
    pub(super) fn is_at(&self, snapshot: &Path) -> bool {
        let found = fs::metadata(snapshot.join(&self.name));
        found.is_ok_and(|found| found.is_file() && self.size.is_none_or(|size| size == found.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_lists_name_no_paths() {
        let json = br#"{"sha":"0123456789012345678901234567890123456789","siblings":[
            {"rfilename":"../../etc/passwd"},{"rfilename":"/x"},{"rfilename":"a//b"},{"rfilename":"C:x"},
            {"rfilename":"q/a.gguf","size":7,"blobId":"b","lfs":{"sha256":"s","size":9}}]}"#;
        let info = Info::read("u", json).unwrap();
        assert_eq!(info.names().collect::<Vec<_>>(), ["q/a.gguf"]);
        let name = HubName::parse("a/b").unwrap();
        let listed = info.listed(&name, "q/a.gguf").unwrap();
        assert_eq!((listed.size, listed.hash.as_deref()), (Some(9), Some("s")));
        assert!(info.listed(&name, "/x").is_err());
        for bad in [
            &b"{"[..],
            br#"{"sha":"../../../../../../../../../../../../../x"}"#,
            br#"{"siblings":[]}"#,
        ] {
            assert!(Info::read("u", bad).is_err());
        }
    }
}

//! Files that are written, or compared with what is there.

use std::fs;

use lmz_testkit::repository;

/// What any step may fail with.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Writes files of the repository, or compares them.
pub struct Files {
    check: bool,
    same: usize,
    changed: Vec<String>,
}

impl Files {
    /// With `check` nothing is written.
    pub fn new(check: bool) -> Self {
        Self {
            check,
            same: 0,
            changed: Vec::new(),
        }
    }

    /// Gives a file, by its path from the repository's root, this content.
    pub fn put(&mut self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let (full, content) = (repository(path), content.as_ref());
        if fs::read(&full).is_ok_and(|there| there == content) {
            self.same += 1;
            return Ok(());
        }
        self.changed.push(path.to_owned());
        if !self.check {
            if let Some(folder) = full.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&full, content).map_err(|e| format!("{path}: {e}"))?;
        }
        Ok(())
    }

    /// Writes a file if there is none of this name: one that is there stays as it is.
    pub fn add(&mut self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        if repository(path).exists() {
            self.same += 1;
            return Ok(());
        }
        self.put(path, content)
    }

    /// Says what differed; whether that is as it should be.
    pub fn report(&self) -> bool {
        let what = if self.check { "differs" } else { "written" };
        for path in &self.changed {
            println!("{what}: {path}");
        }
        println!(
            "{} files are the same, {} not",
            self.same,
            self.changed.len()
        );
        !self.check || self.changed.is_empty()
    }
}

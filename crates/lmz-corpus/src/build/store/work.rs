//! The directory in which a build keeps what it has done.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::atomic::{Atomic, open, write_whole};
use crate::error::{CorpusError, Result};

const PLAN: &str = "plan.json";
/// What temporary files are called; see [`Atomic`].
const TEMPORARY: &str = ".tmp-";
/// zstd's fastest level but one: parts are read once or twice, and then removed.
const LEVEL: i32 = 1;

/// A work directory: a plan, and for each input (by its number) files of the stages.
///
/// A stage writes the file that says it is done last; a file is whole or not there. So a run that was killed at any time
/// goes on with what is not done.
#[derive(Clone, Debug)]
pub struct Work {
    directory: PathBuf,
}

impl Work {
    /// Opens or makes the directory of the plan `plan`.
    ///
    /// # Errors
    /// The directory belongs to another plan, or cannot be written.
    pub fn open(directory: &Path, plan: &Value) -> Result<Self> {
        fs::create_dir_all(directory).map_err(CorpusError::io(directory))?;
        let work = Self {
            directory: directory.to_owned(),
        };
        let path = directory.join(PLAN);
        if path.exists() {
            let there: Value = read_json(&path)?;
            if there != *plan {
                let what = difference(&there, plan);
                return Err(CorpusError::Refused(format!(
                    "{}: holds the work of other settings or inputs ({what}): name another directory, or delete it",
                    directory.display()
                )));
            }
        } else {
            let text = serde_json::to_vec_pretty(plan)
                .map_err(|error| CorpusError::io(&path)(error.into()))?;
            write_whole(&path, &text)?;
        }
        Ok(work)
    }

    /// Removes what killed runs have left half done. Only where nobody else is at work in the directory.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sweep(&self) -> Result<()> {
        let io = CorpusError::io(&self.directory);
        for entry in fs::read_dir(&self.directory).map_err(&io)? {
            let entry = entry.map_err(&io)?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(entry.path()).map_err(&io)?;
            }
        }
        Ok(())
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of an input for a purpose.
    pub fn of(&self, input: usize, purpose: &str) -> PathBuf {
        self.directory.join(format!("{input:06}.{purpose}"))
    }

    /// The file of all inputs for a purpose.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Reads what a stage has left, or `None` if it has not.
    ///
    /// # Errors
    /// The file is there and damaged.
    pub fn done<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        match path.exists() {
            true => read_json(path).map(Some),
            false => Ok(None),
        }
    }

    /// Says that something is done.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(&self, path: &Path, value: &impl Serialize) -> Result<()> {
        let text =
            serde_json::to_vec(value).map_err(|error| CorpusError::io(path)(error.into()))?;
        write_whole(path, &text)
    }

    /// Removes the directory with all that is in it. What says that a stage is done goes first, that of the last stage
    /// before the others: a run that is killed here leaves nothing that says of missing files that they are there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(self) -> Result<()> {
        let io = CorpusError::io(&self.directory);
        for marker in self.markers()? {
            fs::remove_file(marker).map_err(&io)?;
        }
        fs::remove_dir_all(&self.directory).map_err(&io)
    }

    /// The files that say what is done, those of the last stage first.
    fn markers(&self) -> Result<Vec<PathBuf>> {
        let io = CorpusError::io(&self.directory);
        let mut markers = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(&io)? {
            let path = entry.map_err(&io)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.ends_with(".json") || name == PLAN {
                continue;
            }
            let stage = match name.strip_suffix(".json") {
                Some(input) if input.bytes().all(|byte| byte.is_ascii_digit()) => 1,
                _ if name.ends_with(".kept.json") => 3,
                _ => 2,
            };
            markers.push((stage, path));
        }
        markers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(markers.into_iter().map(|(_, path)| path).collect())
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).map_err(CorpusError::io(path))?;
    serde_json::from_slice(&text).map_err(|error| {
        let reason = format!(
            "{}: {error}: delete it, and it is made again",
            path.display()
        );
        CorpusError::Refused(reason)
    })
}

/// In which fields two plans differ, for a message.
fn difference(a: &Value, b: &Value) -> String {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return "all of it".into();
    };
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let differing = keys.filter(|key| a.get(*key) != b.get(*key));
    let differing: Vec<String> = differing
        .map(|key| match (a.get(key), b.get(key)) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => {
                format!("{key}: {}", difference(&a[key], &b[key]))
            }
            _ => key.clone(),
        })
        .collect();
    differing.join(", ")
}

/// A compressed file on its way.
pub struct Pack {
    out: zstd::stream::write::Encoder<'static, Atomic>,
    path: PathBuf,
}

impl Pack {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(path: &Path) -> Result<Self> {
        let file = Atomic::new(path)?;
        let out = zstd::stream::write::Encoder::new(file, LEVEL).map_err(CorpusError::io(path))?;
        Ok(Self {
            out,
            path: path.to_owned(),
        })
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> Result<()> {
        self.out
            .finish()
            .map_err(CorpusError::io(&self.path))?
            .finish()
    }
}

impl Write for Pack {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file of [`Pack`], unpacked.
pub struct Unpack(BufReader<zstd::stream::read::Decoder<'static, BufReader<File>>>);

impl Unpack {
    /// Opens it.
    ///
    /// # Errors
    /// It is not there.
    pub fn open(path: &Path) -> Result<Self> {
        let decoder =
            zstd::stream::read::Decoder::new(open(path)?).map_err(CorpusError::io(path))?;
        Ok(Self(BufReader::with_capacity(1 << 17, decoder)))
    }
}

impl Read for Unpack {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_directory_belongs_to_one_plan() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("w");
        let plan = json!({"inputs": ["a"], "settings": {"seed": 1, "near": null}});
        let work = Work::open(&directory, &plan).unwrap();
        fs::write(directory.join(".tmp-x"), "half").unwrap();
        let work_again = Work::open(&directory, &plan).unwrap();
        work_again.sweep().unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        let other = json!({"inputs": ["a"], "settings": {"seed": 2, "near": null}});
        let error = Work::open(&directory, &other).unwrap_err().to_string();
        assert!(error.contains("(settings: seed)"), "{error}");

        let path = work.of(3, "part");
        assert_eq!(work.done::<u64>(&path).unwrap(), None);
        work.finish(&path, &7u64).unwrap();
        assert_eq!(work.done::<u64>(&path).unwrap(), Some(7));
        fs::write(&path, "{").unwrap();
        assert!(
            work.done::<u64>(&path)
                .unwrap_err()
                .to_string()
                .contains("made again")
        );
    }

    #[test]
    fn what_says_done_goes_before_what_it_speaks_of() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("w");
        let work = Work::open(&directory, &json!({})).unwrap();
        let names = [
            "000000.json",
            "000001.json",
            "merged.json",
            "000000.kept.json",
            "000001.kept.json",
            "000001.twice",
            "000001.part",
        ];
        for name in names {
            fs::write(directory.join(name), "1").unwrap();
        }
        let order: Vec<String> = work
            .markers()
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            order,
            [
                "000001.kept.json",
                "000000.kept.json",
                "merged.json",
                "000001.json",
                "000000.json"
            ]
        );
        work.remove().unwrap();
        assert!(!directory.exists());
    }

    #[test]
    fn packed_files_are_whole_or_not_there() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("p");
        let mut pack = Pack::new(&path).unwrap();
        pack.write_all(b"text").unwrap();
        assert!(!path.exists());
        drop(pack);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        let mut pack = Pack::new(&path).unwrap();
        pack.write_all(b"text").unwrap();
        pack.finish().unwrap();
        let mut text = String::new();
        Unpack::open(&path)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "text");
    }
}

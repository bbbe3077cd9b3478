//! A file of the user's that remembers how fast devices were. Nothing depends on it but where work is
//! done: it may be missing, damaged or read-only.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::speed::{Key, Speed, clean};
use crate::directories::cache_directory;

const NAME: &str = "speed.json";
/// Bytes of a file that was written by this program.
const MAX_FILE: u64 = 64 << 10;
/// The oldest go first.
const MAX_ENTRIES: usize = 64;
/// What the newest measurement counts against all before.
const WEIGHT: f64 = 0.3;
/// Multiply-adds a second that are believed.
const RATES: std::ops::RangeInclusive<f64> = 1e3..=1e18;
/// Seconds of starting that are believed.
const STARTS: std::ops::RangeInclusive<f64> = 0.0..=3600.0;

/// One measurement, and what it is kept by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The device's name.
    pub device: String,
    /// Version of the program.
    pub lmz: String,
    /// Version of the numerics.
    pub numerics: u64,
    /// The binary logarithm of the model's multiply-adds per token.
    pub model: u32,
    /// Segments at once, a power of four.
    pub lanes: u32,
    /// Multiply-adds a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<f64>,
    /// Multiply-adds a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoding: Option<f64>,
    /// Seconds before the first pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
}

impl Entry {
    /// A measurement.
    pub fn new(key: Key, speed: Speed) -> Self {
        Self {
            device: key.device,
            lmz: key.lmz,
            numerics: key.numerics,
            model: key.model,
            lanes: key.lanes,
            encoding: speed.encoding,
            decoding: speed.decoding,
            start: speed.start,
        }
    }

    fn key(&self) -> Key {
        Key {
            device: self.device.clone(),
            lmz: self.lmz.clone(),
            numerics: self.numerics,
            model: self.model,
            lanes: self.lanes,
        }
    }

    /// What was measured.
    pub fn speed(&self) -> Speed {
        Speed {
            encoding: self.encoding,
            decoding: self.decoding,
            start: self.start,
        }
    }

    fn is_sane(&self) -> bool {
        let within = |range: &std::ops::RangeInclusive<f64>, number: Option<f64>| {
            number.is_none_or(|number| range.contains(&number))
        };
        self.device == clean(&self.device)
            && !self.device.is_empty()
            && self.lmz == clean(&self.lmz)
            && self.model < 64
            && self.lanes <= 1 << 20
            && within(&RATES, self.encoding)
            && within(&RATES, self.decoding)
            && within(&STARTS, self.start)
    }

    /// Takes a newer measurement in.
    fn update(&mut self, newer: &Self) {
        let mean = |old: &mut Option<f64>, new: Option<f64>| {
            *old = match (*old, new) {
                (Some(old), Some(new)) => Some(old + WEIGHT * (new - old)),
                (old, new) => new.or(old),
            };
        };
        mean(&mut self.encoding, newer.encoding);
        mean(&mut self.decoding, newer.decoding);
        mean(&mut self.start, newer.start);
    }
}

/// Measurements, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cache {
    entries: Vec<Entry>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    entries: &'a [Entry],
}

/// The file as it is found: each entry is judged by itself.
#[derive(Deserialize)]
struct Found {
    entries: Vec<Value>,
}

impl Cache {
    /// What the user's cache directory remembers.
    pub fn of_user() -> Self {
        cache_directory().map_or_else(Self::default, |directory| Self::read(&directory))
    }

    /// Adds measurements to what the user's cache directory remembers. If that cannot be, it is not
    /// done.
    pub fn add_to_user_s(entries: &[Entry]) {
        if let Some(directory) = cache_directory().filter(|_| !entries.is_empty()) {
            let _ = Self::add_to(&directory, entries);
        }
    }

    /// All that makes sense of a directory's file.
    fn read(directory: &Path) -> Self {
        let mut text = Vec::new();
        let read = File::open(directory.join(NAME))
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text));
        match read {
            Ok(_) if text.len() as u64 <= MAX_FILE => Self::parse(&text),
            _ => Self::default(),
        }
    }

    fn parse(text: &[u8]) -> Self {
        let found = serde_json::from_slice::<Found>(text).map_or(Vec::new(), |f| f.entries);
        let entry = |value| serde_json::from_value(value).ok().filter(Entry::is_sane);
        let mut cache = Self::default();
        for entry in found.into_iter().filter_map(entry) {
            cache.put(entry);
        }
        cache
    }

    fn put(&mut self, entry: Entry) {
        let key = entry.key();
        let same = self.entries.iter().position(|e| e.key() == key);
        let entry = match same.map(|at| self.entries.remove(at)) {
            Some(mut old) => {
                old.update(&entry);
                old
            }
            None => entry,
        };
        self.entries.push(entry);
        let excess = self.entries.len().saturating_sub(MAX_ENTRIES);
        self.entries.drain(..excess);
    }

    /// The new file takes the place of the old one at once.
    fn add_to(directory: &Path, entries: &[Entry]) -> io::Result<PathBuf> {
        fs::create_dir_all(directory)?;
        let mut cache = Self::read(directory);
        for entry in entries.iter().filter(|entry| entry.is_sane()) {
            cache.put(entry.clone());
        }
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        let written = Written {
            entries: &cache.entries,
        };
        serde_json::to_writer_pretty(&mut file, &written)?;
        file.write_all(b"\n")?;
        let path = directory.join(NAME);
        file.persist(&path)?;
        Ok(path)
    }

    /// The entries of this version of the program whose device `is` one that is meant.
    pub fn of<'a>(&'a self, is: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a Entry> {
        let this = Key::new("", 1, 1);
        let entries = self.entries.iter();
        entries.filter(move |e| e.lmz == this.lmz && e.numerics == this.numerics && is(&e.device))
    }

    /// What was measured with such a model and so many lanes.
    pub fn speed(&self, key: &Key) -> Speed {
        let entry = self.entries.iter().find(|entry| entry.key() == *key);
        entry.map_or_else(Speed::default, Entry::speed)
    }

    /// As [`Cache::speed`]; if it was never measured, with the number of lanes next to that.
    pub fn nearest(&self, key: &Key) -> Speed {
        let distance = |entry: &&Entry| {
            entry
                .lanes
                .max(1)
                .ilog2()
                .abs_diff(key.lanes.max(1).ilog2())
        };
        let same = |entry: &&Entry| {
            let lanes = key.lanes;
            Key {
                lanes,
                ..entry.key()
            } == *key
        };
        let nearest = |of: fn(&Speed) -> Option<f64>| {
            let measured = self.entries.iter().filter(same);
            let measured = measured.filter(|entry| of(&entry.speed()).is_some());
            measured
                .min_by_key(distance)
                .and_then(|entry| of(&entry.speed()))
        };
        Speed {
            encoding: nearest(|speed| speed.encoding),
            decoding: nearest(|speed| speed.decoding),
            start: nearest(|speed| speed.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(device: &str, lanes: u32) -> Key {
        Key::new(device, 1 << 22, lanes)
    }

    fn entry(device: &str, lanes: u32, encoding: f64) -> Entry {
        let speed = Speed {
            encoding: Some(encoding),
            decoding: None,
            start: Some(0.25),
        };
        Entry::new(key(device, lanes), speed)
    }

    #[test]
    fn what_is_stored_is_found_again_and_averaged() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("a").join("b");
        Cache::add_to(&directory, &[entry("card", 4, 1e12), entry("cpu", 4, 1e11)]).unwrap();
        let cache = Cache::read(&directory);
        assert_eq!(cache.speed(&key("card", 4)).encoding, Some(1e12));
        assert_eq!(cache.speed(&key("card", 16)), Speed::default());
        assert_eq!(cache.nearest(&key("card", 16)).encoding, Some(1e12));
        let other = Key {
            lmz: "0.0.0".into(),
            ..key("card", 4)
        };
        assert_eq!(cache.speed(&other), Speed::default());
        assert_eq!(cache.nearest(&other), Speed::default());
        Cache::add_to(&directory, &[entry("card", 4, 2e12)]).unwrap();
        let speed = Cache::read(&directory).speed(&key("card", 4));
        assert!((speed.encoding.unwrap() - 1.3e12).abs() < 1e3);
        assert_eq!((speed.decoding, speed.start), (None, Some(0.25)));
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn the_file_stays_small() {
        let place = tempfile::tempdir().unwrap();
        let long = "x".repeat(1000);
        for i in 0..70 {
            let all: Vec<Entry> = (0..5)
                .map(|j| entry(&format!("{i} {j} {long}"), 1, 1e10))
                .collect();
            Cache::add_to(place.path(), &all).unwrap();
        }
        let cache = Cache::read(place.path());
        assert_eq!(cache.entries.len(), MAX_ENTRIES);
        assert!(cache.entries[MAX_ENTRIES - 1].device.starts_with("69 4 "));
        let len = fs::metadata(place.path().join(NAME)).unwrap().len();
        assert!(len < MAX_FILE, "{len}");
    }

    #[test]
    fn hostile_files_are_no_errors() {
        let good = serde_json::to_value(entry("card", 4, 1e12)).unwrap();
        let with = |name: &str, value: Value| {
            let mut entry = good.clone();
            entry[name] = value;
            entry
        };
        let bad = [
            with("encoding", Value::from("fast")),
            with("encoding", Value::from(-1.0)),
            with("encoding", Value::from(0.0)),
            with("encoding", Value::from(1e300)),
            with("decoding", Value::from(vec![1.0])),
            with("start", Value::from(-0.5)),
            with("start", Value::from(1e9)),
            with("device", Value::Null),
            with("device", Value::from("")),
            with("device", Value::from("\u{1b}[2J")),
            with("device", Value::from("x".repeat(10_000))),
            with("model", Value::from(64)),
            with("model", Value::from(-1)),
            with("lanes", Value::from(1u64 << 40)),
            with("numerics", Value::from("0")),
            Value::Null,
            Value::from(7),
            Value::from(Vec::<Value>::new()),
        ];
        for bad in &bad {
            let text = serde_json::json!({ "entries": [bad, good] }).to_string();
            let cache = Cache::parse(text.as_bytes());
            assert_eq!(cache.entries.len(), 1, "{bad}");
            assert_eq!(cache.speed(&key("card", 4)).encoding, Some(1e12));
        }
        let deep = format!("{{\"entries\":{}", "[".repeat(50_000));
        let nan = good.to_string().replace("1000000000000.0", "NaN");
        assert!(nan.contains("NaN"), "{nan}");
        let nan = format!("{{\"entries\":[{nan}]}}");
        let huge = good.to_string().replace("1000000000000.0", "1e999");
        let huge = format!("{{\"entries\":[{huge}]}}");
        let spaces = " ".repeat(MAX_FILE as usize + 1);
        let place = tempfile::tempdir().unwrap();
        for text in [
            "",
            "x",
            "null",
            "[]",
            "{}",
            "{\"entries\":7}",
            "{\"entries\":{}}",
            "\0\0\0\0",
            &deep,
            &nan,
            &huge,
            &spaces,
        ] {
            fs::write(place.path().join(NAME), text).unwrap();
            assert_eq!(Cache::read(place.path()), Cache::default());
            // It is replaced by a sound one.
            Cache::add_to(place.path(), &[entry("card", 4, 1e12)]).unwrap();
            assert_eq!(Cache::read(place.path()).entries.len(), 1);
        }
        // Measurements that make no sense are not stored.
        let absurd = entry("card", 4, f64::NAN);
        Cache::add_to(place.path(), &[absurd, entry("card", 4, f64::INFINITY)]).unwrap();
        let speed = Cache::read(place.path()).speed(&key("card", 4));
        assert_eq!(speed.encoding, Some(1e12));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_no_error() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        // A file where the directory would be; a directory where the file would be.
        assert!(Cache::add_to(&file, &[entry("card", 4, 1e12)]).is_err());
        assert_eq!(Cache::read(&file), Cache::default());
        fs::create_dir(place.path().join(NAME)).unwrap();
        assert_eq!(Cache::read(place.path()), Cache::default());
        assert!(Cache::add_to(place.path(), &[entry("card", 4, 1e12)]).is_err());
        // And no temporary file stays.
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }
}

//! Records of JSON lines, of a JSON document, of CSV.

use serde_json::Value;

use super::find::File;
use crate::error::{EvalError, Result};
use crate::task::Source;
use crate::template::Document;

/// The records of a file, by the name of the source's file.
pub(super) fn records(source: &Source, file: &File) -> Result<Vec<Document>> {
    let pattern = source.file.as_deref().unwrap_or_default();
    let bytes = file
        .bytes
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(&file.bytes);
    let kind = [".zst", ".gz"].iter().fold(pattern, |name, packed| {
        name.strip_suffix(packed).unwrap_or(name)
    });
    match kind.rsplit_once('.').map(|(_, kind)| kind) {
        Some("jsonl") => lines(file, bytes),
        Some("json") => document(source, file, bytes),
        Some("csv") => csv(source, file, bytes),
        _ => Err(EvalError::File {
            file: file.name.clone(),
            reason: "neither .jsonl nor .json nor .csv".into(),
        }),
    }
}

fn lines(file: &File, bytes: &[u8]) -> Result<Vec<Document>> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let each = lines.map(|(number, line)| {
        let record = serde_json::from_slice(line).map_err(|error| error.to_string());
        record.and_then(object).map_err(|reason| EvalError::Data {
            file: file.name.clone(),
            record: number as u64 + 1,
            reason,
        })
    });
    each.collect()
}

fn document(source: &Source, file: &File, bytes: &[u8]) -> Result<Vec<Document>> {
    let wrong = |reason: String| EvalError::File {
        file: file.name.clone(),
        reason,
    };
    let mut json: Value =
        serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    let records = match &source.records {
        Some(entry) => json.get_mut(entry).map(Value::take),
        None => Some(json),
    };
    let Some(Value::Array(records)) = records else {
        let entry = source.records.as_deref().unwrap_or("the document");
        return Err(wrong(format!("{entry} is no list of records")));
    };
    let each = records.into_iter().enumerate().map(|(number, record)| {
        object(record).map_err(|reason| EvalError::Data {
            file: file.name.clone(),
            record: number as u64 + 1,
            reason,
        })
    });
    each.collect()
}

fn object(value: Value) -> std::result::Result<Document, String> {
    match value {
        Value::Object(record) => Ok(record),
        _ => Err("no JSON object".into()),
    }
}

fn csv(source: &Source, file: &File, bytes: &[u8]) -> Result<Vec<Document>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).from_reader(bytes);
    let mut records = Vec::new();
    for (number, row) in reader.into_records().enumerate() {
        let wrong = |reason: String| EvalError::Data {
            file: file.name.clone(),
            record: number as u64 + 1,
            reason,
        };
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let columns = &source.columns;
        if number == 0 && row.iter().eq(columns.iter().map(String::as_str)) {
            continue;
        }
        if row.len() != columns.len() {
            return Err(wrong(format!(
                "{} columns, not {}: {}",
                row.len(),
                columns.len(),
                columns.join(", ")
            )));
        }
        let fields = columns.iter().zip(row.iter());
        records.push(
            fields
                .map(|(name, value)| (name.clone(), value.into()))
                .collect(),
        );
    }
    Ok(records)
}

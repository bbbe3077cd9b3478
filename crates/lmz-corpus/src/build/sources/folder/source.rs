//! Files of a folder as documents, each by what its name says that it is.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Value, json};

use super::super::super::counts::Counts;
use super::super::super::date::Date;
use super::super::super::document::{Item, Meta, Raw};
use super::super::super::filters::{CodeFilter, CodeLanguage, LanguageFilter, ProseFilter};
use super::super::super::limits::MAX_ITEM_BYTES;
use super::super::super::text::latex::Latex;
use super::super::super::text::{
    Tool, clean, decode, html_to_text, is_binary, label_of, pages_to_text,
};
use super::super::{Input, Send, Source};
use super::lines::{lines, messages};
use super::mail::mail;
use super::walk::walk;
use crate::error::{CorpusError, Result};
use crate::files::SourceFile;

/// Folders, and files by themselves.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// What is read.
    pub inputs: Vec<Input>,
    /// What documents' subset is; by default what their files are.
    pub subset: Option<String>,
    /// Filters for prose, if any.
    pub prose: Option<ProseFilter>,
    /// Filters for code, if any.
    pub code: Option<CodeFilter>,
    /// The languages of prose that are kept; none means all, and that no language is told.
    pub language: Option<LanguageFilter>,
    /// Documents of this day or later, where a document has a day.
    pub after: Option<Date>,
    /// What makes Markdown of .tex files; by default they stay as they are.
    pub latex: Option<Latex>,
    /// What makes text of .pdf files; without it they are skipped.
    pub pdf: Option<Tool>,
}

impl Folder {
    /// The program that reads .pdf files, if it is installed.
    pub fn pdf_tool() -> Option<Tool> {
        Tool::find("pdftotext", "-v", &["-enc", "UTF-8", "-", "-"])
    }
}

/// What a file is, by its name.
fn form_of(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let stem = name
        .strip_suffix(".gz")
        .or(name.strip_suffix(".zst"))
        .unwrap_or(&name);
    let extension = stem
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map_or("", |(_, end)| end);
    match extension {
        "jsonl" | "ndjson" => "json",
        "html" | "htm" | "xhtml" => "html",
        "mbox" | "mbx" => "mbox",
        "eml" => "mail",
        "pdf" => "pdf",
        "tex" => "tex",
        "txt" | "md" | "markdown" | "rst" | "adoc" | "org" | "log" | "" => "text",
        _ if CodeLanguage::of(stem).is_some() => "code",
        _ => "text",
    }
}

impl Source for Folder {
    fn kind(&self) -> &'static str {
        "local"
    }

    fn settings(&self) -> Value {
        json!({
            "subset": self.subset,
            "prose": self.prose.as_ref().map(|prose| json!({
                "min_characters": prose.min_characters,
                "min_alphanumeric": prose.min_alphanumeric,
                "max_line": prose.max_line,
                "boilerplate": prose.boilerplate,
            })),
            "code_filters": self.code.is_some(),
            "languages": self.language.as_ref().map(|filter| &filter.languages),
            "language_confidence": self.language.as_ref().map(|filter| filter.confidence),
            "after": self.after,
            "latex": self.latex.as_ref().map(Latex::name),
            "pdf": self.pdf.as_ref().map(|tool| &tool.version),
        })
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn read(&self, input: &Input, send: &mut Send<'_>, counts: &mut Counts) -> Result<()> {
        for found in walk(&input.path, counts)? {
            counts.one("read: files");
            let form = form_of(&found.name);
            let mut meta = Meta::new();
            meta.insert("source".into(), input.name.clone().into());
            meta.insert("path".into(), found.name.clone().into());
            let part = |number: u64, bytes, meta: &Meta, form| {
                let mut meta = meta.clone();
                meta.insert("number".into(), number.into());
                let name = format!("{}:{number}", found.name);
                Raw {
                    name,
                    form,
                    bytes,
                    meta,
                }
            };
            let outcome = match form {
                "json" => {
                    let mut stream = SourceFile::at(&found.path).open()?;
                    lines(&mut stream, counts, &mut |number, line, _| {
                        send(part(number, line, &meta, "json"))
                    })?
                }
                "mbox" => {
                    let mut stream = SourceFile::at(&found.path).open()?;
                    messages(&mut stream, counts, &mut |number, mail| {
                        send(part(number, mail, &meta, "mail"))
                    })?
                }
                _ => match whole(&found.path) {
                    Ok(Some(bytes)) => {
                        send(Raw {
                            name: found.name.clone(),
                            form,
                            bytes,
                            meta,
                        })?;
                        Ok(())
                    }
                    Ok(None) => {
                        counts.one("skipped: file too long");
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            };
            match outcome {
                Ok(()) => {}
                // Damage of what is compressed; anything else is the machine's fault and not the file's.
                Err(error) if is_damage(&error) => counts.one("broken: compressed file"),
                Err(error) => return Err(CorpusError::io(&found.path)(error)),
            }
        }
        Ok(())
    }

    fn build(&self, raw: Raw, counts: &mut Counts) -> Option<Item> {
        let mut meta = raw.meta;
        if raw.bytes.is_empty() {
            counts.one("dropped: empty");
            return None;
        }
        if raw.form == "json" {
            return self.line(&raw.bytes, meta, counts);
        }
        if raw.form == "pdf" {
            let Some(tool) = &self.pdf else {
                counts.one("skipped: PDF, without pdftotext");
                return None;
            };
            let Ok(text) = tool.run(&raw.bytes) else {
                counts.one("skipped: PDF that pdftotext does not read");
                return None;
            };
            return self.prose(pages_to_text(&text), "text", meta, counts);
        }
        if raw.form != "mail" && is_binary(&raw.bytes) {
            counts.one("skipped: no text");
            return None;
        }
        if raw.form == "mail" {
            let Some((text, date)) = mail(&raw.bytes, &mut meta) else {
                counts.one("skipped: message without text");
                return None;
            };
            if self.after.is_some_and(|after| date < Some(after)) {
                counts.one("dropped: other date");
                return None;
            }
            return self.prose(text, "mail", meta, counts);
        }
        let label = label_of(&raw.bytes).filter(|_| raw.form == "html");
        let (text, wrong) = decode(&raw.bytes, label);
        counts.add("repaired: encoding", u64::from(wrong));
        match raw.form {
            "html" => {
                let page = html_to_text(&text);
                meta.insert("title".into(), page.title.into());
                self.prose(page.text, "web", meta, counts)
            }
            "tex" => match &self.latex {
                Some(latex) => match latex.to_markdown(&text) {
                    Ok(text) => self.prose(text, "math", meta, counts),
                    Err(_) => {
                        counts.one("skipped: TeX that pandoc does not read");
                        None
                    }
                },
                None => self.prose(text, "tex", meta, counts),
            },
            "code" => {
                let language = CodeLanguage::of(&raw.name)?;
                let text = clean(&text);
                if let Some(filter) = &self.code {
                    if CodeFilter::is_foreign(&raw.name) {
                        counts.one("dropped: somebody else's code");
                        return None;
                    }
                    if !filter.keep(language, &format!("{text}\n"), counts) {
                        return None;
                    }
                }
                self.item(format!("{text}\n"), language.name, meta, counts)
            }
            _ if text.contains('\x0c') => self.prose(pages_to_text(&text), "text", meta, counts),
            _ => self.prose(text, "text", meta, counts),
        }
    }
}

impl Folder {
    fn line(&self, line: &[u8], mut meta: Meta, counts: &mut Counts) -> Option<Item> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(line) else {
            counts.one("skipped: bad JSON");
            return None;
        };
        let content =
            ["content", "text"]
                .into_iter()
                .find_map(|field| match object.remove(field) {
                    Some(Value::String(text)) => Some(text),
                    _ => None,
                });
        let Some(content) = content else {
            counts.one("skipped: JSON without a text");
            return None;
        };
        let subset = ["subset", "domain"]
            .into_iter()
            .find_map(|field| Some(object.get(field)?.as_str()?.to_owned()));
        // What a corpus knows about a document stays.
        if let Some(Value::Object(more)) = object.remove("meta") {
            for (key, value) in more {
                meta.entry(key).or_insert(value);
            }
        }
        let day = meta
            .get("date")
            .and_then(Value::as_str)
            .and_then(Date::leading);
        if self
            .after
            .is_some_and(|after| day.is_some_and(|day| day < after))
        {
            counts.one("dropped: other date");
            return None;
        }
        self.prose(content, subset.as_deref().unwrap_or("text"), meta, counts)
    }

    fn prose(
        &self,
        text: String,
        subset: &str,
        mut meta: Meta,
        counts: &mut Counts,
    ) -> Option<Item> {
        let mut text = clean(&text);
        if let Some(filter) = &self.prose {
            text = filter.keep(text, counts)?;
        }
        if let Some(filter) = &self.language {
            meta.insert("language".into(), filter.keep(&text, counts)?.into());
        }
        self.item(text, subset, meta, counts)
    }

    fn item(
        &self,
        content: String,
        subset: &str,
        mut meta: Meta,
        counts: &mut Counts,
    ) -> Option<Item> {
        if content.trim().is_empty() {
            counts.one("dropped: empty");
            return None;
        }
        meta.entry("licence").or_insert(Value::Null);
        let subset = self.subset.clone().unwrap_or_else(|| subset.to_owned());
        Some(Item {
            content,
            subset,
            meta,
            group: 0,
        })
    }
}

fn is_damage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(
        error.kind(),
        InvalidData | InvalidInput | Other | UnexpectedEof
    )
}

/// A whole file, unpacked if its name says that it is packed; `None` if it is too long.
fn whole(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = SourceFile::at(path);
    let mut bytes = Vec::new();
    let most = MAX_ITEM_BYTES + 1;
    match file.is_packed() {
        true => {
            let stream = file.open().map_err(|error| match error {
                CorpusError::Io { error, .. } => error,
                error => std::io::Error::other(error),
            })?;
            stream.take(most).read_to_end(&mut bytes)?;
        }
        false => {
            _ = BufReader::new(File::open(path)?)
                .take(most)
                .read_to_end(&mut bytes)?
        }
    }
    Ok((bytes.len() as u64 <= MAX_ITEM_BYTES).then_some(bytes))
}

//! Papers as documents.

use std::fs::File;

use serde_json::{Value, json};

use super::super::super::counts::Counts;
use super::super::super::document::{Item, Meta, Raw};
use super::super::super::filters::ProseFilter;
use super::super::super::text::clean;
use super::super::super::text::latex::Latex;
use super::super::archive::{Walk, unpacked, walk};
use super::super::{Input, Send, Source};
use super::metadata::{Papers, Wanted};
use super::paper::{Fault, source_of};
use crate::error::{CorpusError, Result};

/// Largest packed source of a paper, in bytes: pictures are most of such a one.
const MAX_PACKED: u64 = 64 << 20;

/// Bulk tars: `arXiv_src_2606_001.tar` holds `2606/2606.00001.gz` and so on.
#[derive(Clone, Debug, Default)]
pub struct Bulk {
    /// The tars.
    pub inputs: Vec<Input>,
    /// Which papers were asked for.
    pub wanted: Wanted,
    /// Those papers.
    pub papers: Papers,
    /// What makes Markdown of them; TeX stays TeX without it.
    pub latex: Option<Latex>,
    /// Which texts are kept.
    pub prose: ProseFilter,
}

/// The identifier of a paper by its file's name: `2606.00001`, `math/0309136`.
fn identifier(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let letters = stem
        .bytes()
        .take_while(|b| b.is_ascii_alphabetic() || *b == b'-')
        .count();
    Some(match letters {
        0 => stem.to_owned(),
        n => format!("{}/{}", &stem[..n], &stem[n..]),
    })
}

impl Source for Bulk {
    fn kind(&self) -> &'static str {
        "arxiv"
    }

    fn settings(&self) -> Value {
        json!({
            "category": self.wanted.category,
            "after": self.wanted.after,
            "before": self.wanted.before,
            "markup": self.latex.as_ref().map(Latex::name),
            "min_characters": self.prose.min_characters,
            "papers": self.papers.counts,
        })
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn read(&self, input: &Input, send: &mut Send<'_>, counts: &mut Counts) -> Result<()> {
        let io = CorpusError::io(&input.path);
        let stream = unpacked(File::open(&input.path).map_err(&io)?).map_err(&io)?;
        walk(stream, counts, &mut |_| {}, &mut |member, counts| {
            counts.one("read: papers");
            let name = member.path.clone();
            let Some(id) = identifier(&name) else {
                return Ok(Walk::On);
            };
            let Some(paper) = self.papers.by_id.get(&id) else {
                counts.one("passed: not asked for");
                return Ok(Walk::On);
            };
            if !name.ends_with(".gz") {
                counts.one("dropped: no TeX");
                return Ok(Walk::On);
            }
            match member.read(MAX_PACKED) {
                Ok(Some(bytes)) => {
                    let mut meta = Meta::new();
                    meta.insert("url".into(), format!("https://arxiv.org/abs/{id}").into());
                    meta.insert("id".into(), id.into());
                    meta.insert("title".into(), paper.title.clone().into());
                    meta.insert("categories".into(), paper.categories.clone().into());
                    meta.insert("date".into(), paper.date.to_string().into());
                    meta.insert("licence".into(), paper.licence.clone().into());
                    send(Raw {
                        name,
                        form: "paper",
                        bytes,
                        meta,
                    })?;
                }
                Ok(None) => counts.one("skipped: paper too long"),
                Err(_) => counts.one("broken: paper"),
            }
            Ok(Walk::On)
        })
    }

    fn build(&self, raw: Raw, counts: &mut Counts) -> Option<Item> {
        let tex = match source_of(&raw.bytes, counts) {
            Ok(tex) => tex,
            Err(fault) => {
                counts.one(match fault {
                    Fault::Broken => "broken: paper",
                    Fault::NoTex => "dropped: no TeX",
                    Fault::NoMain => "dropped: no main file",
                });
                return None;
            }
        };
        let text = match &self.latex {
            None => tex,
            Some(latex) => match latex.to_markdown(&tex) {
                Ok(text) => text,
                Err(_) => {
                    counts.one("dropped: pandoc does not read it");
                    return None;
                }
            },
        };
        let text = clean(&text);
        self.prose.is_enough(&text, counts).then_some(())?;
        Some(Item {
            content: text,
            subset: "math".into(),
            meta: raw.meta,
            group: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        for (name, id) in [
            ("2606/2606.00001.gz", "2606.00001"),
            ("0309/math0309136.gz", "math/0309136"),
            ("0309/hep-th0309136.pdf", "hep-th/0309136"),
        ] {
            assert_eq!(identifier(name).as_deref(), Some(id));
        }
    }
}

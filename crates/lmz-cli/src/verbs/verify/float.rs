//! The float engine of the model that a file names, if this build has one.

use std::fs::File;
use std::io::{BufReader, Seek};

use anyhow::{Result, bail};
use lmz::format::IndexedReader;
use lmz::metric::Scorer;
use lmz::{ModelId, ModelSource};

use super::args::VerifyArgs;
use crate::io::system::describe;

/// Whether there is a float line, and why not.
pub enum Asked {
    /// By this engine: a device and a number type.
    Yes(String),
    /// A reason, for people.
    No(&'static str),
}

impl Asked {
    /// Whether there will be a float line.
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// For JSON.
    pub fn engine(&self) -> Option<String> {
        match self {
            Self::Yes(engine) => Some(engine.clone()),
            Self::No(_) => None,
        }
    }
}

/// Float engines. The last one stays open: files of one run mostly name the same model.
pub struct Scorers {
    wanted: bool,
    #[cfg(feature = "float")]
    model: Option<std::ffi::OsString>,
    open: Option<(ModelId, Box<dyn Scorer>, String)>,
    notice: Option<String>,
}

impl Scorers {
    pub fn new(args: &VerifyArgs) -> Self {
        Self {
            wanted: !args.no_float,
            #[cfg(feature = "float")]
            model: args.run.model.model.clone(),
            open: None,
            notice: None,
        }
    }

    /// Opens the float engine of the model that codes `file`, which stays at its start.
    ///
    /// # Errors
    /// The model is not there; its directory has other weights than the file names; the engine
    /// cannot open it.
    pub fn find(&mut self, file: &mut File, models: &dyn ModelSource) -> Result<Asked> {
        if !self.wanted {
            return Ok(Asked::No("not asked"));
        }
        if cfg!(not(feature = "float")) {
            return Ok(Asked::No("not built into this lmz"));
        }
        let mut reader = IndexedReader::open(BufReader::new(&mut *file))?;
        let mut headers = Vec::new();
        for member in reader.members().to_vec() {
            let modelled = |s: &lmz::format::SegmentInfo| s.kind.has_ideal();
            let mut segments = reader.segments(member.number);
            if segments.any(|segment| segment.is_ok_and(|s| modelled(&s))) {
                headers.push(member.header);
            }
        }
        file.rewind().map_err(describe)?;
        let Some(header) = headers.first() else {
            return Ok(Asked::No("the model codes no segment"));
        };
        if headers.iter().any(|h| h.model_id != header.model_id) {
            return Ok(Asked::No("the file's members name several models"));
        }
        if let Some((id, _, engine)) = &self.open
            && *id == header.model_id
        {
            return Ok(Asked::Yes(engine.clone()));
        }
        self.open(header, models)
    }

    #[cfg(feature = "float")]
    fn open(&mut self, header: &lmz::Header, models: &dyn ModelSource) -> Result<Asked> {
        use std::sync::Arc;

        let model = models.find(header)?;
        let store = lmz::ModelStore::from_env();
        let given = match self.model.as_deref() {
            Some(asked) => store.checkpoint(asked)?,
            None => None,
        };
        let weights = match given {
            // The very weights that the model was prepared from, if they are the file's.
            Some(given) => {
                // The header of a small member names no checkpoint: the model's id stands for it.
                if header.form == lmz::format::Form::Full
                    && model.prepared().checkpoint[..16] != header.checkpoint
                {
                    bail!(
                        "{} is another checkpoint than the one that the file's model was prepared from",
                        given.display()
                    );
                }
                lmz::ScoredModel::open(&store, Some(given.as_os_str()))?.weights
            }
            None => Arc::new(model.prepared().clone()),
        };
        let scorer = lmz::FloatScorer::open(weights, Default::default())?;
        self.notice = scorer.notice().map(str::to_owned);
        let engine = scorer.description();
        self.open = Some((header.model_id, Box::new(scorer), engine.clone()));
        Ok(Asked::Yes(engine))
    }

    #[cfg(not(feature = "float"))]
    fn open(&mut self, _: &lmz::Header, _: &dyn ModelSource) -> Result<Asked> {
        bail!("no float engine is built into this lmz")
    }

    /// What the engine's choice of a device should be known for; once.
    pub fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// The engine that was found.
    pub fn scorer(&mut self, asked: &Asked) -> Option<&mut dyn Scorer> {
        let (_, scorer, _) = self.open.as_mut().filter(|_| asked.is_there())?;
        Some(&mut **scorer)
    }
}

//! How long a text will take, told before the work begins.

use std::fs::File;
use std::io::Read;

use lmz::format::Header;
use lmz::{CodecError, CompressOptions, Forecast, Model, ModelSource};

use crate::io::input::Input;
use crate::terminal::progress::Progress;

/// Bytes of a text that are looked at.
const SAMPLE: u64 = 8 << 10;
/// Multiply-adds from which on a trial of the model is worth its second: half a minute's work of two cores.
const LARGE: f64 = 2e12;
/// Bytes of text that a token stands for, about.
const TEXT_PER_TOKEN: f64 = 4.0;
/// What a text to be restored is taken for: it is not known yet.
const ENGLISH: &str = "It is not known what the text says before it is restored, so it is taken for English prose of the usual kind, \
    in which a word has some five letters, a sentence some twenty words, and a paragraph a few sentences. That is wrong for programs and for \
    tables, whose tokens are shorter, and for long repetitions, whose tokens are longer; but seldom by more than a third.\n";

/// Foretells the compressing of a file.
pub fn compressing(progress: &Progress, input: &Input, model: &Model, options: &CompressOptions) {
    let Some(len) = large(progress, model) else {
        return;
    };
    let mut sample = Vec::new();
    let read = input.path.as_ref().and_then(|path| {
        let file = File::open(path).ok()?;
        file.take(SAMPLE).read_to_end(&mut sample).ok()
    });
    // What is no text does not go through the model.
    if read.is_none() || whole_text(&sample).is_none() {
        return;
    }
    // An error is the work's to tell.
    if let Ok(Some(forecast)) = Forecast::of(model, &sample, len, options) {
        let checked = if options.verify {
            forecast.checking
        } else {
            0.0
        };
        progress.foretell(forecast.encoding + checked);
    }
}

/// The text of a file's first bytes, without a character that is cut in two.
fn whole_text(sample: &[u8]) -> Option<&str> {
    match std::str::from_utf8(sample) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// How many bytes there are, if they are worth a trial and somebody wants to know.
fn large(progress: &Progress, model: &Model) -> Option<u64> {
    let len = progress.untold()?;
    let work = len as f64 / TEXT_PER_TOKEN * model.engine().multiply_adds() as f64;
    (work >= LARGE).then_some(len)
}

/// Models whose time to restore a file is foretold when they are found.
pub struct Foretelling<'a, S> {
    pub models: &'a S,
    pub progress: &'a Progress,
    pub threads: usize,
}

impl<S: ModelSource> ModelSource for Foretelling<'_, S> {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let model = self.models.find(header)?;
        if let Some(len) = large(self.progress, &model) {
            let options = CompressOptions {
                context: Some(header.context.context),
                overlap: Some(header.context.overlap),
                threads: self.threads,
                ..CompressOptions::default()
            };
            let sample = ENGLISH.as_bytes();
            if let Ok(Some(forecast)) = Forecast::of(&model, sample, len, &options) {
                self.progress.foretell(forecast.decoding);
            }
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_end_inside_of_a_character() {
        assert_eq!(whole_text("na\u{ef}ve".as_bytes()), Some("na\u{ef}ve"));
        assert_eq!(whole_text(&"na\u{ef}".as_bytes()[..3]), Some("na"));
        assert_eq!(whole_text(b"a\xff\x00b"), None);
    }
}

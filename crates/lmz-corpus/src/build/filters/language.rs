//! The language of a text.

use whatlang::Lang;

use super::super::counts::Counts;

/// How much of a text is looked at, in bytes: from its beginning, and from its middle.
const SAMPLE: usize = 640;

/// ISO 639-1 codes of languages by their 639-3 codes, as far as the identifier knows them.
const CODES: [(&str, &str); 70] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

/// The language of a text (ISO 639-1) and how sure that is, from 0 to 1; `None` for a text without words.
///
/// Looked at are 640 bytes from the beginning and 640 from the middle.
pub fn identify(text: &str) -> Option<(&'static str, f64)> {
    let info = if text.len() <= 2 * SAMPLE {
        whatlang::detect(text)
    } else {
        let first = &text[..text.floor_char_boundary(SAMPLE)];
        let middle = text.floor_char_boundary(text.len() / 2);
        let last = text.floor_char_boundary((middle + SAMPLE).min(text.len()));
        whatlang::detect(&format!("{first}\n{}", &text[middle..last]))
    }?;
    Some((code(info.lang()), info.confidence()))
}

fn code(lang: Lang) -> &'static str {
    let three = lang.code();
    let found = CODES.binary_search_by_key(&three, |(three, _)| three);
    found.map_or(three, |at| CODES[at].1)
}

/// The name of a language by its code, if the identifier knows it.
pub fn language_name(code: &str) -> Option<&'static str> {
    let three = CODES.iter().find(|(_, two)| *two == code)?.0;
    Lang::from_code(three).map(|lang| lang.eng_name())
}

/// Keeps texts in one of several languages.
#[derive(Clone, Debug, Default)]
pub struct LanguageFilter {
    /// Codes of the languages that are kept; all, if there are none.
    pub languages: Vec<String>,
    /// How sure it must be, from 0 to 1.
    pub confidence: f64,
}

impl LanguageFilter {
    /// The language of a text that is kept.
    pub fn keep(&self, text: &str, counts: &mut Counts) -> Option<&'static str> {
        let Some((code, confidence)) = identify(text) else {
            counts.one("dropped: no language");
            return None;
        };
        if confidence < self.confidence {
            counts.one("dropped: unsure language");
            return None;
        }
        if !self.languages.is_empty() && !self.languages.iter().any(|wanted| wanted == code) {
            counts.one("dropped: other language");
            return None;
        }
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_code() {
        assert!(CODES.is_sorted());
        for lang in Lang::all() {
            assert_eq!(code(*lang).len(), 2, "{lang:?}");
            assert_eq!(language_name(code(*lang)), Some(lang.eng_name()));
        }
        assert_eq!(language_name("xx"), None);
    }

    #[test]
    fn long_texts_are_sampled_at_whole_characters() {
        let text =
            "Всі люди народжуються вільними і рівними у своїй гідності та правах. ".repeat(200);
        for cut in 0..8 {
            let text = format!("{}{text}", "х".repeat(cut));
            assert_eq!(identify(&text).unwrap().0, "uk");
        }
        assert_eq!(identify(" 12 -- "), None);
    }
}

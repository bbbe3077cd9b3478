//! Arguments of a source to the source.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lmz_corpus::CorpusError;
use lmz_corpus::build::filters::{
    CodeFilter, CodeLanguage, LanguageFilter, ProseFilter, language_name,
};
use lmz_corpus::build::sources::arxiv::{Bulk, Papers, Wanted};
use lmz_corpus::build::sources::folder::Folder;
use lmz_corpus::build::sources::repository::{Known, Repositories};
use lmz_corpus::build::sources::warc::Crawl;
use lmz_corpus::build::sources::{Input, archive};
use lmz_corpus::build::stages::Paragraphs;
use lmz_corpus::build::text::latex::Latex;

use super::args::{ArxivArgs, CcArgs, GithubArgs, LocalArgs, MarkupName};
use super::download;
use super::progress::Progress;
use super::run::{Defaults, build, nonsense};
use super::words::in_words;
use crate::exit::Exit;
use crate::settings::Talk;
use crate::terminal::message::Failure;

/// Longest list of inputs, in bytes.
const MAX_LIST: u64 = 256 << 20;

fn inputs<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<Input>, Failure> {
    let found = paths.into_iter().map(|path| Input::at(path));
    found.collect::<Result<_, _>>().map_err(in_words)
}

/// The lines of a list that are not empty and do not begin with `#`.
fn list(path: &Path) -> Result<Vec<String>, Failure> {
    let io = |error| {
        in_words(CorpusError::Io {
            path: path.to_owned(),
            error,
        })
    };
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > MAX_LIST {
        return Err(in_words(CorpusError::Refused(format!(
            "{}: too long for a list",
            path.display()
        ))));
    }
    let text = std::fs::read(path).map_err(io)?;
    let Ok(text) = String::from_utf8(text) else {
        return Err(in_words(CorpusError::Refused(format!(
            "{}: a list of paths is text",
            path.display()
        ))));
    };
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(ToOwned::to_owned).collect())
}

fn languages(codes: &[String], confidence: f64) -> LanguageFilter {
    if !(0.0..=1.0).contains(&confidence) {
        nonsense("--confidence is from 0 to 1");
    }
    if codes.iter().any(|code| code == "all") {
        return LanguageFilter {
            languages: Vec::new(),
            confidence,
        };
    }
    if let Some(unknown) = codes.iter().find(|code| language_name(code).is_none()) {
        nonsense(format!(
            "{unknown:?} is no language that can be told: two letters, as en, de, zh, or all"
        ));
    }
    LanguageFilter {
        languages: codes.to_vec(),
        confidence,
    }
}

/// `lmz corpus cc`
pub fn cc(args: CcArgs) -> Result<Exit, Failure> {
    let progress = Progress::new(Talk::resolve(args.build.talk));
    let language = languages(&args.language, args.confidence);
    let mut paths = args.wet.clone();
    if let Some(path) = &args.list {
        paths.extend(list(path)?.into_iter().map(PathBuf::from));
    }
    if let Some(dump) = &args.dump {
        let seed = args.build.seed;
        paths.extend(
            download::wet(
                &args.base,
                dump,
                args.files,
                seed,
                &args.downloads,
                &progress,
            )
            .map_err(in_words)?,
        );
    }
    let source = Crawl {
        inputs: inputs(&paths)?,
        language,
        prose: ProseFilter {
            min_characters: args.min_length,
            boilerplate: !args.keep_boilerplate,
            ..ProseFilter::default()
        },
        after: args.after,
        before: args.before,
    };
    let defaults = Defaults {
        near: None,
        near_words: 5,
        paragraphs: Paragraphs::Drop,
        min_characters: args.min_length,
    };
    build(&source, args.build, &defaults, progress)
}

/// `lmz corpus github`
pub fn github(args: GithubArgs) -> Result<Exit, Failure> {
    let progress = Progress::new(Talk::resolve(args.build.talk));
    let named = match (&args.search, args.language.is_empty()) {
        (Some(query), true) => language_of(query)
            .map(|name| vec![name])
            .unwrap_or_else(|| vec!["python".into()]),
        (None, true) => vec!["python".into()],
        _ => args.language.clone(),
    };
    let languages = named.iter().map(|name| {
        CodeLanguage::named(name).unwrap_or_else(|| {
            let all: Vec<&str> = CodeLanguage::names().collect();
            nonsense(format!("{name:?} is none of {}", all.join(", ")))
        })
    });
    let languages = languages.collect();
    let mut paths = Vec::new();
    let mut asked = Vec::new();
    for path in &args.repos {
        // One by itself, or a list of them.
        if path.is_dir() || archive::is_archive(path) {
            paths.push(path.clone());
            continue;
        }
        for line in list(path)? {
            let found = PathBuf::from(&line);
            match found.exists() || line.matches('/').count() != 1 {
                true => paths.push(found),
                false => asked.push(line),
            }
        }
    }
    let mut known = BTreeMap::<String, Known>::new();
    if args.search.is_some() || !asked.is_empty() {
        let found = download::repositories(
            args.search.as_deref(),
            args.most,
            &asked,
            &args.downloads,
            &progress,
        );
        for (path, about) in found.map_err(in_words)? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            known.insert(name, about);
            paths.push(path);
        }
    }
    let source = Repositories {
        inputs: inputs(&paths)?,
        known,
        languages,
        code: CodeFilter::default(),
        licences: args.licence.clone(),
        after: args.after,
    };
    let defaults = Defaults {
        near: Some(0.85),
        near_words: 1,
        paragraphs: Paragraphs::Keep,
        min_characters: 1,
    };
    build(&source, args.build, &defaults, progress)
}

/// The language that a query asks for.
fn language_of(query: &str) -> Option<String> {
    let term = query
        .split_whitespace()
        .find_map(|term| term.strip_prefix("language:"))?;
    Some(term.trim_matches('"').to_owned())
}

fn latex(markup: MarkupName) -> Result<Option<Latex>, Failure> {
    Ok(match markup {
        MarkupName::Tex => None,
        MarkupName::Builtin => Some(Latex::default()),
        MarkupName::Auto => Some(Latex::with_pandoc().unwrap_or_default()),
        MarkupName::Pandoc => match Latex::with_pandoc() {
            Some(latex) => Some(latex),
            None => {
                let reason = "pandoc is not installed: install it, or take --markup builtin";
                return Err(in_words(CorpusError::Refused(reason.into())));
            }
        },
    })
}

/// `lmz corpus arxiv`
pub fn arxiv(args: ArxivArgs) -> Result<Exit, Failure> {
    let progress = Progress::new(Talk::resolve(args.build.talk));
    let wanted = Wanted {
        category: args.category.clone(),
        after: args.after,
        before: args.before,
    };
    let source = Bulk {
        inputs: inputs(&args.tar)?,
        papers: Papers::read(&args.metadata, &wanted).map_err(in_words)?,
        wanted,
        latex: latex(args.markup)?,
        prose: ProseFilter {
            min_characters: args.min_length,
            min_alphanumeric: 0.25,
            ..ProseFilter::default()
        },
    };
    let defaults = Defaults {
        near: None,
        near_words: 5,
        paragraphs: Paragraphs::Keep,
        min_characters: 1,
    };
    build(&source, args.build, &defaults, progress)
}

/// `lmz corpus local`
pub fn local(args: LocalArgs) -> Result<Exit, Failure> {
    let progress = Progress::new(Talk::resolve(args.build.talk));
    let prose = (args.clean || args.min_length > 1).then_some(ProseFilter {
        min_characters: args.min_length,
        min_alphanumeric: if args.clean { 0.5 } else { 0.0 },
        max_line: if args.clean { 100_000 } else { u64::MAX },
        boilerplate: args.clean,
    });
    let source = Folder {
        inputs: inputs(&args.paths)?,
        subset: args.subset.clone(),
        prose,
        code: args.clean_code.then(CodeFilter::default),
        language: (!args.language.is_empty()).then(|| languages(&args.language, 0.0)),
        after: args.after,
        latex: latex(args.markup)?,
        pdf: Folder::pdf_tool(),
    };
    let defaults = Defaults {
        near: None,
        near_words: 5,
        paragraphs: Paragraphs::Keep,
        min_characters: args.min_length,
    };
    build(&source, args.build, &defaults, progress)
}

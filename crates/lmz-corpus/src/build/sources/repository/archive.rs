//! A tarball of a repository, as GitHub gives it: one folder at the top, the commit in a comment.

use std::fs::File;
use std::path::Path;

use super::super::super::counts::Counts;
use super::super::archive::{Member, Walk, unpacked, walk};
use super::licence::{is_licence, licence_of};
use crate::error::{CorpusError, Result};

/// What a tarball says of itself.
#[derive(Clone, Debug, Default)]
pub struct Label {
    pub commit: Option<String>,
    pub licence: Option<&'static str>,
}

/// A path without the folder that everything in a tarball is in.
pub fn below_top(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, rest)| rest)
}

fn open(
    path: &Path,
    counts: &mut Counts,
    comment: &mut dyn FnMut(&str),
    each: &mut dyn FnMut(Member<'_>, &mut Counts) -> Result<Walk>,
) -> Result<()> {
    let io = CorpusError::io(path);
    let stream = unpacked(File::open(path).map_err(&io)?).map_err(&io)?;
    walk(stream, counts, comment, each)
}

/// The commit and the licence, in a first pass: the licence may come after what it is for.
///
/// # Errors
/// The file cannot be read.
pub fn label(path: &Path) -> Result<Label> {
    let mut label = Label::default();
    let mut licence = None;
    let mut commit = None;
    // What is broken is counted by the second pass.
    open(
        path,
        &mut Counts::default(),
        &mut |comment| commit = Some(comment.trim().to_owned()),
        &mut |member, _| {
            if is_licence(below_top(&member.path))
                && let Ok(Some(bytes)) = member.read(1 << 20)
            {
                licence = licence.or(licence_of(&bytes));
            }
            Ok(Walk::On)
        },
    )?;
    label.licence = licence;
    label.commit =
        commit.filter(|commit| commit.len() >= 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()));
    Ok(label)
}

/// All files, in the archive's order.
///
/// # Errors
/// The file cannot be read; those of `each`.
pub fn files(
    path: &Path,
    counts: &mut Counts,
    each: &mut dyn FnMut(Member<'_>, &mut Counts) -> Result<Walk>,
) -> Result<()> {
    open(path, counts, &mut |_| {}, each)
}

//! Manual pages: clap's parts, and texts whose examples keep their lines.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

/// Longer lines are prose, even indented ones: a terminal could not show them as they are.
const LONGEST: usize = 90;

/// The page of a command, which has been built.
///
/// # Errors
/// Those of `out`.
pub fn page(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    // What a short help leaves out is told here, as by the long one.
    let command = command.clone().mut_args(|arg| arg.hide_short_help(false));
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    let verbs = command.get_subcommands().next().is_some();
    let version = command.get_version().is_some();
    let man = Man::new(command);
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    writeln!(out, ".SH DESCRIPTION")?;
    text(&about, out)?;
    man.render_options_section(out)?;
    if verbs {
        man.render_subcommands_section(out)?;
    }
    if !after.is_empty() {
        if heading(after.lines().next().unwrap_or_default()).is_none() {
            writeln!(out, ".SH NOTES")?;
        }
        text(&after, out)?;
    }
    if version {
        man.render_version_section(out)?;
    }
    Ok(())
}

/// The pages of a command and of all below it, as files.
///
/// # Errors
/// Those of the operating system.
pub fn pages(command: &Command, directory: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        pages(below, directory)?;
    }
    let mut bytes = Vec::new();
    page(command, &mut bytes)?;
    let name = Man::new(command.clone()).get_filename();
    fs::write(directory.join(name), bytes)
}

/// `Examples:` alone on a line.
fn heading(line: &str) -> Option<&str> {
    let name = line.strip_suffix(':')?;
    let plain = |c: char| c.is_alphabetic() || c == ' ';
    (line.len() < 30 && name.starts_with(char::is_uppercase) && name.chars().all(plain))
        .then_some(name)
}

/// Text as roff: headings, paragraphs, and indented lines that stay lines.
fn text(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut kept = false;
    for line in text.lines() {
        let keep = line.starts_with("  ") && line.len() <= LONGEST;
        match (keep, kept) {
            (true, false) => writeln!(out, ".PP\n.nf")?,
            (false, true) => writeln!(out, ".fi")?,
            _ => {}
        }
        kept = keep;
        match heading(line) {
            Some(name) => writeln!(out, ".SH {}", name.to_uppercase())?,
            None if line.trim().is_empty() => writeln!(out, ".PP")?,
            None if keep => writeln!(out, "{}", escaped(line))?,
            None => writeln!(out, "{}", escaped(line.trim_start()))?,
        }
    }
    if kept {
        writeln!(out, ".fi")?;
    }
    Ok(())
}

/// A line in which nothing is a command of roff.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines() {
        let mut out = Vec::new();
        let told = "Says what.\n\nExamples:\n  lmz a-b\n  lmz -d\nBehind.\n.dot";
        text(told, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Says what.\n.PP\n.SH EXAMPLES\n.PP\n.nf\n  lmz a\\-b\n  lmz \\-d\n.fi\nBehind.\n\\&.dot\n"
        );
    }
}

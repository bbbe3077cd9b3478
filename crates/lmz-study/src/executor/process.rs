//! Running a scheduler's commands.

use std::process::{Command, Stdio};

use crate::error::{Result, StudyError};

/// What a program prints, if it ends well.
pub(super) fn output(program: &str, arguments: &[String]) -> Result<String> {
    let failed = |reason: String| StudyError::Executor {
        program: program.into(),
        reason,
    };
    let ran = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("cannot be run ({error}): is it installed here?")))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
        return Err(failed(format!("{}: {said}", ran.status)));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// A word as a POSIX shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_survive_a_shell() {
        for word in [
            "plain",
            "",
            "two words",
            "it's",
            "$HOME `x` \"y\" \\ ;",
            "a\nb",
        ] {
            let script = format!("printf %s {}", quoted(word));
            let found = output("sh", &["-c".into(), script]).unwrap();
            assert_eq!(found, word);
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = output("no-such-scheduler", &[]).unwrap_err().to_string();
        assert!(
            error.contains("no-such-scheduler") && error.contains("installed"),
            "{error}"
        );
    }
}

//! The Python that programs are run by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python outside of the sandbox, and what of it must be seen inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Python {
    /// The program itself.
    pub executable: PathBuf,
    /// Directories that it needs beyond /usr.
    pub directories: Vec<PathBuf>,
}

const QUESTION: &str = "import os, sys
# That of a virtual environment is a link, and only by its own name it has the environment's modules.
own = sys.prefix != sys.base_prefix
directory, name = os.path.split(sys.executable)
print(os.path.join(os.path.realpath(directory), name) if own else os.path.realpath(sys.executable))
for path in {sys.prefix, sys.base_prefix, sys.exec_prefix}:
    print(os.path.realpath(path))
";

impl Python {
    /// Asks a Python where it is: the name that PATH finds may be a script.
    pub fn ask(program: &Path) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["-I", "-c", QUESTION]).stdin(Stdio::null());
        let output = command.output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().map(PathBuf::from);
        let executable = match (output.status.success(), lines.next()) {
            (true, Some(executable)) => executable,
            _ => return Err(format!("{} does not say where it is", program.display())),
        };
        let beyond = lines.filter(|path| {
            // A prefix of / or /home would show everything.
            !path.starts_with("/usr") && path.components().count() > 2
        });
        let mut directories: Vec<PathBuf> = beyond.collect();
        directories.sort();
        directories.dedup();
        Ok(Self {
            executable,
            directories,
        })
    }
}

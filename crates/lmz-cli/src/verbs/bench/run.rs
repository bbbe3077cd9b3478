//! All compressors on all files, one after the other.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use lmz::bench::{Measurement, Method, Setup, measure};
use lmz::figures::show;
use lmz::placement::Task;
use lmz::{Isa, Observer};
use serde::Serialize;

use super::args::BenchArgs;
use super::sums::Compared;
use super::{plot, table};
use crate::exit::Exit;
use crate::io::source::Source;
use crate::io::system::describe;
use crate::settings::{RunSettings, Talk};
use crate::terminal::message::{Failure, say};
use crate::terminal::signal;
use crate::terminal::visible::{self, Visible};
use crate::verb::{Entry, Verb, definition_of};

/// What `--json` prints.
#[derive(Serialize)]
struct Bench<'a> {
    lmz: &'static str,
    processor: String,
    threads: usize,
    files: &'a [Compared],
}

impl Verb for BenchArgs {
    const NAME: &'static str = "bench";

    /// Compares: whether every program restored every file.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let settings = RunSettings::resolve(self.run.clone(), true);
        let settings = settings.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        match (self.measure, self.at.and_then(|at| self.files.get(at))) {
            (Some(method), Some(file)) => measure_one(method, file, &settings),
            _ => compare_all(&self, settings.talk),
        }
    }
}

/// Says what a device has to say.
struct Aloud;

impl Observer for Aloud {
    fn notice(&self, text: &str) {
        say(&format!("lmz: warning: {text}"));
    }
}

/// What a child does: a program on a file, and the measurement as JSON on standard output.
fn measure_one(method: Method, file: &Path, settings: &RunSettings) -> Result<Exit, Failure> {
    let prime = settings.read_prime()?;
    let raw = fs::read(file).map_err(describe)?;
    let options = settings.compress_options(prime);
    let plan = options.plan;
    let models = settings.models(
        &[Source::File(file.to_owned())],
        Task::Compress { verify: true, plan },
    );
    let setup = Setup {
        models: &models,
        options: &options,
        device: settings.wanted.device,
    };
    let measured = measure(method, &raw, setup, &Aloud).map_err(anyhow::Error::from)?;
    visible::print_json(&measured).map_err(Failure::stdout)?;
    Ok(Exit::Success)
}

fn compare_all(args: &BenchArgs, talk: Talk) -> Result<Exit, Failure> {
    if let Some(path) = &args.plot {
        check_place(path)?;
    }
    let methods: Vec<Method> = match &args.only[..] {
        [] => Method::ALL.to_vec(),
        some => Method::ALL
            .into_iter()
            .filter(|m| some.contains(m))
            .collect(),
    };
    let mut ok = true;
    let mut all = Vec::new();
    for at in 0..args.files.len() {
        let file = &args.files[at];
        let done = compare(file, at, &methods, talk.progress);
        signal::end_if_interrupted();
        let compared = match done {
            Ok(compared) => compared,
            Err(error) => {
                ok = false;
                Failure::File(error).print(&show(file));
                continue;
            }
        };
        if !args.json && !args.markdown {
            print(|out| table::file(&compared, out)).map_err(Failure::stdout)?;
        }
        all.push(compared);
    }
    if args.json {
        let bench = Bench {
            lmz: env!("CARGO_PKG_VERSION"),
            processor: processor(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            files: &all,
        };
        visible::print_json(&bench).map_err(Failure::stdout)?;
    } else if args.markdown {
        print(|out| table::markdown(&all, out)).map_err(Failure::stdout)?;
    } else if all.len() > 1 {
        print(|out| table::total(&all, out)).map_err(Failure::stdout)?;
    }
    if let Some(path) = &args.plot
        && !all.is_empty()
    {
        plot::draw(&all, &processor(), path)?;
    }
    Ok(Exit::of(ok))
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = Visible(io::BufWriter::new(io::stdout().lock()));
    write(&mut out)?;
    out.flush()
}

/// Minutes of work are not to end with a directory that is not there.
fn check_place(path: &Path) -> Result<()> {
    if path
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("svg"))
    {
        bail!(
            "{}: the plot is an SVG: give a name that ends in .svg",
            show(path)
        );
    }
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        bail!("{}: the directory is not there", show(path));
    }
    Ok(())
}

fn compare(file: &Path, at: usize, methods: &[Method], shown: bool) -> Result<Compared> {
    let meta = fs::metadata(file).map_err(describe)?;
    if !meta.is_file() {
        bail!("not a regular file");
    }
    let mut results: Vec<Measurement> = Vec::new();
    for &method in methods {
        if shown {
            say(&format!("{}: {} ...", show(file), method.name()));
        }
        let measured =
            in_child(method, at).with_context(|| format!("{} was not measured", method.name()))?;
        if results.iter().any(|other| other.sha256 != measured.sha256) {
            bail!("the file changes while it is measured");
        }
        results.push(measured);
        signal::end_if_interrupted();
    }
    let first = results
        .first()
        .ok_or_else(|| anyhow!("no program was asked for"))?;
    Ok(Compared {
        file: show(file),
        raw_bytes: first.raw_bytes,
        sha256: first.sha256.clone(),
        results,
    })
}

/// Measures a program on the file at a place of the command line, in a process of its own: it gets the same
/// arguments as this one.
fn in_child(method: Method, at: usize) -> Result<Measurement> {
    let program = env::current_exe().map_err(describe)?;
    let output = Command::new(program)
        .args(["bench", "--measure", method.name(), "--at", &at.to_string()])
        .args(env::args_os().skip(2))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(describe)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("lmz: ");
        bail!(
            "{}",
            if said.is_empty() {
                "its process was killed"
            } else {
                said
            }
        );
    }
    // Why a device was not used, say.
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        say(line);
    }
    serde_json::from_slice(&output.stdout).context("the measuring process printed something else")
}

/// The processor's name and what of it lmz uses.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or(env::consts::ARCH, |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let best = Isa::available().last().map_or("scalar", |isa| isa.name());
    format!("{name}, {best}")
}

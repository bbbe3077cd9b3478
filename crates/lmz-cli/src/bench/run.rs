//! All compressors on all files, one after the other.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use lmz::Isa;
use serde::Serialize;

use super::args::BenchArgs;
use super::measure::{Measurement, measure, parse};
use super::method::Method;
use super::{plot, table};
use crate::message::{Failure, say};
use crate::names::show;
use crate::signal;
use crate::traced::stdout;

/// What `--json` prints.
#[derive(Serialize)]
struct Bench<'a> {
    lmz: &'static str,
    processor: String,
    threads: usize,
    files: &'a [Compared],
}

/// One file's measurements.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub file: String,
    pub raw_bytes: u64,
    pub sha256: String,
    pub results: Vec<Measurement>,
}

/// Compares; says whether every program restored every file.
///
/// # Errors
/// Nothing can be run, or standard output or the plot cannot be written.
pub fn run(args: &BenchArgs) -> Result<bool, Failure> {
    let mut settings = match args.common.settings(&args.files) {
        Ok(settings) => settings,
        Err(usage) => usage.exit(),
    };
    settings.read_prime()?;
    if let (Some(method), [file]) = (args.measure, &args.files[..]) {
        let measured = measure(method, file, &settings)?;
        let mut out = io::stdout().lock();
        let done = serde_json::to_writer(&mut out, &measured).map_err(io::Error::from);
        return stdout(done).map(|()| true);
    }
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
    for file in &args.files {
        let done = compare(file, &methods, args, settings.progress);
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
            stdout(print(|out| table::file(&compared, out)))?;
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
        stdout(print(|out| {
            serde_json::to_writer_pretty(&mut *out, &bench)?;
            writeln!(out)
        }))?;
    } else if args.markdown {
        stdout(print(|out| table::markdown(&all, out)))?;
    } else if all.len() > 1 {
        stdout(print(|out| table::total(&all, out)))?;
    }
    if let Some(path) = &args.plot
        && !all.is_empty()
    {
        plot::draw(&all, &processor(), path)?;
    }
    Ok(ok)
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
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

fn compare(file: &Path, methods: &[Method], args: &BenchArgs, shown: bool) -> Result<Compared> {
    let meta = fs::metadata(file).map_err(crate::input::describe)?;
    if !meta.is_file() {
        bail!("not a regular file");
    }
    let mut results: Vec<Measurement> = Vec::new();
    for &method in methods {
        if shown {
            say(&format!("{}: {} ...", show(file), method.name()));
        }
        let measured = in_child(method, file, args)
            .with_context(|| format!("{} was not measured", method.name()))?;
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

fn in_child(method: Method, file: &Path, args: &BenchArgs) -> Result<Measurement> {
    let program = env::current_exe().map_err(crate::input::describe)?;
    let mut command = Command::new(program);
    command.args(["bench", "--measure", method.name()]);
    if let Some(model) = &args.common.model {
        command.args([OsString::from("--model"), model.clone()]);
    }
    if let Some(prime) = &args.common.prime {
        command.args([OsString::from("--prime"), prime.clone().into_os_string()]);
    }
    if let Some(threads) = args.common.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    if let Some(device) = args.common.device {
        command.args(["--device", &device.to_string()]);
    }
    if let Some(memory) = args.common.memory {
        command.args(["--memory", &memory.to_string()]);
    }
    let output = command
        .arg("--")
        .arg(file)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(crate::input::describe)?;
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
    parse(&output.stdout)
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

//! From the arguments to the result.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::CommandFactory;
use clap::error::ErrorKind;
use lmz::float::{Device, Dtype, ScoringOptions};
use lmz::metric::{
    Batches, Census, CorpusIdentity, CorpusOptions, DocumentPlanner, EngineIdentity, Identity,
    Journal, MetricError, Outcome, PaperPlanner, Plan, Protocol, ProtocolIdentity, Report,
    ReportFacts, RunHeader, Watch, read_corpus,
};
use lmz::{CompressOptions, FloatScorer, ModelStore, ScoredModel, SegmentPlan};

use super::args::BpcArgs;
use super::progress::Progress;
use super::sizes::sizes;
use crate::message::{Failure, say};
use crate::names::show;

/// Scores a corpus and prints the result.
pub fn run(args: &BpcArgs) -> Result<bool, Failure> {
    let (device, dtype) = match (args.device.parse::<Device>(), args.dtype.parse::<Dtype>()) {
        (Ok(device), Ok(dtype)) => (device, dtype),
        (Err(error), _) => usage(&error.to_string()),
        (_, Err(error)) => usage(&error.to_string()),
    };
    if args.protocol == super::args::ProtocolName::Stream && args.stride.is_some() {
        usage("--stride has no meaning with --protocol stream");
    }
    let options = ScoringOptions {
        device,
        dtype,
        memory_budget: args.memory_budget,
        spill_budget: args.spill_budget,
        spill_dir: args.out.clone(),
        batch: args.batch.map(|batch| batch as usize),
    };
    let report = score(args, options).map_err(|error| Failure::Fatal(in_words(error)))?;
    let text = match args.json {
        true => format!("{}\n", report.to_json()),
        false => report.to_table(),
    };
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.map_err(Failure::stdout)?;
    Ok(true)
}

fn usage(message: &str) -> ! {
    BpcArgs::command()
        .bin_name("lmz bpc")
        .error(ErrorKind::ValueValidation, message)
        .exit()
}

/// Errors of the operating system in the words that they have everywhere else.
fn in_words(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<MetricError>() {
        Ok(MetricError::Io { path, error }) => crate::input::describe(error).context(show(&path)),
        Ok(other) => other.into(),
        Err(error) => error,
    }
}

fn score(args: &BpcArgs, options: ScoringOptions) -> Result<Report> {
    let start = Instant::now();
    let visible = !args.quiet && io::stderr().is_terminal();
    let model = ScoredModel::open(&ModelStore::from_env(), args.model.as_deref())?;
    let planned = plan(args, &model, visible)?;
    let (plan, census) = (&planned.plan, planned.census);
    if census.documents == 0 {
        let why = match census.skipped.reasons() {
            reasons if reasons.is_empty() => "it is empty".into(),
            reasons => format!("left out: {}", reasons.join(", ")),
        };
        return Err(anyhow!("{}: no documents ({why})", show(&args.corpus)));
    }
    let vocabulary = model.blueprint().vocab_size;
    if plan
        .largest_token()
        .is_some_and(|id| id as usize >= vocabulary)
    {
        return Err(anyhow!(
            "the tokenizer gives ids that the model, with a vocabulary of {vocabulary}, does not have"
        ));
    }
    let dtype = options.dtype;
    if let Some(directory) = &args.out {
        // The engine may want to spill into it.
        std::fs::create_dir_all(directory).with_context(|| show(directory))?;
    }
    let mut scorer = FloatScorer::open(model.weights.clone(), options)?;
    let mut notes = planned.notes;
    notes.extend(scorer.notice().map(str::to_owned));
    if !args.quiet {
        for note in &notes {
            say(&format!("lmz: {note}"));
        }
    }
    let identity = Identity {
        lmz: env!("CARGO_PKG_VERSION").into(),
        model: model.identity.clone(),
        corpus: CorpusIdentity::from(&census),
        protocol: planned.protocol,
        engine: EngineIdentity {
            device: scorer.description().replacen(&format!(", {dtype}"), "", 1),
            dtype: dtype.to_string(),
        },
    };
    let outcome = work(args, plan, &identity, &mut scorer, visible)?;
    let facts = ReportFacts {
        identity,
        model_name: model.name,
        corpus_path: show(&args.corpus),
        census,
        elapsed_seconds: start.elapsed().as_secs_f64(),
        notes,
    };
    let report = Report::new(plan, &outcome, facts);
    if let Some(directory) = &args.out {
        report.write(directory)?;
    }
    Ok(report)
}

/// Sends the windows through the engine, with a journal if there is a place for it.
fn work(
    args: &BpcArgs,
    plan: &Plan,
    identity: &Identity,
    scorer: &mut FloatScorer,
    visible: bool,
) -> Result<Outcome> {
    let mut batches = Batches::for_scorer(plan, scorer);
    let mut journal = None;
    if let Some(directory) = &args.out {
        let header = RunHeader::new(identity.clone(), plan.hash(), batches.sizes());
        let opened = Journal::open(directory, &header, args.resume)?;
        batches = Batches::of_sizes(plan, opened.batches())
            .ok_or_else(|| anyhow!("{}: the journal's batches do not fit", show(directory)))?;
        journal = Some(opened);
    }
    let progress = Progress::scoring(visible, plan.work());
    let outcome = lmz::metric::run(plan, &batches, scorer, journal.as_mut(), &progress);
    drop(progress);
    match (&outcome, &args.out) {
        (Err(MetricError::Cancelled), Some(_)) => {
            Err(anyhow!("cancelled; the same command with --resume goes on"))
        }
        _ => Ok(outcome?),
    }
}

/// What is to be scored.
struct Planned {
    plan: Plan,
    census: Census,
    protocol: ProtocolIdentity,
    notes: Vec<String>,
}

fn plan(args: &BpcArgs, model: &ScoredModel, visible: bool) -> Result<Planned> {
    let options = CorpusOptions {
        field: args.field.clone(),
        limit: args.limit,
    };
    let progress = Progress::reading(visible);
    let read = |each: &mut dyn FnMut(&str) -> lmz::metric::Result<()>| {
        read_corpus(&args.corpus, &options, &mut |text| {
            if progress.cancelled() {
                return Err(MetricError::Cancelled);
            }
            progress.document();
            each(text)
        })
    };
    let name = Protocol::from(args.protocol);
    if name == Protocol::Stream {
        return stream(args, model, read);
    }
    let (sliding, notes) = sizes(args, model.blueprint())?;
    let (plan, census) = if name == Protocol::Paper {
        let mut planner = PaperPlanner::new(sliding);
        let census = read(&mut |text| {
            planner.push(text, &model.tokenizer.encode(text)?);
            Ok(())
        })?;
        (planner.finish(), census)
    } else {
        let mut planner = DocumentPlanner::new(sliding, model.blueprint().start_token);
        let census = read(&mut |text| {
            planner.push(text, &model.tokenizer.encode(text)?);
            Ok(())
        })?;
        (planner.finish(), census)
    };
    Ok(Planned {
        plan,
        census,
        protocol: ProtocolIdentity {
            name,
            window: sliding.window() as u64,
            stride: sliding.stride() as u64,
        },
        notes,
    })
}

fn stream(
    args: &BpcArgs,
    model: &ScoredModel,
    read: impl Fn(&mut dyn FnMut(&str) -> lmz::metric::Result<()>) -> lmz::metric::Result<Census>,
) -> Result<Planned> {
    let codec = model
        .codec()
        .context("--protocol stream needs a model that the codec can run")?;
    let options = CompressOptions {
        context: args.window,
        ..Default::default()
    };
    let policy = options.context_policy(&codec)?;
    let mut bytes = Vec::new();
    let census = read(&mut |text| {
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    })?;
    let stream = lmz::stream(&codec, policy, SegmentPlan::Default, &bytes)?;
    Ok(Planned {
        plan: stream.plan()?,
        census,
        protocol: ProtocolIdentity {
            name: Protocol::Stream,
            window: policy.context.into(),
            stride: (policy.context - policy.overlap).into(),
        },
        notes: Vec::new(),
    })
}

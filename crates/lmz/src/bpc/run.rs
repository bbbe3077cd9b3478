//! Scoring a corpus, from the options to the report.

use std::time::Instant;

use lmz_codec::{CompressOptions, Mix, SegmentPlan};
use lmz_float::ScoringOptions;
use lmz_float::kernels::Products;
use lmz_metric::{
    BatchSizes, Batches, Census, CorpusIdentity, DocumentPlanner, Encoded, EngineIdentity,
    Identity, Journal, MetricError, PaperPlanner, Part, Plan, Protocol, ProtocolIdentity,
    Provenance, Report, ReportFacts, RunHeader, Shard, WindowSums, read_corpus,
};

use super::mixed;
use super::options::{BpcOptions, BpcWatch};
use super::sizes::sizes;
use crate::figures::show;
use crate::scoring::{FloatScorer, ScoredModel, ScoringError, stream};
use crate::store::ModelStore;

/// Scores a corpus by a model, and writes the result where a directory is named.
///
/// # Errors
/// The model or the corpus cannot be opened, or is not fit for the protocol; the engine or a journal
/// fails; `watch` stopped it; only a part was to be scored.
pub fn bpc(options: &BpcOptions, watch: &dyn BpcWatch) -> Result<Report, ScoringError> {
    let (sums, weights) = scored(options, watch)?;
    let mut report = sums.report()?;
    report.provenance = Some(Provenance::now(weights, rayon::current_num_threads()));
    if let Some(directory) = &options.out {
        report.write(directory)?;
    }
    Ok(report)
}

/// Scores a corpus, or a part of it: what its windows cost. Written as `sums.json` where there is a
/// directory; [`WindowSums::merge`] makes a whole of parts.
///
/// # Errors
/// As [`bpc`].
pub fn bpc_sums(options: &BpcOptions, watch: &dyn BpcWatch) -> Result<WindowSums, ScoringError> {
    Ok(scored(options, watch)?.0)
}

/// What the windows cost, and how many weights the model has.
fn scored(options: &BpcOptions, watch: &dyn BpcWatch) -> Result<(WindowSums, u64), ScoringError> {
    let start = Instant::now();
    let model = ScoredModel::open(&ModelStore::from_env(), options.model.as_deref())?;
    if options.protocol == Protocol::Mixed {
        return scored_mixed(options, &model, start, watch);
    }
    let planned = plan(options, &model, watch)?;
    let (plan, census) = (&planned.plan, planned.census);
    check_documents(options, &census)?;
    let vocabulary = model.blueprint().vocab_size;
    let largest = plan.largest_token();
    if largest.is_some_and(|id| id as usize >= vocabulary) {
        return Err(ScoringError::Vocabulary(vocabulary));
    }
    // The engine may want to spill into it.
    make_directory(options)?;
    let dtype = options.dtype;
    let scoring = ScoringOptions {
        device: options.device,
        dtype,
        memory_budget: options.memory,
        spill_budget: options.spill,
        spill_dir: options.out.clone(),
        batch: options.batch,
        products: Products::Full,
    };
    let mut scorer = FloatScorer::open(model.weights.clone(), scoring)?;
    let mut notes = planned.notes;
    notes.extend(plan.tail_notice());
    notes.extend(scorer.notice().map(str::to_owned));
    for note in &notes {
        watch.note(note);
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
    let (part, batches) = work(options, plan, &identity, &mut scorer, watch)?;
    let facts = ReportFacts {
        identity,
        model_name: model.name.clone(),
        corpus_path: show(&options.corpus),
        census,
        elapsed_seconds: start.elapsed().as_secs_f64(),
        notes,
    };
    let sums = WindowSums::new(plan, &part, options.shard, batches, &facts);
    if let Some(directory) = &options.out {
        sums.write(directory)?;
    }
    Ok((sums, weights_of(&model)))
}

/// [`scored`] for [`Protocol::Mixed`]: nothing is scored, the corpus becomes a file.
fn scored_mixed(
    options: &BpcOptions,
    model: &ScoredModel,
    start: Instant,
    watch: &dyn BpcWatch,
) -> Result<(WindowSums, u64), ScoringError> {
    let mut bytes = Vec::new();
    let census = read(options, watch, &mut |text| {
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    })?;
    check_documents(options, &census)?;
    make_directory(options)?;
    let coded = mixed::code(options, model, &bytes, watch)?;
    for note in &coded.notes {
        watch.note(note);
    }
    let facts = ReportFacts {
        identity: Identity {
            lmz: env!("CARGO_PKG_VERSION").into(),
            model: model.identity.clone(),
            corpus: CorpusIdentity::from(&census),
            protocol: coded.protocol,
            engine: EngineIdentity {
                device: coded.engine,
                dtype: "integers".into(),
            },
        },
        model_name: model.name.clone(),
        corpus_path: show(&options.corpus),
        census,
        elapsed_seconds: start.elapsed().as_secs_f64(),
        notes: coded.notes,
    };
    let batches = BatchSizes(Vec::new());
    let sums = WindowSums::new(&coded.plan, &coded.part, Shard::WHOLE, batches, &facts);
    if let Some(directory) = &options.out {
        sums.write(directory)?;
    }
    Ok((sums, weights_of(model)))
}

/// Refuses a corpus without documents.
fn check_documents(options: &BpcOptions, census: &Census) -> Result<(), ScoringError> {
    if census.documents > 0 {
        return Ok(());
    }
    Err(ScoringError::NoDocuments {
        path: options.corpus.clone(),
        reason: match census.skipped.reasons() {
            reasons if reasons.is_empty() => "it is empty".into(),
            reasons => format!("left out: {}", reasons.join(", ")),
        },
    })
}

fn make_directory(options: &BpcOptions) -> Result<(), ScoringError> {
    if let Some(directory) = &options.out {
        std::fs::create_dir_all(directory).map_err(|error| MetricError::Io {
            path: directory.clone(),
            error,
        })?;
    }
    Ok(())
}

/// How many weights a model has.
fn weights_of(model: &ScoredModel) -> u64 {
    let tensors = model.blueprint().tensors();
    let of_each = tensors
        .iter()
        .map(|tensor| tensor.shape.iter().product::<usize>());
    of_each.map(|count| count as u64).sum()
}

/// Reads the corpus, document by document.
fn read(
    options: &BpcOptions,
    watch: &dyn BpcWatch,
    each: &mut dyn FnMut(&str) -> lmz_metric::Result<()>,
) -> lmz_metric::Result<Census> {
    read_corpus(&options.corpus, &options.documents, &mut |text| {
        if watch.cancelled() {
            return Err(MetricError::Cancelled);
        }
        watch.document();
        each(text)
    })
}

/// Sends the windows through the engine, with a journal if there is a place for it.
fn work(
    options: &BpcOptions,
    plan: &Plan,
    identity: &Identity,
    scorer: &mut FloatScorer,
    watch: &dyn BpcWatch,
) -> Result<(Part, BatchSizes), ScoringError> {
    let mut batches = Batches::for_scorer(plan, scorer);
    let mut journal = None;
    if let Some(directory) = &options.out {
        let mut hash = plan.hash();
        if options.shard != Shard::WHOLE {
            hash = format!("{hash}, shard {}", options.shard);
        }
        let header = RunHeader::new(identity.clone(), hash, batches.sizes());
        let opened = Journal::open(directory, &header, options.resume)?;
        batches = Batches::of_sizes(plan, opened.batches()).ok_or_else(|| {
            let path = directory.clone();
            let reason = "its batches do not fit the windows".into();
            MetricError::Journal { path, reason }
        })?;
        journal = Some(opened);
    }
    let mine = batches.shard(options.shard);
    let windows = mine.iter().flatten();
    watch.scoring(windows.map(|&w| plan.spans[w].len as u64 - 1).sum());
    let part = lmz_metric::run_part(plan, &mine, scorer, journal.as_mut(), watch)?;
    Ok((part, batches.sizes()))
}

/// What is to be scored.
struct Planned {
    plan: Plan,
    census: Census,
    protocol: ProtocolIdentity,
    notes: Vec<String>,
}

fn plan(
    options: &BpcOptions,
    model: &ScoredModel,
    watch: &dyn BpcWatch,
) -> Result<Planned, ScoringError> {
    let read = |each: &mut dyn FnMut(&str) -> lmz_metric::Result<()>| read(options, watch, each);
    let name = options.protocol;
    if name == Protocol::Stream {
        return plan_stream(options, model, read);
    }
    let (sliding, mut notes) = sizes(options.window, options.stride, model.blueprint())?;
    notes.extend(model.tokenizer.notices());
    let (plan, census) = if name == Protocol::Paper {
        let mut planner = PaperPlanner::new(sliding);
        let census = read(&mut |text| {
            planner.push(text, &encode(model, text)?);
            Ok(())
        })?;
        (planner.finish(), census)
    } else {
        let mut planner = DocumentPlanner::new(sliding, model.blueprint().start_token);
        let census = read(&mut |text| {
            planner.push(text, &encode(model, text)?);
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

/// A document's tokens; errors name the model.
fn encode(model: &ScoredModel, text: &str) -> lmz_metric::Result<Encoded> {
    model.tokenizer.encode(text).map_err(|error| match error {
        MetricError::Tokenizer(why) => {
            MetricError::Tokenizer(format!("that of the model {}: {why}", model.name))
        }
        other => other,
    })
}

fn plan_stream(
    options: &BpcOptions,
    model: &ScoredModel,
    read: impl Fn(&mut dyn FnMut(&str) -> lmz_metric::Result<()>) -> lmz_metric::Result<Census>,
) -> Result<Planned, ScoringError> {
    let codec = model.codec()?;
    let compressing = CompressOptions {
        context: options.window,
        mix: Mix::None,
        ..Default::default()
    };
    let mut bytes = Vec::new();
    let census = read(&mut |text| {
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    })?;
    let policy = compressing.context_policy(&codec, bytes.len())?;
    let stream = stream(&codec, policy, SegmentPlan::Default, &bytes)?;
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

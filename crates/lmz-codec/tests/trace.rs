//! The trace of a file against what its writer said.

mod common;

use std::io::Cursor;

use common::{alone, nano, noise, packed, restored, small, text};
use lmz_codec::trace::{BlockContext, SegmentTrace, TraceOptions, Tracer, contexts, segments};
use lmz_codec::{CodecError, CompressOptions, ErrorKind, Mix, Phase, SegmentPlan};
use lmz_coder::{Cost, Encoder};
use lmz_exact::{Cache, Run, Scratch};
use lmz_format::{Payload, SegmentKind};
use lmz_model::Symbol;

/// Of the kind that the model was made for.
const STORY: &str = "Once upon a time, there was a little girl named Lily. She loved to play with her \
    red ball in the park. One day, her mom said, \"Lily, it is time to go home.\" Lily was sad. ";

fn trace(file: &[u8], alternatives: usize) -> lmz_codec::Result<Vec<SegmentTrace>> {
    let options = TraceOptions {
        threads: 2,
        alternatives,
        ..Default::default()
    };
    let mut tracer = Tracer::open(Cursor::new(file), nano(), &options)?;
    let mut all = Vec::new();
    while let Some(batch) = tracer.next_batch(&())? {
        all.extend(batch);
    }
    Ok(all)
}

/// Text, a run that zstd keeps, noise that is stored.
fn mixed() -> Vec<u8> {
    [
        &text()[..1500],
        &[0; 600],
        &noise(500),
        "Grüße, 世界".as_bytes(),
    ]
    .concat()
}

#[test]
fn a_trace_accounts_for_the_file() {
    let (raw, options) = (mixed(), small());
    let file = packed(&raw, &options);
    let all = trace(&file, 4).unwrap();
    let together: Vec<u8> = all.iter().flat_map(|s| s.raw.clone()).collect();
    assert_eq!(together, raw);
    let mut kinds = [0; 3];
    for segment in &all {
        kinds[segment.info.kind.code() as usize - 1] += 1;
        if segment.info.kind != SegmentKind::Model {
            assert!(segment.symbols.is_empty() && segment.contexts().is_empty());
            continue;
        }
        let bytes: u32 = segment.symbols.iter().map(|s| s.raw_len).sum();
        assert_eq!(bytes, segment.info.raw_len);
        assert_eq!(Some(segment.ideal().to_q8()), segment.info.ideal_bits);
        let coded = f64::from(segment.info.coded_len) * 8.0;
        let spent = segment.spent.cost().bits();
        // Logarithms are rounded at their 24th fractional bit.
        assert!(spent >= segment.quantised().bits() - 1e-4);
        assert!(spent < segment.quantised().bits() * 1.0005 && coded < spent + 8.001);
        for (n, symbol) in segment.symbols.iter().enumerate() {
            let others = segment.alternatives(n);
            assert_eq!(others.len(), 4);
            assert!(others.windows(2).all(|pair| pair[0].ideal <= pair[1].ideal));
            assert!(symbol.quantised().bits() <= 40.0 && symbol.probability() <= 1.0);
            let Symbol::Token(token) = symbol.symbol else {
                panic!("the vocabulary is complete")
            };
            let place = others.iter().position(|other| other.token == Some(token));
            if symbol.rank <= 4 {
                assert_eq!(place, Some(symbol.rank as usize - 1));
                assert_eq!(others[symbol.rank as usize - 1].ideal, symbol.ideal);
            } else {
                assert_eq!(place, None);
                assert!(others[3].ideal <= symbol.ideal);
            }
        }
    }
    assert!(kinds.iter().all(|&n| n > 0), "{kinds:?}");
}

#[test]
fn contexts_are_the_same_with_and_without_a_file() {
    let (raw, options) = (text()[..3000].to_vec(), small());
    let policy = options.context_policy(nano(), raw.len()).unwrap();
    let traced = trace(&packed(&raw, &options), 0).unwrap();
    let ranges: Vec<_> = segments(options.plan, raw.len() as u64).collect();
    assert_eq!(ranges.len(), traced.len());
    let mut compared = 0;
    for (range, segment) in ranges.into_iter().zip(&traced) {
        if segment.info.kind != SegmentKind::Model {
            continue;
        }
        let raw = &raw[range.start as usize..range.end as usize];
        let planned: Vec<BlockContext> = contexts(nano(), policy, raw).unwrap();
        assert_eq!(planned, segment.contexts());
        for (n, block) in planned.iter().enumerate() {
            assert!(block.tokens.len() <= 25 && block.scored > 0);
            let overlap = block.tokens.len() - 1 - block.scored;
            assert_eq!(overlap, if n == 0 { 0 } else { 7 });
            if n > 0 {
                let before = &planned[n - 1].tokens;
                assert_eq!(block.tokens[1..8], before[before.len() - 7..]);
            }
        }
        compared += 1;
    }
    assert!(compared > 5);
}

#[test]
fn members_and_empty_files_pass() {
    let (a, b) = (packed(b"", &small()), packed(&text()[..500], &small()));
    let file = [&b[..], &a, &b].concat();
    let all = trace(&file, 0).unwrap();
    assert_eq!(all.iter().map(|s| s.raw.len()).sum::<usize>(), 1000);
    assert_eq!(all.last().unwrap().info.member, 2);
    assert!(trace(&a, 0).unwrap().is_empty());
}

#[test]
fn damage_is_found() {
    let file = packed(&text()[..800], &small());
    let mut found = 0;
    for at in (0..file.len()).step_by(11) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        // A damaged header is survived through the footer's copy.
        match trace(&damaged, 0) {
            Err(error) => {
                let kind = error.kind();
                assert_ne!(kind, ErrorKind::Io, "{error}");
                found += 1;
            }
            Ok(all) => assert_eq!(all.iter().flat_map(|s| &s.raw).count(), 800),
        }
    }
    assert!(found > file.len() / 30);
}

#[test]
fn progress_passes_each_byte_twice_and_can_be_stopped() {
    use std::sync::atomic::{AtomicU64, Ordering};
    #[derive(Default)]
    struct Watch([AtomicU64; 2], bool);
    impl lmz_codec::Observer for Watch {
        fn advance(&self, phase: Phase, bytes: u64) {
            self.0[usize::from(phase == Phase::Encode)].fetch_add(bytes, Ordering::Relaxed);
        }
        fn cancelled(&self) -> bool {
            self.1
        }
    }
    let file = packed(&STORY.as_bytes().repeat(3), &alone());
    let length = 3 * STORY.len() as u64;
    let run = |watch: &Watch| {
        let mut tracer = Tracer::open(Cursor::new(&file), nano(), &TraceOptions::default())?;
        while tracer.next_batch(watch)?.is_some() {}
        Ok::<_, CodecError>(())
    };
    let watch = Watch::default();
    run(&watch).unwrap();
    assert_eq!(watch.0.map(|n| n.into_inner()), [length; 2]);
    let stopped = Watch(Default::default(), true);
    assert!(matches!(run(&stopped), Err(CodecError::Cancelled)));
}

/// A file whose writer spelled a token out, byte by byte: it restores, but its trace would be wrong.
#[test]
fn another_tokenisation_is_refused() {
    let raw = STORY.as_bytes();
    let engine = nano().engine();
    let table = engine.symbols();
    let spelled = nano().tokenizer().unwrap().encode(raw);
    let known = spelled.iter().map(|symbol| match symbol {
        Symbol::Token(token) => table.symbol(*token).unwrap(),
        Symbol::Escape(_) => panic!("an escape"),
    });
    let mut symbols: Vec<usize> = known.collect();
    let long = symbols
        .iter()
        .position(|&s| table.bytes(s).len() > 1)
        .unwrap();
    let bytes = table.bytes(symbols[long]).iter();
    let bytes: Vec<usize> = bytes
        .map(|&byte| {
            (0..table.len())
                .find(|&s| table.bytes(s) == [byte])
                .unwrap()
        })
        .collect();
    symbols.splice(long..=long, bytes);
    let mut tokens = vec![engine.start_token()];
    tokens.extend(symbols.iter().map(|&s| table.token(s).unwrap()));
    tokens.pop();
    let mut cache = Cache::new(engine, tokens.len());
    let (mut encoder, mut ideal) = (Encoder::new(), Cost::default());
    let run = Run {
        cache: &mut cache,
        start: 0,
        tokens: &tokens,
        wanted: 0,
    };
    engine.forward(&mut Scratch::new(), &mut [run], &mut |_, at, scores| {
        let (interval, cost) = scores.code(symbols[at]);
        encoder.encode(interval).unwrap();
        ideal += cost;
    });
    // The header is that of a file of ours.
    let ours = packed(raw, &alone());
    let mut header = lmz_format::IndexedReader::open(Cursor::new(ours))
        .unwrap()
        .members()[0]
        .header
        .clone();
    // A small member holds the beginning of it.
    header.model_id = nano().id();
    let coded = encoder.finish();
    let mut writer = lmz_format::Writer::new(Vec::new(), &header).unwrap();
    let payload = Payload::Model {
        coded: &coded,
        ideal_bits: ideal.to_q8(),
    };
    writer.segment(raw, payload).unwrap();
    let (file, _) = writer.finish().unwrap();
    assert_eq!(restored(&file).unwrap(), raw);
    let error = trace(&file, 0).unwrap_err();
    assert!(matches!(error, CodecError::OtherEncoder { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Compatibility);
}

#[test]
fn a_trace_accounts_for_mixed_groups() {
    let raw = mixed();
    for lanes in [1, 3] {
        let options = CompressOptions {
            plan: SegmentPlan::fixed(1200).unwrap(),
            mix: Mix::Auto,
            lanes: Some(lanes),
            ..small()
        };
        let file = packed(&raw, &options);
        let all = trace(&file, 2).unwrap();
        let together: Vec<u8> = all.iter().flat_map(|s| s.raw.clone()).collect();
        assert_eq!(together, raw);
        let mut groups = 0;
        for segment in &all {
            let Some(group) = &segment.mixed else {
                assert!(segment.info.kind != SegmentKind::Mixed);
                continue;
            };
            groups += 1;
            assert_eq!(group.lanes, lanes);
            assert_eq!(Some(group.ideal().to_q8()), segment.info.ideal_bits);
            let lens = group.parts.iter().map(|part| part.len);
            assert_eq!(lens.sum::<usize>(), segment.raw.len());
            let text = group.parts.iter().filter(|part| part.kind == "text");
            let text: usize = text.map(|part| part.len).sum();
            let spelled: u32 = segment.symbols.iter().map(|s| s.raw_len).sum();
            assert_eq!(spelled as usize, text);
            let costs = segment.symbols.iter().map(|s| s.mixed.unwrap());
            assert_eq!(costs.sum::<Cost>(), group.text);
            // The two strings and what stands beside them, to the byte.
            let bits = (group.ideal().bits() / 8.0) as usize + group.head + group.stored;
            let coded = segment.info.coded_len as usize;
            assert!((bits..=bits + 3).contains(&coded), "{bits} {coded}");
            let blocks: usize = segment.contexts().iter().map(|c| c.scored).sum();
            assert_eq!(blocks, segment.symbols.len());
        }
        assert!(groups > 1);
    }
}

/// A terminal's transcript: lines that are typed, rubbed out and typed again, and pages of the same words.
fn transcript() -> Vec<u8> {
    let words = String::from_utf8_lossy(&text()[..1200]).into_owned();
    let words: Vec<&str> = words.split(' ').collect();
    let mut raw = Vec::new();
    for (i, line) in words.chunks(12).cycle().take(120).enumerate() {
        let line = line.join(" ");
        let typed = line.bytes().chain(line.bytes().map(|_| 8));
        match i % 12 {
            // Long enough to be a text of its own.
            0..3 => raw.extend(line.repeat(6).bytes().chain(*b"\r\n")),
            _ => raw.extend(typed.chain(line.bytes()).chain([7, 0, 0, b'\n'])),
        }
    }
    raw
}

#[test]
fn little_text_among_bytes_of_the_same_words_is_one_with_them() {
    let raw = transcript();
    let options = CompressOptions {
        plan: SegmentPlan::Default,
        mix: Mix::Auto,
        ..small()
    };
    // A stretch of it alone is text for the model.
    let page = &raw[..raw.iter().position(|&byte| byte == 8).unwrap() - 40];
    for (raw, modelled) in [(page, true), (&raw[..], false)] {
        let file = packed(raw, &options);
        assert!(restored(&file).unwrap() == raw);
        let all = trace(&file, 0).unwrap();
        let group = all[0].mixed.as_ref().unwrap();
        let text = group.parts.iter().any(|part| part.kind == "text");
        assert_eq!(text, modelled, "{:?}", group.parts);
        assert_eq!(all[0].symbols.is_empty(), !modelled);
        let lens = group.parts.iter().map(|part| part.len);
        assert_eq!(lens.sum::<usize>(), raw.len());
    }
}

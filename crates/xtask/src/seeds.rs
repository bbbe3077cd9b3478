//! The seeds of the fuzz targets, `tests/fuzz/seeds`.
//!
//! The files are what this build writes, whole and damaged; the same build writes the same bytes. Seeds
//! stay as they are when the format grows: new ones are added. Those of `gguf` are what another program writes
//! (tools/parity/make_gguf.py).

use lmz_codec::{CompressOptions, Mix, Model, Prime, SegmentPlan, compress};
use lmz_format::{Form, Header, Payload, Writer, write_small};
use lmz_testkit::{noise, read, repository};

use crate::files::{Files, Result};

const STORY: &[u8] = b"Once upon a time there was a little dog. He wanted to play in the park.";

fn save(files: &mut Files, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    files.add(&format!("tests/fuzz/seeds/{target}/{name}"), bytes)
}

pub fn write(files: &mut Files) -> Result<()> {
    members(files)?;
    round_trips(files)?;
    texts(files)?;
    values(files)?;
    save(files, "lmzm", "odd", &read("tests/vectors/odd.lmzm"))
}

/// Whole files and damaged ones, for the container and the decoder.
fn members(files: &mut Files) -> Result<()> {
    let model = Model::open(&repository("tests/vectors/odd.lmzm"))?;
    let prime = read("tests/golden/numerics0-nano-primed.prime");
    let prime = Prime::new("prime", prime)?;
    let pack_as = |raw: &[u8],
                   segment: u64,
                   context: u32,
                   primed: bool,
                   lanes: Option<usize>|
     -> Result<Vec<u8>> {
        let plan = match segment {
            0 => SegmentPlan::Default,
            n => SegmentPlan::fixed(n)?,
        };
        let options = CompressOptions {
            context: Some(context),
            overlap: Some(context / 4),
            plan,
            mix: if lanes.is_some() {
                Mix::Auto
            } else {
                Mix::None
            },
            lanes,
            prime: primed.then(|| prime.clone()),
            ..CompressOptions::default()
        };
        let mut file = Vec::new();
        compress(raw, &mut file, &model, &options, &())?;
        Ok(file)
    };
    let pack = |raw: &[u8], segment: u64, context: u32, primed: bool| {
        pack_as(raw, segment, context, primed, None)
    };
    let mixed = [STORY, &[b'a'; 80], &noise(30, 1), STORY].concat();
    let long = [&STORY.repeat(4)[..], &noise(20, 2)].concat();
    // A table, text, what repeats it: no model is worth running on the first.
    let table: Vec<u8> = (0..90u8).flat_map(|i| [i, 0, i / 3]).collect();
    let parts = [&table[..], &STORY.repeat(6), &table[..]].concat();
    let grouped = pack_as(&mixed, 90, 16, false, Some(2))?;
    let small = pack(STORY, 0, 128, false)?;
    let full = pack(&mixed, 40, 128, false)?;
    let whole = [
        ("small-empty", pack(b"", 0, 128, false)?),
        ("small-model", small.clone()),
        ("small-zstd", pack(&[7; 200], 0, 512, false)?),
        ("small-stored", pack(&noise(40, 3), 0, 128, false)?),
        ("small-primed", pack(STORY, 0, 128, true)?),
        ("full", full.clone()),
        ("full-short-blocks", pack(&long, 100, 8, false)?),
        ("full-primed", pack(&mixed, 64, 32, true)?),
        ("full-byte-segments", pack(b"abcdef", 1, 16, false)?),
        ("full-then-small", [&full[..], &small].concat()),
        ("small-then-full", [&small[..], &full].concat()),
        ("full-twice", [&full[..], &full].concat()),
        ("full-empty", empty(&model)?),
        ("full-extended", extended(&model)?),
        ("footer-in-small", footer_in_small(&model, &full)?),
        ("mixed-small", pack_as(STORY, 0, 16, false, Some(1))?),
        ("mixed-lanes", pack_as(&long, 0, 8, false, Some(3))?),
        ("mixed-primed", pack_as(STORY, 200, 32, true, Some(2))?),
        ("mixed-parts", pack_as(&parts, 0, 32, false, Some(2))?),
        ("mixed-groups", grouped.clone()),
        ("mixed-then-full", [&grouped[..], &full].concat()),
    ];
    let golden = ["nano", "nano-small", "nano-primed", "bootstrap"]
        .map(|name| (name, read(&format!("tests/golden/numerics0-{name}.lmz"))));
    for target in ["container", "decoder"] {
        for (name, file) in &whole {
            save(files, target, name, file)?;
        }
        for (name, file) in damaged(&full) {
            save(files, target, name, &file)?;
        }
        for (name, file) in damaged(&grouped) {
            save(files, target, &format!("mixed-{name}"), &file)?;
        }
        for (name, file) in &golden {
            // Their models take a decoder too long.
            if target == "container" {
                save(files, target, &format!("golden-{name}"), file)?;
            }
        }
    }
    Ok(())
}

fn header(model: &Model) -> Result<Header> {
    Ok(Header {
        numerics_version: lmz_exact::NUMERICS_VERSION,
        recipe: lmz_exact::RECIPE,
        mixing: 0,
        model_id: model.id(),
        checkpoint: [1; 16],
        model_name: "m".into(),
        context: lmz_codec::ContextPolicy::new(16, 4)?,
        plan: SegmentPlan::fixed(8)?,
        prime: None,
        form: Form::Full,
    })
}

fn empty(model: &Model) -> Result<Vec<u8>> {
    Ok(Writer::new(Vec::new(), &header(model)?)?.finish()?.0)
}

/// With extensions that a reader skips. The checksums are wrong: a fuzzer does not see that.
fn extended(model: &Model) -> Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new(), &header(model)?)?;
    writer.segment(b"12345678", Payload::Stored)?;
    writer.segment(b"9", Payload::Stored)?;
    let (plain, _) = writer.finish()?;
    let body = usize::from(plain[5]);
    let extension = [2, 3, b'a', b'b', b'c', 4, 0];
    let grown = |from: usize| -> Vec<u8> {
        let (length, body) = ([plain[from] + 7], &plain[from + 1..][..body]);
        [&length[..], body, &extension].concat()
    };
    let end = plain.len() - 12;
    // The end byte's place: before the version, the body and the rest of the footer.
    let footer = end - (body + 2 + 16 + 1 + 1 + 2);
    let mut file = [&plain[..5], &grown(5), &plain[6 + body..footer + 1]].concat();
    file.extend(grown(footer + 1));
    file.extend_from_slice(&plain[footer + 2 + body..end]);
    file.push(plain[end] + 7);
    file.extend_from_slice(&plain[end + 1..]);
    Ok(file)
}

/// A small member that holds a whole file, behind another.
fn footer_in_small(model: &Model, full: &[u8]) -> Result<Vec<u8>> {
    let mut file = full.to_vec();
    let mut header = header(model)?;
    header.context = lmz_codec::ContextPolicy::new(1024, 4)?;
    header.plan = SegmentPlan::Default;
    let inner = empty(model)?;
    write_small(&mut file, &header, &inner, Some(Payload::Stored))?;
    Ok(file)
}

/// What the format's table of damage lists.
fn damaged(full: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |at: usize| {
        let mut file = full.to_vec();
        file[at] ^= 0x55;
        file
    };
    let (front, back) = full.split_at(full.len() / 2);
    vec![
        ("damaged-header", changed(9)),
        ("damaged-record", changed(full.len() / 4)),
        ("damaged-coded", changed(full.len() / 3)),
        ("damaged-index", changed(full.len() - 16)),
        ("damaged-end-magic", changed(full.len() - 1)),
        ("cut", front.to_vec()),
        ("cut-in-front", back.to_vec()),
        ("inserted", [front, b"inserted", back].concat()),
        ("vanished", [front, &back[9..]].concat()),
        ("garbage-behind", [full, b"garbage"].concat()),
        ("garbage-between", [full, b"garbage", full].concat()),
    ]
}

/// Four bytes of options, then what is compressed.
fn round_trips(files: &mut Files) -> Result<()> {
    let random = noise(100, 4);
    let mixed = [STORY, b"\xff\x00caf\xc3\xa9 ", &random[..20]].concat();
    let cases: [(&str, [u8; 4], &[u8]); 11] = [
        ("empty", [0, 0, 0, 2], b""),
        ("one", [0, 0, 0, 6], b"x"),
        ("story", [0, 0, 0, 2], STORY),
        ("story-kernels", [64, 8, 32, 4 | 8], STORY),
        ("story-primed", [40, 39, 0, 1 | 4], STORY),
        ("short-blocks", [2, 1, 7, 1], STORY),
        ("no-overlap", [1, 0, 50, 2], STORY),
        ("impossible", [5, 5, 0, 0], STORY),
        ("random", [0, 0, 60, 2], &random),
        ("runs", [16, 3, 90, 8], &[b'a'; 300]),
        ("mixed", [24, 7, 33, 15], &mixed),
    ];
    for (name, options, raw) in cases {
        save(files, "round_trip", name, &[&options[..], raw].concat())?;
    }
    Ok(())
}

/// A byte that chooses the tokenizer, then text.
fn texts(files: &mut Files) -> Result<()> {
    let texts: [(&str, &[u8]); 10] = [
        ("story", STORY),
        ("space", b"  a  b\t\tc \r\n\r\n d\xc2\xa0e \xe3\x80\x80"),
        (
            "words",
            "it's we'll I'd don't über Ünïcode 中文 日本語".as_bytes(),
        ),
        (
            "digits",
            b"1 12 123 1234 12345 0.5e-3 2026-01-02 \xc2\xbd \xe2\x85\xa7",
        ),
        (
            "marks",
            "e\u{301} a\u{308}\u{301} \u{200d}👩\u{200d}👩 ﬁ İ".as_bytes(),
        ),
        ("blocks", "▁one▁▁two▁ ▁".as_bytes()),
        ("special", b"<s></s><unk><0x41><|endoftext|>"),
        (
            "invalid",
            b"a\xffb\xc3(\xed\xa0\x80\xf4\x90\x80\x80\x80\xc0\xaf",
        ),
        ("zeros", b"\0\0\0a\0"),
        (
            "punctuation",
            b"...!?-- ({[\"'`]}) a-b_c/d\\e @#$%^&*+=~<>|;:,",
        ),
    ];
    for (number, (name, text)) in (0u8..).zip(texts) {
        save(files, "tokenizer", name, &[&[number][..], text].concat())?;
    }
    save(
        files,
        "tokenizer",
        "cut-characters",
        b"\xfd\xe4\xb8\xad\xe6\x96\x87",
    )?;
    save(files, "tokenizer", "cut-bytes", b"\xff\x80\x81")
}

/// Noise: for every operation of the kernels, and as the values of models.
fn values(files: &mut Files) -> Result<()> {
    // Most noise describes a model whose parts do not fit together.
    let drawn = (0..).map(|number| (number, noise(400, number)));
    let loads = |(number, bytes): (u64, Vec<u8>)| {
        let file = lmz_fuzz::built(&bytes);
        let loads = Model::from_lmzm(file.clone(), lmz_codec::Kernel::detect()).is_ok();
        loads.then_some((number, bytes, file))
    };
    for (index, (number, bytes, file)) in drawn.filter_map(loads).take(12).enumerate() {
        save(files, "engine", &format!("{number:03}"), &bytes)?;
        if index < 8 {
            save(files, "lmzm", &format!("built-{number:03}"), &file)?;
        }
    }
    for operation in 0u8..16 {
        for (number, len) in [40, 250].into_iter().enumerate() {
            let seed = u64::from(operation) * 2 + number as u64 + 10;
            let bytes = [&[operation][..], &noise(len, seed)].concat();
            save(files, "kernels", &format!("{operation:02}-{len}"), &bytes)?;
        }
    }
    Ok(())
}

//! What mixing makes of texts under a model: bits a byte with the model alone and with what is learnt.
//!
//! `measure MODEL.lmzm LANES FILE...` runs the model over each file in blocks, once (its views are kept
//! beside the file as `FILE.views-CONTEXT-OVERLAP`), then mixes: the text is coded, decoded and compared. With one lane the
//! blocks overlap by 128 tokens. The decoder is given the same views; where the environment has `STEP`, it is not: it runs the
//! model token by token on what it has decoded.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lmz_coder::{BitDecoder, Encoder};
use lmz_exact::{Cache, Engine, Kernel, Prepared, Run, Scratch};
use lmz_mix::{Symbol, Text, Views, Walk};
use lmz_model::{ExactTokenizer, Symbol as Spelled};

/// Tokens of a block.
const CONTEXT: usize = 1024;

/// The model's view of a text.
struct Dump {
    places: Vec<u32>,
    likely: Vec<u32>,
    views: Vec<i16>,
    ends: Vec<u32>,
}

impl Dump {
    fn make(engine: &Engine, walk: &Walk, symbols: &[Spelled], overlap: usize) -> Self {
        let mut dump = Self {
            places: Vec::new(),
            likely: Vec::new(),
            views: Vec::new(),
            ends: Vec::new(),
        };
        let tokens: Vec<u32> = symbols
            .iter()
            .map(|symbol| match symbol {
                Spelled::Token(token) => *token,
                Spelled::Escape(_) => panic!("an escape"),
            })
            .collect();
        let mut scratch = Scratch::new();
        let mut cache = Cache::new(engine, CONTEXT);
        let mut sums = Vec::new();
        let mut first = 0;
        while first < tokens.len() {
            let seen = overlap.min(first);
            let end = (first + CONTEXT - seen).min(tokens.len());
            let mut inputs = vec![engine.start_token()];
            inputs.extend(&tokens[first - seen..end - 1]);
            let run = Run {
                cache: &mut cache,
                start: 0,
                tokens: &inputs,
                wanted: seen,
            };
            engine.forward(&mut scratch, &mut [run], &mut |_, at, scores| {
                let token = tokens[first + at - seen];
                let place = walk.place(engine.symbols().symbol(token).unwrap());
                let mut sums = walk.sums(scores.weights, &mut sums);
                let likely = walk.reduce(&mut sums, Some(place), &mut dump.views);
                dump.places.push(place as u32);
                dump.likely.push(likely);
                dump.ends.push(dump.views.len() as u32);
            });
            first = end;
        }
        dump
    }

    fn save(&self, path: &Path) -> std::io::Result<()> {
        let mut out = Vec::new();
        for list in [&self.places, &self.likely, &self.ends] {
            out.extend((list.len() as u32).to_le_bytes());
            out.extend(list.iter().flat_map(|x| x.to_le_bytes()));
        }
        out.extend(self.views.iter().flat_map(|x| x.to_le_bytes()));
        std::fs::write(path, out)
    }

    fn load(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let mut at = 0;
        let mut list = || {
            let n = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            at += 4;
            let list: Vec<u32> = bytes[at..at + 4 * n]
                .chunks(4)
                .map(|c| u32::from_le_bytes(c.try_into().unwrap()))
                .collect();
            at += 4 * n;
            list
        };
        let (places, likely, ends) = (list(), list(), list());
        let views = bytes[at..]
            .chunks(2)
            .map(|c| i16::from_le_bytes(c.try_into().unwrap()))
            .collect();
        Ok(Self {
            places,
            likely,
            views,
            ends,
        })
    }

    fn token(&self, i: usize) -> (Views<'_>, Symbol) {
        let from = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        let views = &self.views[from..self.ends[i] as usize];
        (
            Views::new(views, self.likely[i]),
            Symbol::Token(self.places[i] as usize),
        )
    }

    /// Bits of the model alone.
    fn alone(&self, walk: &Walk) -> f64 {
        let mut bits = 0.0;
        let mut views = self.views.iter();
        for &place in &self.places {
            let (mut low, mut high, mut at) = (0, walk.len(), 0);
            while high - low > 1 {
                let node = walk.nodes()[at];
                let middle = node.middle as usize;
                let bit = place as usize >= middle;
                let x = f64::from(*views.next().unwrap()) / 256.0;
                bits += (1.0 + (if bit { -x } else { x }).exp()).log2();
                (low, high) = if bit { (middle, high) } else { (low, middle) };
                at = node.next[usize::from(bit)] as usize;
            }
        }
        bits
    }
}

/// Calls `work` with each token, its lane and, where a round begins, the number of lanes.
fn in_order(n: usize, lanes: usize, work: &mut dyn FnMut(usize, usize, Option<usize>)) {
    let mut done = 0;
    while done < n {
        let mut round = Some(lanes.min((n - done).div_ceil(CONTEXT)));
        let count = round.unwrap_or(1);
        for at in 0..CONTEXT {
            for lane in 0..count {
                let token = done + lane * CONTEXT + at;
                if token < n {
                    work(token, lane, round.take());
                }
            }
        }
        done = (done + count * CONTEXT).min(n);
    }
}

/// Decodes with the model alone to go by: a token of each lane at a time.
fn step(
    engine: &Engine,
    walk: &Walk,
    slots: u32,
    n: usize,
    lanes: usize,
    overlap: usize,
    coded: &[u8],
) -> Vec<u32> {
    let table = engine.symbols();
    let (mut text, mut decoder) = (Text::new(walk, slots), BitDecoder::new(coded));
    let (mut scratch, mut sums) = (Scratch::new(), Vec::new());
    let mut places: Vec<u32> = Vec::new();
    let mut caches: Vec<Cache> = (0..lanes).map(|_| Cache::new(engine, CONTEXT)).collect();
    let token_of = |place: u32| table.token(walk.token(place as usize)).unwrap_or(0);
    while places.len() < n {
        let done = places.len();
        let seen = overlap.min(done);
        let length = CONTEXT - seen;
        let count = lanes.min((n - done).div_ceil(length));
        text.begin_round(count);
        let mut found: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut known: Vec<u32> = vec![engine.start_token()];
        known.extend(places[done - seen..].iter().map(|&place| token_of(place)));
        let mut pending = vec![known; count];
        let mut starts = vec![0; count];
        for at in 0..length.min(n - done) {
            let live = (0..count)
                .filter(|lane| done + lane * length + at < n)
                .count();
            let mut runs: Vec<Run<'_>> = caches
                .iter_mut()
                .zip(&pending)
                .zip(&starts)
                .take(live)
                .map(|((cache, tokens), &start)| Run {
                    cache,
                    start,
                    tokens,
                    wanted: tokens.len() - 1,
                })
                .collect();
            let mut weights = vec![Vec::new(); live];
            engine.forward(&mut scratch, &mut runs, &mut |run, _, scores| {
                weights[run] = scores.weights.to_vec();
            });
            for lane in 0..live {
                let mut opinion = walk.sums(&weights[lane], &mut sums);
                let symbol = text.code(lane, &mut opinion, &mut decoder, Symbol::Token(0));
                let Symbol::Token(place) = symbol else {
                    panic!("an escape");
                };
                found[lane].push(place as u32);
                starts[lane] += pending[lane].len();
                pending[lane] = vec![token_of(place as u32)];
            }
        }
        places.extend(found.concat());
    }
    places
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("a model")?;
    let lanes: usize = arguments.next().ok_or("lanes")?.parse()?;
    let files: Vec<String> = arguments.collect();
    let prepared = Prepared::from_bytes(std::fs::read(model)?)?;
    let engine = Engine::new(&prepared, Kernel::detect())?;
    let table = engine.symbols();
    let walk = Walk::new(
        (0..table.len()).map(|s| table.bytes(s)),
        table.escape_shift(),
    );
    let tokenizer = ExactTokenizer::new(&prepared.tokenizer_json()?, table.vocabulary())?;
    let overlap = if lanes == 1 { 128 } else { 0 };
    let (mut sum_alone, mut sum_mixed) = (0.0, 0.0);
    for file in &files {
        let raw = std::fs::read(file)?;
        let name = Path::new(file)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let kept = PathBuf::from(format!("{file}.views-{CONTEXT}-{overlap}"));
        let dump = if kept.exists() {
            Dump::load(&kept)?
        } else {
            let dump = Dump::make(&engine, &walk, &tokenizer.encode(&raw), overlap);
            dump.save(&kept)?;
            dump
        };
        let bytes = raw.len() as f64;
        let slots = raw.len().next_power_of_two().ilog2();
        let n = dump.places.len();
        let begun = Instant::now();
        let (mut text, mut encoder) = (Text::new(&walk, slots), Encoder::new());
        in_order(n, lanes, &mut |token, lane, round| {
            if let Some(round) = round {
                text.begin_round(round);
            }
            let (mut views, symbol) = dump.token(token);
            text.code(lane, &mut views, &mut encoder, symbol);
        });
        let coded = encoder.finish();
        let encoding = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        if std::env::var_os("STEP").is_some() {
            let found = step(&engine, &walk, slots, n, lanes, overlap, &coded);
            assert!(found == dump.places, "{name} does not come back");
        } else {
            let (mut text, mut decoder) = (Text::new(&walk, slots), BitDecoder::new(&coded));
            in_order(n, lanes, &mut |token, lane, round| {
                if let Some(round) = round {
                    text.begin_round(round);
                }
                let (mut views, symbol) = dump.token(token);
                let found = text.code(lane, &mut views, &mut decoder, Symbol::Token(0));
                assert!(found == symbol, "{name} does not come back");
            });
        }
        let decoding = begun.elapsed().as_secs_f64();
        let alone = dump.alone(&walk);
        let mixed = coded.len() as f64 * 8.0;
        println!(
            "{name:14} {:7} model {:.4} mixed {:.4} ({:+.1} %), {} bytes; {:.2} us/byte to encode, {:.2} to decode; {:.1} decisions",
            raw.len(),
            alone / bytes,
            mixed / bytes,
            (mixed / alone - 1.0) * 100.0,
            coded.len(),
            encoding * 1e6 / bytes,
            decoding * 1e6 / bytes,
            dump.views.len() as f64 / bytes
        );
        sum_alone += alone / bytes;
        sum_mixed += mixed / bytes;
    }
    let n = files.len() as f64;
    println!(
        "mean       model {:.4} mixed {:.4}",
        sum_alone / n,
        sum_mixed / n
    );
    Ok(())
}

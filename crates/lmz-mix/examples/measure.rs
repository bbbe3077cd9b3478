//! What mixing makes of texts under a model: bits a byte with the model alone and with what is learnt.
//!
//! `measure MODEL.lmzm LANES FILE...` runs the model over each file in blocks, once (its views are kept
//! beside the file as `FILE.views-CONTEXT-OVERLAP`), then mixes. With one lane the blocks overlap by 128 tokens.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lmz_exact::{Cache, Engine, Kernel, Prepared, Run, Scratch};
use lmz_mix::{Coder, Symbol, Text, Views, Walk};
use lmz_model::{ExactTokenizer, Symbol as Spelled};

/// Tokens of a block.
const CONTEXT: usize = 1024;

/// Counts bits instead of writing them.
#[derive(Default)]
struct Bits {
    bits: f64,
    decisions: u64,
    first: f64,
}

impl Coder for Bits {
    fn code(&mut self, one: u32, bit: bool) -> bool {
        let p = f64::from(one) / 4_294_967_296.0;
        self.bits -= if bit { p } else { 1.0 - p }.log2();
        self.decisions += 1;
        bit
    }
}

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

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("a model")?;
    let lanes: usize = arguments.next().ok_or("lanes")?.parse()?;
    let files: Vec<String> = arguments.collect();
    let prepared = Prepared::from_bytes(std::fs::read(model)?)?;
    let engine = Engine::new(&prepared, Kernel::detect())?;
    let table = engine.symbols();
    let walk = Walk::new((0..table.len()).map(|s| table.bytes(s)), table.escape_shift());
    let tokenizer = ExactTokenizer::new(&prepared.tokenizer_json()?, table.vocabulary())?;
    let overlap = if lanes == 1 { 128 } else { 0 };
    let (mut sum_alone, mut sum_mixed) = (0.0, 0.0);
    for file in &files {
        let raw = std::fs::read(file)?;
        let name = Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
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
        let begun = Instant::now();
        let mut text = Text::new(&walk, slots);
        let mut bits = Bits::default();
        let n = dump.places.len();
        let mut done = 0;
        while done < n {
            let round = lanes.min((n - done).div_ceil(CONTEXT));
            text.begin_round(round);
            for at in 0..CONTEXT {
                for lane in 0..round {
                    let token = done + lane * CONTEXT + at;
                    if token < n {
                        let (mut views, symbol) = dump.token(token);
                        text.code(lane, &mut views, &mut bits, symbol);
                        debug_assert_eq!(views.left(), 0);
                    }
                }
            }
            if done == 0 {
                bits.first = bits.bits;
            }
            done = (done + round * CONTEXT).min(n);
        }
        let time = begun.elapsed().as_secs_f64();
        let alone = dump.alone(&walk);
        println!(
            "{name:10} {:7} model {:.4} mixed {:.4}  first {:6.0}  {:.2} us/byte, {:.1} decisions",
            raw.len(),
            alone / bytes,
            bits.bits / bytes,
            bits.first / 8.0,
            time * 1e6 / bytes,
            bits.decisions as f64 / bytes
        );
        sum_alone += alone / bytes;
        sum_mixed += bits.bits / bytes;
    }
    let n = files.len() as f64;
    println!("mean       model {:.4} mixed {:.4}", sum_alone / n, sum_mixed / n);
    Ok(())
}

//! Trains `nano` on a path for some minutes: `train CORPUS OUT MINUTES [PRESET [DTYPE]]`.

use std::time::Duration;

use lmz_float::{Device, Dtype};
use lmz_train::{Budget, Event, Options, Preset, Watch, train};

struct Print;

impl Watch for Print {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step(row) if !row.step.is_multiple_of(10) => {}
            other => println!("{other:?}"),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, corpus, out, minutes, ..] = args.as_slice() else {
        return Err("train CORPUS OUT MINUTES [PRESET [DTYPE]]".into());
    };
    let preset = args.get(4).map_or("nano", String::as_str);
    let options = Options {
        corpus: vec![corpus.into()],
        held_out: vec![],
        raw: false,
        preset: Preset::named(preset).ok_or("no such preset")?,
        out: out.into(),
        tokenizer: None,
        weights: vec![],
        budget: Budget::Minutes(minutes.parse()?),
        device: Device::Cpu,
        dtype: args.get(5).map(|name| name.parse::<Dtype>()).transpose()?,
        seed: 0,
        resume: false,
        save_every: Duration::from_secs(60),
    };
    println!("{:?}", train(&options, &mut Print)?);
    Ok(())
}

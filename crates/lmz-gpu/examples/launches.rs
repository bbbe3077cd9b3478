//! The host's time for a step of decoding: `tools/cuda_emulation/launches.sh`, where the driver does nothing.
//!
//! With a card the figures are those of the card, and `benches/gpu.rs` has better ones.

use std::time::{Duration, Instant};

use lmz_codec::{Kernel, Model};
use lmz_exact::{Query, Row};
use lmz_gpu::Device;

const LANES: usize = 512;
const POSITIONS: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), Some(steps)) = (arguments.next(), arguments.next()) else {
        return Err("give a model and a number of steps".into());
    };
    let steps: usize = steps.to_str().unwrap_or_default().parse()?;
    let model = Model::open_with(path.as_ref(), Kernel::detect())?;
    let gpu = lmz_gpu::open(Device::Cuda(0), model.engine(), None)?;
    let mut lanes = gpu.open(LANES, POSITIONS)?;
    let count = lanes.lanes();
    let token = model.engine().start_token();
    let queries: Vec<_> = (0..count).map(|lane| (lane, Query::Point(0))).collect();
    let (mut launching, mut all) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let row = |lane| Row {
            lane: lane as u32,
            position: (step % POSITIONS) as u32,
            token,
        };
        let rows: Vec<Row> = (0..count).map(row).collect();
        let start = Instant::now();
        lanes.submit(&rows, &queries)?;
        launching.push(start.elapsed());
        // A device that does nothing has no answers, which is an error.
        let _ = lanes.collect(&mut |_, _| {});
        all.push(start.elapsed());
    }
    if steps > 1 {
        println!(
            "{count} lanes: launched in {:?}, done in {:?} (medians of {steps} steps)",
            median(launching),
            median(all)
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

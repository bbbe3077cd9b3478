//! Every kernel against the CPU's operation, on random numbers and on the extremes of every range.

mod ends;
mod halves;
mod heads;
mod numbers;
mod rows;

use cubecl::prelude::*;
use lmz_device::{Device, available};

use crate::buffer::Buffer;
use crate::client;

/// A check of kernels on one device.
trait Check {
    fn run<R: Runtime>(&self, client: &ComputeClient<R>);
}

/// Runs a check on a device of each kind; says what is not there.
fn on_devices(check: impl Check) {
    let devices: Vec<Device> = available().into_iter().map(|info| info.device).collect();
    #[cfg(feature = "vulkan")]
    match devices.iter().find(|d| matches!(d, Device::Vulkan(_))) {
        Some(&Device::Vulkan(number)) => check.run(&client::vulkan(number).unwrap().0),
        _ => eprintln!("skipped on Vulkan: no driver is here"),
    }
    #[cfg(feature = "cuda")]
    match devices.iter().find(|d| matches!(d, Device::Cuda(_))) {
        Some(&Device::Cuda(number)) => check.run(&client::cuda(number).unwrap().0),
        _ => eprintln!("skipped on CUDA: no such device is here"),
    }
}

/// The first `n` values of a buffer.
fn read<R: Runtime, T: CubeElement + Copy>(
    client: &ComputeClient<R>,
    buffer: &Buffer<T>,
    n: usize,
) -> Vec<T> {
    let bytes = client.read_one(buffer.handle()).unwrap();
    T::from_bytes(&bytes)[..n].to_vec()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Of up to `bits` bits and a sign: all lengths alike, the extremes and 0 among them.
    fn signed(&mut self, bits: u32) -> i64 {
        let largest = (1i64 << bits) - 1;
        let magnitude = match self.below(8) {
            0 => 0,
            1 => largest,
            2 => 1,
            _ => {
                let length = self.below(u64::from(bits) + 1) as u32;
                (self.next() & ((1u64 << length) - 1)) as i64
            }
        };
        if self.below(2) == 0 {
            magnitude
        } else {
            -magnitude
        }
    }

    fn i32s(&mut self, n: usize, bits: u32) -> Vec<i32> {
        (0..n).map(|_| self.signed(bits) as i32).collect()
    }

    fn range(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u64) as i32
    }
}

/// Rows of different kinds: all zero, all at the extremes, small, and mixed.
fn row(random: &mut Random, kind: usize, n: usize, bits: u32) -> Vec<i32> {
    let largest = ((1u64 << bits) - 1) as i32;
    match kind % 4 {
        0 => random.i32s(n, bits),
        1 => vec![0; n],
        2 => (0..n)
            .map(|j| if j % 2 == 0 { largest } else { -largest })
            .collect(),
        _ => random.i32s(n, bits.min(5)),
    }
}

/// Two 16-bit values of a word, for each word.
fn halves(words: &[u32]) -> Vec<i16> {
    words
        .iter()
        .flat_map(|&w| [w as u16 as i16, (w >> 16) as u16 as i16])
        .collect()
}

fn words(halves: &[i16]) -> Vec<u32> {
    halves
        .chunks(2)
        .map(|pair| {
            let high = pair.get(1).copied().unwrap_or(0);
            u32::from(pair[0] as u16) | u32::from(high as u16) << 16
        })
        .collect()
}

//! A model on a device.

use cubecl::prelude::*;
use cubecl::server::ServerError;
use lmz_coder::Shares;
use lmz_exact::parts::{Rules, Shape};
use lmz_exact::{Answer, ExactError, Kernel, Result};

use crate::client::failed;
use crate::weights::WeightsOn;

/// A model on a device, and what its forward pass needs to know.
pub struct ModelOn<R: Runtime> {
    /// For ever: what is being read back from a device borrows it.
    pub client: &'static ComputeClient<R>,
    pub device: String,
    pub weights: WeightsOn,
    pub shape: Shape,
    pub rules: Rules,
    pub residual_bits: i32,
    pub symbols: usize,
    pub escape_shift: u32,
    /// The CPU's, for what is computed from downloaded logits.
    pub kernel: Kernel,
    /// Whether the device's matrix instruction is used.
    pub instruction: bool,
    /// Since before its weights were uploaded.
    pub watch: lmz_device::Watch,
}

impl<R: Runtime> ModelOn<R> {
    /// What a device says is checked before it is believed.
    pub(super) fn answer(&self, words: &[u64]) -> Result<Answer> {
        let (symbol, distance) = (words[0] as u32 as usize, (words[0] >> 32) as u32);
        let (before, own, sum) = (words[1], words[2], words[3]);
        let most = (self.symbols as u64) << 30;
        let sound = symbol <= self.symbols
            && (1..=most).contains(&sum)
            && before <= sum
            && own <= sum - before
            && (symbol < self.symbols || before == sum);
        if !sound {
            return Err(self.failed("it sent back what no distribution has"));
        }
        let shares = Shares::new(self.symbols, sum, self.escape_shift);
        Ok(Answer {
            symbol,
            interval: shares.interval(symbol, before, own),
            distance,
            shares,
        })
    }

    /// What CubeCL says of a device; why its thread panicked, if it did.
    pub(super) fn undone(&self, error: &ServerError) -> ExactError {
        match self.watch.check() {
            Ok(()) => self.failed(&format!("{error:?}")),
            Err(reason) => self.failed(&reason),
        }
    }

    pub(super) fn failed(&self, reason: &str) -> ExactError {
        failed(&self.device, reason.lines().next().unwrap_or_default())
    }
}

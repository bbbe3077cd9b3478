//! One linear layer by itself on a device, for benchmarks.

use cubecl::prelude::*;
use lmz_device::Device;
use lmz_exact::{Linear, Result};

use crate::buffer::Buffer;
use crate::client::{self, failed};
use crate::kernel::mma::Instruction;
use crate::limits::unsupported;
use crate::product::{Product, has_instruction};
use crate::weights::LinearOn;

/// A launch that waits for its end.
pub type Launch = Box<dyn FnMut() -> Result<()>>;

/// A linear layer of `k` columns and `out` outputs for `rows` rows of activations, on a device; every launch computes
/// rows · k · out products of an 8-bit weight and a 16-bit activation. With the matrix instruction, which issues two
/// 8-bit products for each; `None` if it is asked for and the device has none.
///
/// # Errors
/// [`ExactError::Device`](lmz_exact::ExactError::Device): the device is missing or fails.
pub fn linear_layer(
    device: Device,
    [rows, k, out]: [usize; 3],
    instruction: bool,
) -> Result<Option<Launch>> {
    match device {
        #[cfg(feature = "vulkan")]
        Device::Vulkan(number) => {
            let (client, _) = client::vulkan(number)?;
            launch(client, device, [rows, k, out], instruction)
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            let (client, _) = client::cuda(number)?;
            launch(client, device, [rows, k, out], instruction)
        }
        other => Err(unsupported(other)),
    }
}

fn launch<R: Runtime>(
    client: ComputeClient<R>,
    device: Device,
    [rows, k, out]: [usize; 3],
    instruction: bool,
) -> Result<Option<Launch>> {
    let way = match instruction {
        true if !has_instruction(&client) => return Ok(None),
        true => Product::Matrix(Instruction::Native),
        false => Product::Units(8),
    };
    let weights: Vec<i8> = (0..k * out).map(|i| (i * 31 % 255) as i8).collect();
    let weights: Vec<i8> = weights.iter().map(|&w| w.max(-127)).collect();
    let layer = Linear::new(&weights, &vec![1 << 30; out], k, 0, &[]);
    let layer = LinearOn::new(&client, &layer);
    let a: Vec<u32> = (0..rows * layer.stride())
        .map(|i| (i as u32).wrapping_mul(0x9e37_79b9))
        .collect();
    let a = (
        Buffer::new(&client, &a),
        Buffer::new(&client, &vec![0; rows]),
    );
    let y = (
        Buffer::<i32>::room(&client, rows * out),
        Buffer::<i32>::room(&client, rows),
    );
    Ok(Some(Box::new(move || {
        way.launch(&client, &layer, (&a.0, &a.1), (&y.0, &y.1), rows);
        cubecl::future::block_on(client.sync())
            .map_err(|error| failed(&device.to_string(), format!("{error:?}")))
    })))
}

//! What a model takes of a device's memory stays within what it may take.
#![cfg(feature = "vulkan")]

use cubecl::prelude::*;
use cubecl::wgpu::WgpuRuntime;
use lmz_exact::{Engine, ExactError, Kernel, Prepared, Query, Row, prepare};
use lmz_gpu::{Device, available, on_client};
use lmz_testkit::engine::family;
use lmz_testkit::repository;

fn client() -> ComputeClient<WgpuRuntime> {
    lmz_device::configure();
    let all = available().into_iter().map(|info| info.device);
    let Some(Device::Vulkan(number)) = all.into_iter().find(|d| matches!(d, Device::Vulkan(_)))
    else {
        panic!("no Vulkan driver is here");
    };
    let (_, device) = lmz_device::vulkan_device(number).unwrap();
    WgpuRuntime::client(&device)
}

/// Bytes that are taken.
fn used(client: &ComputeClient<WgpuRuntime>) -> u64 {
    let usage = client.memory_usage().unwrap();
    usage.bytes_in_use + usage.bytes_padding
}

/// One after the other: they share a device.
#[test]
#[ignore = "needs a Vulkan driver, of a card or in software"]
fn what_is_allocated_is_what_may_be_used() {
    let client = client();
    let embedded = std::fs::read(repository("models/lmz-5m/lmz-5m.lmzm")).unwrap();
    let mut models = vec![Prepared::from_bytes(embedded).unwrap()];
    for name in ["gpt2", "falcon40b", "gemma2"] {
        models.push(prepare(&family(name), name).unwrap());
    }
    for prepared in models {
        let name = prepared.name.clone();
        let engine = Engine::new(&prepared, Kernel::detect()).unwrap();
        let open = |memory| on_client(client.clone(), "the device", &engine, Some(memory));
        let Err(ExactError::Device { reason, .. }) = open(1000) else {
            panic!("{name} fits into 1000 bytes");
        };
        // "the model needs 12.3 MiB there ..."
        let needed = reason.split(' ').nth(3).unwrap();
        let needed = (needed.parse::<f64>().unwrap() * f64::from(1 << 20)) as u64;
        // It is rounded up to a tenth of a MiB.
        assert!(
            open(needed - (1 << 20) / 10 - 1).is_err(),
            "{name}: {needed}"
        );
        for (memory, lanes) in [(needed, 1), (4 * needed, 7), (4 * needed, 512)] {
            client.memory_cleanup();
            let before = used(&client);
            let gpu = open(memory).unwrap();
            let model = used(&client) - before;
            let mut session = gpu.open(lanes, 1024).unwrap();
            let all = used(&client) - before;
            eprintln!(
                "{name}: {memory} may be used; {model} by the model, {all} by all; {} lanes, {} rows",
                session.lanes(),
                session.rows()
            );
            assert!(all <= memory, "{name} takes {all} bytes of {memory}");
            // A tight plan leaves little of it unused.
            assert!(
                lanes > 1 || all > memory * 3 / 4,
                "{name}: {all} of {memory}"
            );
            let rows = session.rows();
            let row = |position| Row {
                lane: 0,
                position,
                token: engine.start_token(),
            };
            let rows: Vec<Row> = (0..rows.min(64) as u32).map(row).collect();
            let queries: Vec<_> = (0..rows.len()).map(|i| (i, Query::Symbol(0))).collect();
            session.forward(&rows, &queries).unwrap();
            drop(session);
            // Another session takes the place of the first.
            let session = gpu.open(lanes, 700).unwrap();
            let usage = client.memory_usage().unwrap();
            eprintln!("  then {usage:?}");
            let all = used(&client) - before;
            assert!(all <= memory, "{name} takes {all} bytes of {memory} again");
            drop(session);
        }
    }
}

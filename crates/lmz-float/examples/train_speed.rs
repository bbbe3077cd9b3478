//! Tokens a second of a forward and backward pass: `train_speed MODEL_DIR [WINDOW [WINDOWS [bf16]]]`.

use std::time::Instant;

use burn::backend::Autodiff;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_flex::Flex;
use lmz_float::kernels::Products;
use lmz_float::modules::{Loader, Tables};
use lmz_model::Network;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    type B = Autodiff<Flex>;
    let args: Vec<String> = std::env::args().collect();
    let directory = args.get(1).ok_or("which model?")?;
    let tokens: usize = args.get(2).map_or(Ok(1024), |a| a.parse())?;
    let batch: usize = args.get(3).map_or(Ok(2), |a| a.parse())?;
    let network = Network::open(directory)?;
    let vocab_size = network.blueprint.vocab_size;
    let device = Default::default();
    let products = match args.get(4).map(String::as_str) {
        Some("bf16") => Products::Bf16,
        _ => Products::Full,
    };
    let loader = Loader::<B>::new(&network, &device, DType::F32, 1 << 22);
    let model = loader.with_products(products).model()?;
    let tables = Tables::new(&network.blueprint, tokens, &device);
    let rows = batch * tokens;
    let token = |t: usize| (t * 7919 + t / tokens * 104_729 + t * t * 31) % vocab_size;
    let ids: Vec<i32> = (0..rows).map(|t| token(t) as i32).collect();
    let targets: Vec<u32> = (0..rows).map(|t| token(t + 1) as u32).collect();
    for _ in 0..5 {
        let start = Instant::now();
        let ids = TensorData::new(ids.clone(), [batch, tokens]);
        let ids = Tensor::<B, 2, Int>::from_data(ids, &device);
        let hidden = model.hidden(ids, &tables, None);
        let width = network.blueprint.hidden_size;
        let hidden = hidden.reshape([rows, width]);
        let loss = model.head.loss(hidden, model.tied(), &targets, 1 << 24);
        let forward = start.elapsed().as_secs_f64();
        let gradients = loss.backward();
        let all = start.elapsed().as_secs_f64();
        println!(
            "{:.0} tokens/s, forward {forward:.2} s of {all:.2} s, loss {:.5}",
            rows as f64 / all,
            loss.into_scalar()
        );
        drop(gradients);
    }
    Ok(())
}

//! Gradients reach every parameter, and the pass that they flow through gives the same logits.
#![cfg(all(feature = "autodiff", feature = "cpu"))]

use burn::backend::Autodiff;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_flex::Flex;
use lmz_float::modules::{Loader, Tables};
use lmz_model::Network;
use lmz_testkit::repository;

struct Count<'a, B: AutodiffBackend> {
    gradients: &'a B::Gradients,
    with: usize,
    without: usize,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Count<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        match param.val().grad(self.gradients) {
            Some(_) => self.with += 1,
            None => self.without += 1,
        }
    }
}

#[test]
fn they_reach_every_parameter() {
    type B = Autodiff<Flex>;
    for family in ["llama", "gemma2", "gpt2", "falcon40b", "olmo2"] {
        let directory = repository("tests/fixtures/families").join(family);
        let network = Network::open(directory).expect("a fixture");
        let device = Default::default();
        let loader = Loader::<B>::new(&network, &device, DType::F32, 1 << 20);
        let model = loader.model().expect("it loads");
        let tables = Tables::new(&network.blueprint, 64, &device);
        let ids = TensorData::new((0..20).collect::<Vec<i32>>(), [2, 10]);
        let logits = model.logits(
            Tensor::<B, 2, Int>::from_data(ids.clone(), &device),
            &tables,
        );

        let plain = Loader::<Flex>::new(&network, &device, DType::F32, 1 << 20);
        let tables = Tables::new(&network.blueprint, 64, &device);
        let ids = Tensor::<Flex, 2, Int>::from_data(ids, &device);
        let other = plain.model().expect("it loads").logits(ids, &tables);
        let worst: f32 = (logits.clone().inner() - other).abs().max().into_scalar();
        assert!(worst < 1e-4, "{family}: {worst}");

        let gradients = logits.square().mean().backward();
        let mut count = Count::<B> {
            gradients: &gradients,
            with: 0,
            without: 0,
        };
        model.visit(&mut count);
        assert_eq!(count.without, 0, "{family}");
        assert!(count.with > 10, "{family}");
    }
}

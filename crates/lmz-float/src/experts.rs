//! Sparse experts (Mixtral): each token goes to the few that its router likes best.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};

use crate::gated::Gated;
use crate::kernels::Kernels;
use crate::linear::Linear;

/// A router and its experts.
#[derive(Module, Debug)]
pub struct Experts<B: Backend> {
    /// `[experts, hidden_size]`.
    pub router: Linear<B>,
    /// All experts; the router chooses some of them for each token.
    pub experts: Vec<Gated<B>>,
    pub(crate) chosen: usize,
}

impl<B: Kernels> Experts<B> {
    /// `[batch, tokens, hidden_size]` to the same.
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let shape = x.dims();
        let rows = shape[0] * shape[1];
        let count = self.experts.len();
        let dtype = x.dtype();
        let device = x.device();
        let x = x.reshape([rows, shape[2]]);
        let shares = softmax(self.router.forward(x.clone()).cast(DType::F32), 1); // [rows, count]

        // Who goes where is decided on the host; the weights stay where gradients can flow.
        let host: Vec<f32> = shares.clone().into_data().iter::<f32>().collect();
        let taken = choose(&host, count, self.chosen);
        let mask: Vec<f32> = taken.iter().map(|&t| f32::from(u8::from(t))).collect();
        let mask = Tensor::from_data(TensorData::new(mask, [rows, count]), (&device, DType::F32));
        let shares = shares * mask;
        let shares = shares.clone() / shares.sum_dim(1);

        let mut sum = x.zeros_like();
        for (e, expert) in self.experts.iter().enumerate() {
            let mine: Vec<i32> = (0..rows)
                .filter(|row| taken[row * count + e])
                .map(|row| row as i32)
                .collect();
            if mine.is_empty() {
                continue;
            }
            let mine = Tensor::<B, 1, Int>::from_data(mine.as_slice(), &device);
            let share = shares.clone().narrow(1, e, 1).select(0, mine.clone()); // [mine, 1]
            let output = expert.forward(x.clone().select(0, mine.clone()));
            let weighed = (output.cast(DType::F32) * share).cast(dtype);
            sum = sum.select_assign(0, mine, weighed, burn::tensor::IndexingUpdateOp::Add);
        }
        sum.reshape(shape)
    }
}

/// For each row of `count` shares whether an expert is among its `chosen` largest; the lower
/// index wins a tie.
fn choose(shares: &[f32], count: usize, chosen: usize) -> Vec<bool> {
    let mut taken = vec![false; shares.len()];
    for (row, taken) in shares.chunks(count).zip(taken.chunks_mut(count)) {
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        for &e in order.iter().take(chosen) {
            taken[e] = true;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_largest_are_chosen_and_ties_go_to_the_lower_index() {
        let taken = choose(&[0.1, 0.4, 0.4, 0.1, 0.7, 0.1, 0.1, 0.1], 4, 2);
        assert_eq!(taken, [false, true, true, false, true, true, false, false]);
    }
}

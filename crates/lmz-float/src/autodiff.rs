//! Gradients through the operations of [`kernels`](crate::kernels).
//!
//! A backend with backward passes of its own ([`Kernels::gradients`]) gets one node of the graph
//! for each operation; for any other, burn differentiates the operations that they consist of.

use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Graph;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorPrimitive};
use lmz_model::Activation;

use crate::kernels::{
    self, AttentionRule, Bounds, Gradients, Kernels, Multiply, NormRule, Products,
};

fn wrap<B: Backend, const D: usize>(x: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(x))
}

fn unwrap<B: Backend, const D: usize>(x: Tensor<B, D>) -> FloatTensor<B> {
    x.into_primitive().tensor()
}

/// The backend's own backward passes, for a tensor that they take.
fn own<B: Kernels>(dtype: DType) -> Option<&'static dyn Gradients<B>> {
    B::gradients().filter(|_| dtype == DType::F32)
}

impl<B: Kernels, C: CheckpointStrategy> Multiply for Autodiff<B, C> {}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn linear_map(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        products: Products,
    ) -> Tensor<Self, 2> {
        if own::<B>(x.dtype()).is_none() {
            return kernels::linear(x, weight, products);
        }
        #[derive(Debug)]
        struct Linear;
        impl<B: Kernels> Backward<B, 2> for Linear {
            type State = (FloatTensor<B>, FloatTensor<B>, Products);
            fn backward(self, ops: Ops<Self::State, 2>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient = wrap(graph.consume::<B>(&ops.node));
                let (x, weight, products) = ops.state;
                if let Some(own) = B::gradients() {
                    let (dx, dw) = own.linear(wrap(x), wrap(weight), products, gradient);
                    register::<B, 2>(
                        graph,
                        ops.parents.map(|p| p.map(|p| p.id)),
                        [unwrap(dx), unwrap(dw)],
                    );
                }
            }
        }
        let (x, weight) = (unwrap(x), unwrap(weight));
        let prepared = Linear.prepare::<C>([x.node.clone(), weight.node.clone()]);
        let (x, weight) = (x.primitive, weight.primitive);
        let y = unwrap(B::linear_map(
            wrap(x.clone()),
            wrap(weight.clone()),
            products,
        ));
        wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((x, weight, products), y),
            OpsKind::UnTracked(untracked) => untracked.finish(y),
        })
    }

    fn normalise<const D: usize>(
        x: Tensor<Self, D>,
        rule: NormRule,
        weight: Option<Tensor<Self, 1>>,
        bias: Option<Tensor<Self, 1>>,
    ) -> Tensor<Self, D> {
        let weight = match (weight, &bias) {
            (Some(weight), None) if !rule.centred && own::<B>(x.dtype()).is_some() => weight,
            (weight, _) => return kernels::normalise(x, rule, weight, bias),
        };
        #[derive(Debug)]
        struct Normalise;
        impl<B: Kernels> Backward<B, 2> for Normalise {
            type State = (FloatTensor<B>, FloatTensor<B>, NormRule);
            fn backward(self, ops: Ops<Self::State, 2>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient = wrap(graph.consume::<B>(&ops.node));
                let (x, weight, rule) = ops.state;
                if let Some(own) = B::gradients() {
                    let (dx, dw) = own.normalise(wrap(x), rule, wrap(weight), gradient);
                    register::<B, 2>(
                        graph,
                        ops.parents.map(|p| p.map(|p| p.id)),
                        [unwrap(dx), unwrap(dw)],
                    );
                }
            }
        }
        let shape = x.dims();
        let width = shape[D - 1];
        let rows = shape[..D - 1].iter().product::<usize>();
        let (x, weight) = (unwrap(x.reshape([rows, width])), unwrap(weight));
        let prepared = Normalise.prepare::<C>([x.node.clone(), weight.node.clone()]);
        let (x, weight) = (x.primitive, weight.primitive);
        let y: Tensor<B, 2> = B::normalise(wrap(x.clone()), rule, Some(wrap(weight.clone())), None);
        let y: Tensor<Self, 2> = wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((x, weight, rule), unwrap(y)),
            OpsKind::UnTracked(untracked) => untracked.finish(unwrap(y)),
        });
        y.reshape(shape)
    }

    fn rotate(x: Tensor<Self, 4>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 4> {
        if own::<B>(x.dtype()).is_none() {
            return kernels::rotate(x, cos, sin);
        }
        #[derive(Debug)]
        struct Rotate;
        impl<B: Kernels> Backward<B, 1> for Rotate {
            type State = (FloatTensor<B>, FloatTensor<B>);
            fn backward(self, ops: Ops<Self::State, 1>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient = wrap(graph.consume::<B>(&ops.node));
                let (cos, sin) = (wrap(ops.state.0), wrap::<B, 2>(ops.state.1));
                let dx = B::rotate(gradient, cos, sin.neg());
                register::<B, 1>(graph, ops.parents.map(|p| p.map(|p| p.id)), [unwrap(dx)]);
            }
        }
        let x = unwrap(x);
        let (cos, sin) = (unwrap(cos).primitive, unwrap(sin).primitive);
        let prepared = Rotate.prepare::<C>([x.node.clone()]);
        let y = B::rotate(wrap(x.primitive), wrap(cos.clone()), wrap(sin.clone()));
        wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((cos, sin), unwrap(y)),
            OpsKind::UnTracked(untracked) => untracked.finish(unwrap(y)),
        })
    }

    fn attend(
        query: Tensor<Self, 4>,
        key: Tensor<Self, 4>,
        value: Tensor<Self, 4>,
        rule: AttentionRule,
    ) -> Tensor<Self, 3> {
        let square = query.dims()[1] == key.dims()[1];
        if !square || rule.softcap.is_some() || own::<B>(query.dtype()).is_none() {
            return kernels::attend(query, key, value, rule);
        }
        #[derive(Debug)]
        struct Attend;
        impl<B: Kernels> Backward<B, 3> for Attend {
            type State = ([FloatTensor<B>; 3], AttentionRule);
            fn backward(self, ops: Ops<Self::State, 3>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient = wrap(graph.consume::<B>(&ops.node));
                let ([query, key, value], rule) = ops.state;
                if let Some(own) = B::gradients() {
                    let all = own.attend(wrap(query), wrap(key), wrap(value), rule, gradient);
                    register::<B, 3>(graph, ops.parents.map(|p| p.map(|p| p.id)), all.map(unwrap));
                }
            }
        }
        let parts = [query, key, value].map(unwrap);
        let nodes = [&parts[0], &parts[1], &parts[2]].map(|part| part.node.clone());
        let prepared = Attend.prepare::<C>(nodes);
        let parts = parts.map(|part| part.primitive);
        let [query, key, value] = parts.clone();
        let y = unwrap(B::attend(wrap(query), wrap(key), wrap(value), rule));
        wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((parts, rule), y),
            OpsKind::UnTracked(untracked) => untracked.finish(y),
        })
    }

    fn gated<const D: usize>(x: Tensor<Self, D>, activation: Activation) -> Tensor<Self, D> {
        if own::<B>(x.dtype()).is_none() {
            return kernels::gated(x, activation);
        }
        #[derive(Debug)]
        struct Gated;
        impl<B: Kernels> Backward<B, 1> for Gated {
            type State = (FloatTensor<B>, Activation);
            fn backward(self, ops: Ops<Self::State, 1>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient = wrap(graph.consume::<B>(&ops.node));
                let (x, activation) = ops.state;
                if let Some(own) = B::gradients() {
                    let dx = own.gated(wrap(x), activation, gradient);
                    register::<B, 1>(graph, ops.parents.map(|p| p.map(|p| p.id)), [unwrap(dx)]);
                }
            }
        }
        let mut shape = x.dims();
        let width = shape[D - 1];
        let rows = shape[..D - 1].iter().product::<usize>();
        let x = unwrap(x.reshape([rows, width]));
        let prepared = Gated.prepare::<C>([x.node.clone()]);
        let x = x.primitive;
        let y: Tensor<B, 2> = B::gated(wrap(x.clone()), activation);
        let y: Tensor<Self, 2> = wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((x, activation), unwrap(y)),
            OpsKind::UnTracked(untracked) => untracked.finish(unwrap(y)),
        });
        shape[D - 1] = width / 2;
        y.reshape(shape)
    }

    fn loss(
        hidden: Tensor<Self, 2>,
        head: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        softcap: Option<f64>,
        targets: &[u32],
        bounds: Bounds,
    ) -> Tensor<Self, 1> {
        let own = match own::<B>(hidden.dtype()) {
            Some(own) if bias.is_none() && softcap.is_none() => own,
            _ => return kernels::loss(hidden, head, bias, softcap, targets, bounds),
        };
        // The logits are there in the forward pass only, so that their gradients are made in it.
        #[derive(Debug)]
        struct Loss;
        impl<B: Kernels> Backward<B, 2> for Loss {
            type State = (FloatTensor<B>, FloatTensor<B>);
            fn backward(self, ops: Ops<Self::State, 2>, graph: &mut Graph, _: &mut Checkpointer) {
                let gradient: Tensor<B, 1> = wrap(graph.consume::<B>(&ops.node));
                let gradient = gradient.reshape([1, 1]);
                let (dh, dw) = (wrap::<B, 2>(ops.state.0), wrap::<B, 2>(ops.state.1));
                let both = [dh * gradient.clone(), dw * gradient];
                register::<B, 2>(
                    graph,
                    ops.parents.map(|p| p.map(|p| p.id)),
                    both.map(unwrap),
                );
            }
        }
        let (hidden, head) = (unwrap(hidden), unwrap(head));
        let prepared = Loss.prepare::<C>([hidden.node.clone(), head.node.clone()]);
        let (hidden, head) = (wrap(hidden.primitive), wrap(head.primitive));
        wrap(match prepared.compute_bound().stateful() {
            OpsKind::Tracked(tracked) => {
                let (loss, dh, dw) = own.loss(hidden, head, targets, bounds.products);
                tracked.finish((unwrap(dh), unwrap(dw)), unwrap(loss))
            }
            OpsKind::UnTracked(untracked) => {
                untracked.finish(unwrap(B::loss(hidden, head, None, None, targets, bounds)))
            }
        })
    }

    fn surprisals(
        hidden: Tensor<Self, 2>,
        head: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        softcap: Option<f64>,
        targets: &[u32],
        bounds: Bounds,
    ) -> Tensor<Self, 1> {
        kernels::surprisals(hidden, head, bias, softcap, targets, bounds)
    }
}

/// Hands gradients to the parents that want one.
fn register<B: Backend, const N: usize>(
    graph: &mut Graph,
    parents: [Option<NodeId>; N],
    gradients: [FloatTensor<B>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let Some(parent) = parent {
            graph.register::<B>(parent, gradient);
        }
    }
}

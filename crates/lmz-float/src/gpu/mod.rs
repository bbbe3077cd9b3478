//! Devices by CubeCL: Vulkan and CUDA.
//!
//! burn picks a matrix product's kernel by timing, and in f32 on CUDA the fastest round their
//! inputs to TF32, which has 10 bits of mantissa. A product of f32 here is one of f32, by a kernel
//! that is chosen by shape alone. Half-precision products are left to burn.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "vulkan")]
mod vulkan;

#[cfg(feature = "cuda")]
pub(crate) use cuda::cuda;
#[cfg(feature = "vulkan")]
pub(crate) use vulkan::vulkan;

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorPrimitive};
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::matmul::init_matmul_output;
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::{Strategy, launch_ref};
use cubek::matmul::routines::BlueprintStrategy;
use cubek::matmul::routines::TileSizeSelection;
use cubek::matmul::routines::simple_unit::SimpleUnitSelectionArgs;
use cubek::std::InputBinding;

use crate::kernels::{Kernels, Multiply};

#[cfg(feature = "vulkan")]
impl Kernels for burn::backend::Vulkan {}

#[cfg(feature = "vulkan")]
impl Multiply for burn::backend::Vulkan {
    fn multiply<const D: usize>(left: Tensor<Self, D>, right: Tensor<Self, D>) -> Tensor<Self, D> {
        multiply(left, right)
    }
}

#[cfg(feature = "cuda")]
impl Kernels for burn::backend::Cuda {}

#[cfg(feature = "cuda")]
impl Multiply for burn::backend::Cuda {
    fn multiply<const D: usize>(left: Tensor<Self, D>, right: Tensor<Self, D>) -> Tensor<Self, D> {
        multiply(left, right)
    }
}

/// `left * right`; in f32 without tensor cores.
fn multiply<R: CubeRuntime, B, const D: usize>(
    left: Tensor<B, D>,
    right: Tensor<B, D>,
) -> Tensor<B, D>
where
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    if left.dtype() != DType::F32 || right.dtype() != DType::F32 {
        return left.matmul(right);
    }
    let left = left.into_primitive().tensor();
    let right = right.into_primitive().tensor();
    let product = init_matmul_output(&left, &right, DType::F32);
    // The double-buffered form of this version is wrong where the sum runs over 8 elements.
    let unit = Strategy::SimpleUnit(BlueprintStrategy::Inferred(SimpleUnitSelectionArgs {
        tile_size: TileSizeSelection::MaxTileSize,
    }));
    if launch(&unit, left.clone(), right.clone(), &product).is_err() {
        // Shapes that the tiled kernel does not take. The plain one takes all.
        if let Err(reason) = launch(&Strategy::Naive, left, right, &product) {
            panic!("a matrix product failed: {reason}");
        }
    }
    Tensor::from_primitive(TensorPrimitive::Float(product))
}

fn launch<R: CubeRuntime>(
    strategy: &Strategy,
    left: CubeTensor<R>,
    right: CubeTensor<R>,
    product: &CubeTensor<R>,
) -> Result<(), String> {
    let mut types = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: DType::F32.into(),
        rhs: DType::F32.into(),
        out: DType::F32.into(),
    });
    launch_ref(
        strategy,
        &product.client,
        InputBinding::new(left.binding(), DType::F32.into()),
        InputBinding::new(right.binding(), DType::F32.into()),
        product.clone().binding(),
        &mut types,
    )
    .map_err(|reason| format!("{reason:?}"))
}

//! Memory on a device.

#![allow(unsafe_code)]

use std::marker::PhantomData;

use cubecl::prelude::*;
use cubecl::server::Handle;

/// A vector on a device.
#[derive(Debug)]
pub struct Buffer<T> {
    handle: Handle,
    len: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            len: self.len,
            of: PhantomData,
        }
    }
}

impl<T: CubeElement + Copy> Buffer<T> {
    /// The values, uploaded; one of no meaning where there are none.
    pub fn new<R: Runtime>(client: &ComputeClient<R>, values: &[T]) -> Self {
        if values.is_empty() {
            return Self::room(client, 1);
        }
        Self {
            handle: client.create_from_slice(T::as_bytes(values)),
            len: values.len(),
            of: PhantomData,
        }
    }

    /// Room for `len` values of any content.
    pub fn room<R: Runtime>(client: &ComputeClient<R>, len: usize) -> Self {
        let len = len.max(1);
        Self {
            handle: client.empty(len * size_of::<T>()),
            len,
            of: PhantomData,
        }
    }

    /// As a kernel takes it.
    pub fn arg<R: Runtime>(&self) -> ArrayArg<R> {
        // SAFETY: `len` values were allocated with this handle.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), self.len) }
    }

    /// As the next argument of a launch.
    pub fn register<R: Runtime>(
        &self,
        launcher: &mut KernelLauncher<R>,
    ) -> <Array<T> as LaunchArg>::CompilationArg
    where
        T: CubePrimitive,
    {
        <Array<T> as LaunchArg>::register(self.arg(), launcher)
    }

    /// For reading the first `len` values back.
    pub fn first(&self, len: usize) -> Handle {
        let rest = self.len.saturating_sub(len) * size_of::<T>();
        self.handle().offset_end(rest as u64)
    }

    /// For reading it back.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

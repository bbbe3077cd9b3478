//! Launches in a fraction of the host's time that CubeCL's own `launch` takes.
//!
//! A step of decoding is some fifty launches or more of little work each, so their cost on the host bounds its
//! speed. Two thirds of it went into a copy of the device's properties, which CubeCL 0.10 makes for every launch to
//! resolve generic types; no kernel here has any. What is left out is only that copy
//! (`cubecl-macros/src/generate/launch.rs`, `launch_body`).

/// Launches a kernel: the client, cubes, units, the kernel's type, then its arguments in order: buffers,
/// scalars with their types, comptime values.
macro_rules! launch {
    (
        $client:expr, $cubes:expr, $units:expr, $kernel:path,
        [$($buffer:expr),* $(,)?], [$($type:ty: $scalar:expr),* $(,)?], [$($comptime:expr),* $(,)?] $(,)?
    ) => {{
        let settings = cubecl::KernelSettings::default()
            .cube_dim($units)
            .address_type(cubecl::ir::AddressType::U32);
        let mut launcher = cubecl::prelude::KernelLauncher::new(settings.clone());
        let kernel = <$kernel>::new(
            settings,
            $client.clone(),
            $($buffer.register(&mut launcher),)*
            $(<$type as cubecl::prelude::LaunchArg>::register($scalar, &mut launcher),)*
            $($comptime,)*
        );
        launcher.launch($cubes, kernel, $client);
    }};
}

pub(crate) use launch;

//! CubeCL's own settings, as this project wants them.

use std::sync::Once;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

use crate::quiet;

/// Settles CubeCL's configuration before its first use: what it measures of kernels is kept in the
/// user's cache directory, and no file of the working directory is read or written.
pub fn configure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::default().override_from_env();
        config.autotune.cache = CacheConfig::Global;
        // It panics if another library of this process was first; then that one's holds.
        let _ = quiet::catch(|| CubeClRuntimeConfig::set(config));
    });
}

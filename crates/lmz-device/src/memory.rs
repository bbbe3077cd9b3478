//! The CPU: its memory and its name.

/// The main memory that is free, in bytes; within a container, what the container may still use.
pub fn free_memory() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    // Where /proc is missing or empty nothing is known, and the limits of a container cannot be asked for either.
    if system.total_memory() == 0 {
        return None;
    }
    let free = match system.cgroup_limits() {
        Some(limits) => left_of(&limits).min(system.available_memory()),
        None => system.available_memory(),
    };
    (free > 0).then_some(free)
}

/// What a container may still use. The pages of files that it has read are counted as its own, and are given up for anything
/// else: a machine that has read much would seem to have no memory.
fn left_of(limits: &sysinfo::CGroupLimits) -> u64 {
    limits
        .free_memory
        .max(limits.total_memory.saturating_sub(limits.rss))
}

/// The processor's name as its maker gives it; `CPU` where the system tells none.
pub fn cpu_name() -> String {
    let mut system = sysinfo::System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    match system.cpus().first().map(|cpu| cpu.brand().trim()) {
        Some(brand) if !brand.is_empty() => brand.to_string(),
        _ => "CPU".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_files_are_free() {
        let limits = |total_memory, free_memory, rss| sysinfo::CGroupLimits {
            total_memory,
            free_memory,
            rss,
            ..Default::default()
        };
        // 22 of 24 GB used, but for 300 MB by files.
        assert_eq!(left_of(&limits(24_000, 2_000, 300)), 23_700);
        assert_eq!(left_of(&limits(24_000, 2_000, 22_000)), 2_000);
        assert_eq!(left_of(&limits(1_000, 0, 1_200)), 0);
    }
}

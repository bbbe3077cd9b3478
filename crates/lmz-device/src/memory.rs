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
        Some(limits) => limits.free_memory.min(system.available_memory()),
        None => system.available_memory(),
    };
    (free > 0).then_some(free)
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

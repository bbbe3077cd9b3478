//! Tasks on this machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::Result;
use crate::tasks::{Done, Plan, Store, Task, run_task};

/// How long to wait for a task that another process is at before looking again.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who looks on.
pub trait LocalWatch: Sync {
    /// A task ended.
    fn ended(&self, task: &Task, result: &Result<Done>);

    /// Whether to begin no more tasks.
    fn cancelled(&self) -> bool {
        false
    }
}

/// What became of the tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalOutcome {
    /// Done by this run.
    pub done: usize,
    /// There already, or done by another process in the meantime.
    pub before: usize,
    /// Failed, or could not begin because a task that they need failed.
    pub failed: usize,
}

/// Does all tasks that are not done, `jobs` at a time, each on one of `devices` in turn. Tasks that
/// fail do not keep others from being done.
pub fn run_local(
    plan: &Plan,
    jobs: usize,
    devices: &[String],
    watch: &dyn LocalWatch,
) -> LocalOutcome {
    let outcome = Mutex::new(LocalOutcome::default());
    let (first, second): (Vec<&Task>, Vec<&Task>) =
        plan.tasks.iter().partition(|task| task.needs.is_empty());
    for stage in [first, second] {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for worker in 0..jobs.max(1) {
                let device = devices.get(worker % devices.len().max(1));
                let device = device.map_or("auto", String::as_str);
                let (next, stage, outcome) = (&next, &stage, &outcome);
                scope.spawn(move || {
                    while let Some(task) = stage.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if watch.cancelled() {
                            return;
                        }
                        let result = patiently(plan, task, device, watch);
                        let mut all = outcome.lock().unwrap_or_else(|poison| poison.into_inner());
                        match &result {
                            Ok(Done::Now) => all.done += 1,
                            Ok(Done::Before) => all.before += 1,
                            // Only if it was cancelled while it waited.
                            Ok(Done::Elsewhere) => {}
                            Err(_) => all.failed += 1,
                        }
                        drop(all);
                        watch.ended(task, &result);
                    }
                });
            }
        });
    }
    outcome
        .into_inner()
        .unwrap_or_else(|poison| poison.into_inner())
}

/// Does a task, or waits until whoever is at it has done it or has died.
fn patiently(plan: &Plan, task: &Task, device: &str, watch: &dyn LocalWatch) -> Result<Done> {
    let store = Store::new(&plan.directory);
    loop {
        match run_task(plan, task, device) {
            Ok(Done::Elsewhere) if !watch.cancelled() => {
                std::thread::sleep(PATIENCE);
                if store.is_done(&task.id) {
                    return Ok(Done::Before);
                }
            }
            other => return other,
        }
    }
}

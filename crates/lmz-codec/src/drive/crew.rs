//! Tasks that workers share, and hand to each other.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Tasks, and the workers that do them. It takes any number of workers at any time: one that comes when all is done
/// finds nothing, and none waits for one that has not come.
pub struct Crew<T> {
    /// How many tasks there are, done or not.
    pub tasks: usize,
    table: Mutex<Table<T>>,
    changed: Condvar,
}

struct Table<T> {
    /// Tasks that no worker has: new ones, those that were given away, and those of a worker that could not go on.
    open: VecDeque<T>,
    done: Vec<T>,
    /// Workers that have come and not gone.
    present: usize,
    /// Those of them that wait for tasks.
    idle: usize,
}

/// A worker's presence in a [`Crew`]; dropped, it leaves.
pub struct Presence<'a, T>(&'a Crew<T>);

impl<T> Crew<T> {
    pub fn new(tasks: impl IntoIterator<Item = T>) -> Self {
        let open: VecDeque<T> = tasks.into_iter().collect();
        Self {
            tasks: open.len(),
            table: Mutex::new(Table {
                open,
                done: Vec::new(),
                present: 0,
                idle: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// For a worker that has tasks, or will soon know that there are none. Only one that is present [waits](Self::wait).
    pub fn enter(&self) -> Presence<'_, T> {
        self.lock().present += 1;
        Presence(self)
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        // No panic leaves the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task that no worker has.
    pub fn take(&self) -> Option<T> {
        self.lock().open.pop_front()
    }

    /// Leaves tasks to whoever takes them.
    pub fn give(&self, tasks: impl IntoIterator<Item = T>) {
        self.lock().open.extend(tasks);
        self.changed.notify_all();
    }

    /// Keeps a task that is done.
    pub fn end(&self, task: T) {
        self.lock().done.push(task);
    }

    /// Workers that wait and that nothing is there for.
    pub fn idle(&self) -> usize {
        let table = self.lock();
        table.idle.saturating_sub(table.open.len())
    }

    /// Waits until there is a task that no worker has; false once no worker that is present has any.
    pub fn wait(&self) -> bool {
        let mut table = self.lock();
        table.idle += 1;
        while table.open.is_empty() && table.idle < table.present {
            let woken = self.changed.wait(table);
            table = woken.unwrap_or_else(PoisonError::into_inner);
        }
        table.idle -= 1;
        !table.open.is_empty()
    }

    /// The tasks that are done, in any order: all, unless a worker has returned an error.
    pub fn into_done(self) -> Vec<T> {
        let table = self.table.into_inner();
        table.unwrap_or_else(PoisonError::into_inner).done
    }
}

impl<T> Drop for Presence<'_, T> {
    fn drop(&mut self) {
        self.0.lock().present -= 1;
        // Those who wait may be the only ones left.
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works until nothing is left, first on what is its own; fails on `fatal`. Returns what it has done.
    fn work(crew: &Crew<u32>, mut own: Vec<u32>, fatal: u32) -> Result<Vec<u32>, u32> {
        let _presence = crew.enter();
        let mut done = Vec::new();
        loop {
            let Some(next) = own.pop() else {
                if !crew.wait() {
                    return Ok(done);
                }
                own.extend(crew.take());
                continue;
            };
            std::thread::yield_now();
            if next == fatal {
                return Err(next);
            }
            done.push(next);
            let idle = crew.idle();
            if idle > 0 && own.len() > 1 {
                crew.give(own.split_off(own.len() - (own.len() / (idle + 1)).max(1)));
            }
        }
    }

    #[test]
    fn all_is_done_once_and_by_all() {
        for (threads, most) in [(1, 40), (2, 200), (3, 100), (8, 2000)] {
            for round in 0..50 {
                let crew = Crew::new([]);
                let mut done: Vec<u32> = std::thread::scope(|scope| {
                    let working = (0..threads).map(|i| {
                        // One has all of it; the others come when they come.
                        let own = if i == round % threads {
                            (0..most).collect()
                        } else {
                            Vec::new()
                        };
                        let crew = &crew;
                        scope.spawn(move || work(crew, own, u32::MAX).unwrap())
                    });
                    let working: Vec<_> = working.collect();
                    let done = working.into_iter().map(|thread| thread.join().unwrap());
                    done.flatten().collect()
                });
                done.sort_unstable();
                assert!(done.into_iter().eq(0..most), "{threads} threads");
            }
        }
    }

    #[test]
    fn nobody_waits_for_one_that_failed() {
        for fatal in 0..50 {
            let crew = Crew::new([]);
            let failures = std::thread::scope(|scope| {
                let working: Vec<_> = (0..3)
                    .map(|i| {
                        let own = (0..50).skip(i).step_by(3).collect();
                        let crew = &crew;
                        scope.spawn(move || work(crew, own, fatal))
                    })
                    .collect();
                let ended = working.into_iter().map(|thread| thread.join().unwrap());
                ended.filter(Result::is_err).count()
            });
            assert_eq!(failures, 1);
        }
    }

    #[test]
    fn what_is_left_behind_is_done_by_others() {
        let crew = Crew::new([1]);
        let presence = crew.enter();
        assert_eq!((crew.take(), crew.take()), (Some(1), None));
        crew.give([1, 2, 3]);
        drop(presence);
        let done = std::thread::scope(|scope| {
            let working = [0, 1].map(|_| scope.spawn(|| work(&crew, Vec::new(), 9).unwrap()));
            working.map(|thread| thread.join().unwrap()).concat()
        });
        assert_eq!(done.iter().sum::<u32>(), 6);
        assert_eq!(done.len(), 3);
        assert_eq!(crew.take(), None);
    }

    #[test]
    fn one_that_comes_late_finds_nothing() {
        let crew = Crew::new([]);
        assert_eq!(work(&crew, vec![1, 2], 9), Ok(vec![2, 1]));
        assert_eq!(work(&crew, Vec::new(), 9), Ok(Vec::new()));
    }

    #[test]
    fn what_is_done_is_kept() {
        let crew = Crew::new([1, 2]);
        let presence = crew.enter();
        while let Some(task) = crew.take() {
            crew.end(10 * task);
        }
        assert!(!crew.wait());
        drop(presence);
        assert_eq!(crew.into_done(), [10, 20]);
    }
}

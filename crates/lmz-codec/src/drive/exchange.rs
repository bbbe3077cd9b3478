//! Work under way that changes hands: a thread that has run out of it is given some of another's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Where the threads of one task meet. It takes any number of them at any time: one that comes when all
/// is done finds nothing, and none waits for one that has not come.
pub struct Exchange<T> {
    table: Mutex<Table<T>>,
    arrived: Condvar,
    /// Threads that nothing on the table is for, to be read without the lock.
    hungry: AtomicUsize,
    /// How much was left behind, likewise.
    left_behind: AtomicUsize,
}

struct Table<T> {
    /// Gifts that nobody has taken yet.
    gifts: Vec<Vec<T>>,
    /// Work of a thread that could not go on, for all to take.
    left_behind: Vec<T>,
    /// Threads that have come and not gone.
    present: usize,
    /// Those of them that have nothing.
    waiting: usize,
}

/// A thread's presence at an [`Exchange`]; dropped, it leaves.
pub struct Presence<'a, T>(&'a Exchange<T>);

impl<T> Exchange<T> {
    pub fn new() -> Self {
        Self {
            table: Mutex::new(Table {
                gifts: Vec::new(),
                left_behind: Vec::new(),
                present: 0,
                waiting: 0,
            }),
            arrived: Condvar::new(),
            hungry: AtomicUsize::new(0),
            left_behind: AtomicUsize::new(0),
        }
    }

    /// For a thread that has work, or will soon know that it has none.
    pub fn enter(&self) -> Presence<'_, T> {
        self.lock().present += 1;
        Presence(self)
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        // No panic leaves the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, table: &Table<T>) {
        let hungry = table.waiting.saturating_sub(table.gifts.len());
        self.hungry.store(hungry, Ordering::Relaxed);
        let left_behind = table.left_behind.len();
        self.left_behind.store(left_behind, Ordering::Relaxed);
    }
}

impl<T> Presence<'_, T> {
    /// Threads that wait for work and have not been given any.
    pub fn hungry(&self) -> usize {
        self.0.hungry.load(Ordering::Relaxed)
    }

    /// Leaves work to one thread that waits.
    pub fn give(&self, work: Vec<T>) {
        let mut table = self.0.lock();
        table.gifts.push(work);
        self.0.count(&table);
        self.0.arrived.notify_one();
    }

    /// Leaves work behind for whoever comes to it: this thread cannot go on.
    pub fn leave(&self, work: impl IntoIterator<Item = T>) {
        let mut table = self.0.lock();
        table.left_behind.extend(work);
        self.0.count(&table);
        self.0.arrived.notify_all();
    }

    /// A piece of what was left behind.
    pub fn pick(&self) -> Option<T> {
        if self.0.left_behind.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut table = self.0.lock();
        let piece = table.left_behind.pop();
        self.0.count(&table);
        piece
    }

    /// Waits for work; `None` once nobody has any.
    pub fn receive(&self) -> Option<Vec<T>> {
        let mut table = self.0.lock();
        table.waiting += 1;
        loop {
            let gift = table
                .gifts
                .pop()
                .or_else(|| table.left_behind.pop().map(|piece| vec![piece]));
            if gift.is_some() || table.waiting == table.present {
                table.waiting -= 1;
                self.0.count(&table);
                return gift;
            }
            self.0.count(&table);
            let woken = self.0.arrived.wait(table);
            table = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Presence<'_, T> {
    fn drop(&mut self) {
        let mut table = self.0.lock();
        table.present -= 1;
        // Those who wait may be the only ones left.
        self.0.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works until nothing is left; fails on `fatal`. Returns what it has done.
    fn work(exchange: &Exchange<u32>, mut own: Vec<u32>, fatal: u32) -> Result<Vec<u32>, u32> {
        let place = exchange.enter();
        let mut done = Vec::new();
        loop {
            let Some(next) = own.pop() else {
                match place.receive() {
                    Some(gift) => own = gift,
                    None => return Ok(done),
                }
                continue;
            };
            std::thread::yield_now();
            if next == fatal {
                return Err(next);
            }
            done.push(next);
            let hungry = place.hungry();
            if hungry > 0 && own.len() > 1 {
                place.give(own.split_off(own.len() - (own.len() / (hungry + 1)).max(1)));
            }
        }
    }

    #[test]
    fn all_is_done_once_and_by_all() {
        for (threads, most) in [(1, 40), (2, 200), (3, 100), (8, 2000)] {
            for round in 0..50 {
                let exchange = Exchange::new();
                let mut done: Vec<u32> = std::thread::scope(|scope| {
                    let working = (0..threads).map(|i| {
                        // One has all of it; the others come when they come.
                        let own = if i == round % threads {
                            (0..most).collect()
                        } else {
                            Vec::new()
                        };
                        let exchange = &exchange;
                        scope.spawn(move || work(exchange, own, u32::MAX).unwrap())
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
            let exchange = Exchange::new();
            let failures = std::thread::scope(|scope| {
                let working: Vec<_> = (0..3)
                    .map(|i| {
                        let own = (0..50).skip(i).step_by(3).collect();
                        let exchange = &exchange;
                        scope.spawn(move || work(exchange, own, fatal))
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
        let exchange = Exchange::new();
        let place = exchange.enter();
        assert_eq!(place.pick(), None);
        place.leave([1, 2, 3]);
        drop(place);
        let done = std::thread::scope(|scope| {
            let working = [0, 1].map(|_| scope.spawn(|| work(&exchange, Vec::new(), 9).unwrap()));
            working.map(|thread| thread.join().unwrap()).concat()
        });
        assert_eq!(done.iter().sum::<u32>(), 6);
        assert_eq!(done.len(), 3);
        assert_eq!(exchange.enter().pick(), None);
    }

    #[test]
    fn one_that_comes_late_finds_nothing() {
        let exchange = Exchange::new();
        assert_eq!(work(&exchange, vec![1, 2], 9), Ok(vec![2, 1]));
        assert_eq!(work(&exchange, Vec::new(), 9), Ok(Vec::new()));
    }
}

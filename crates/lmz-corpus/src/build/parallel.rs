//! Work on all cores whose results come in the order of the work.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::{CorpusError, Result};

/// Calls `work` on what `produce` sends, on `threads` threads, and gives the results to `consume` in the order in which
/// things were sent. At most twice as many things as threads are under way at a time.
///
/// # Errors
/// Those of `consume`, and otherwise of `produce`.
pub fn ordered<T: Send, R: Send>(
    threads: usize,
    produce: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<()> + Send,
    work: impl Fn(T) -> R + Sync,
    mut consume: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let threads = threads.max(1);
    let under_way = 2 * threads + 2;
    let (permit, permits) = sync_channel::<()>(under_way);
    for _ in 0..under_way {
        // There is room for all of them.
        _ = permit.send(());
    }
    let (send_task, tasks) = sync_channel::<(u64, T)>(under_way);
    let (send_result, results) = sync_channel::<(u64, R)>(under_way);
    let tasks = Mutex::new(Some(tasks));
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            let mut number = 0;
            produce(&mut |thing| {
                // Nobody takes results any more: the consumer has failed, and says why.
                permits.recv().map_err(|_| CorpusError::Cancelled)?;
                let sent = send_task.send((number, thing));
                number += 1;
                sent.map_err(|_| CorpusError::Cancelled)
            })
        });
        for _ in 0..threads {
            let (send_result, tasks, work) = (send_result.clone(), &tasks, &work);
            scope.spawn(move || {
                loop {
                    let next = {
                        let tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
                        tasks.as_ref().and_then(|tasks| tasks.recv().ok())
                    };
                    let Some((number, thing)) = next else { break };
                    if send_result.send((number, work(thing))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send_result);
        let mut early = BTreeMap::new();
        let mut next = 0;
        let mut outcome = Ok(());
        'results: for (number, result) in results.iter() {
            early.insert(number, result);
            while let Some(result) = early.remove(&next) {
                outcome = consume(result);
                if outcome.is_err() {
                    break 'results;
                }
                next += 1;
                // The producer may be done.
                _ = permit.send(());
            }
        }
        // Whoever waits to send or to be allowed to is told that it is over.
        drop((results, permit));
        let produced = producer.join();
        outcome?;
        produced.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_takes_longer() {
        let mut seen = Vec::new();
        let numbers = |send: &mut dyn FnMut(u64) -> Result<()>| (0..200).try_for_each(send);
        let work = |n: u64| {
            thread::sleep(std::time::Duration::from_micros(n * 7919 % 300));
            n * n
        };
        let put = |n| {
            seen.push(n);
            Ok(())
        };
        ordered(4, numbers, work, put).unwrap();
        assert_eq!(seen, (0..200).map(|n| n * n).collect::<Vec<u64>>());
    }

    #[test]
    fn the_first_fault_ends_it() {
        let endless = |send: &mut dyn FnMut(u64) -> Result<()>| (0..).try_for_each(send);
        let fails = |n| match n {
            50 => Err(CorpusError::Refused("fifty".into())),
            _ => Ok(()),
        };
        let error = ordered(3, endless, |n| n, fails).unwrap_err();
        assert_eq!(error.to_string(), "fifty");
        let broken = |send: &mut dyn FnMut(u64) -> Result<()>| {
            send(1)?;
            Err(CorpusError::Refused("source".into()))
        };
        let error = ordered(3, broken, |n| n, |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "source");
    }
}

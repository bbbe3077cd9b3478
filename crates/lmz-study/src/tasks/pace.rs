//! How long open tasks will take, by those that are done.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::store::Store;
use super::task::{Task, TaskKind};

/// Seconds of tasks: spent by those that are done, and from that guessed for the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Seconds of each task that is done, by its name.
    spent: BTreeMap<String, f64>,
    /// Of each kind of tasks seconds and work of those that are done.
    kinds: BTreeMap<String, (f64, f64)>,
}

impl Pace {
    /// From the results that are there. One that cannot be read is passed over: whoever needs its
    /// figures is told.
    pub fn of(plan: &Plan) -> Self {
        let store = Store::new(&plan.directory);
        let mut pace = Self::default();
        for task in &plan.tasks {
            if pace.spent.contains_key(&task.id) {
                continue;
            }
            let Ok(Some(result)) = store.read(&task.id) else {
                continue;
            };
            pace.spent.insert(task.id.clone(), result.seconds);
            if let Some(work) = work(plan, task) {
                let kind = pace.kinds.entry(kind(task)).or_default();
                *kind = (kind.0 + result.seconds, kind.1 + work);
            }
        }
        pace
    }

    /// What a task took; `None` if it is not done.
    pub fn spent(&self, task: &Task) -> Option<f64> {
        self.spent.get(&task.id).copied()
    }

    /// What a task will take, as if time grew with the model as with those that are done; `None`
    /// if none of its kind is done, or its model's size is not known.
    pub fn guess(&self, plan: &Plan, task: &Task) -> Option<f64> {
        let &(seconds, done) = self.kinds.get(&kind(task))?;
        (done > 0.0).then(|| work(plan, task).map(|work| seconds / done * work))?
    }
}

/// Tasks whose time is by the same measure.
fn kind(task: &Task) -> String {
    match &task.kind {
        TaskKind::Score { .. } => "score".into(),
        TaskKind::Merge { .. } => "merge".into(),
        TaskKind::Compress { .. } => "compress".into(),
        TaskKind::Evaluate { benchmark } => format!("evaluate {benchmark}"),
    }
}

/// Multiply-adds, or the size of the model where the amount of text is the same for all.
fn work(plan: &Plan, task: &Task) -> Option<f64> {
    match &task.kind {
        TaskKind::Evaluate { .. } => {
            let mut models = plan.config.models.iter();
            models.find(|model| model.name == task.model)?.parameters
        }
        _ => task.cost,
    }
}

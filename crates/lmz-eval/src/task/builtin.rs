//! The tasks that are part of the program.

use super::check::parse;
use super::format::Task;
use crate::error::Result;

macro_rules! tasks {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../tasks/", $name, ".toml")))),*]
    };
}

/// Names and texts of the files in `tasks/`.
const FILES: [(&str, &str); 18] = tasks![
    "arc_challenge",
    "arc_easy",
    "blimp",
    "ds1000",
    "gsm8k",
    "gsm8k_program",
    "hellaswag",
    "humaneval",
    "lambada_openai",
    "math",
    "mbpp",
    "mmlu",
    "mmlu_cloze",
    "mmlu_math",
    "nq_open",
    "piqa",
    "sat_math",
    "triviaqa",
];

/// The tasks of this program, by name.
///
/// # Errors
/// None is known to happen: a test reads them all.
pub fn builtin() -> Result<Vec<Task>> {
    let tasks = FILES
        .iter()
        .map(|(name, text)| parse(&format!("tasks/{name}.toml"), text));
    tasks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_read_and_has_its_file_s_name() {
        let tasks = builtin().unwrap();
        for (task, (name, _)) in tasks.iter().zip(FILES) {
            assert_eq!(task.name, name);
        }
        assert!(tasks.is_sorted_by_key(|task| &task.name));
        let tables = [("knowledge", 6), ("coding", 3), ("math", 5), ("small", 5)];
        for (group, count) in tables {
            let members = tasks
                .iter()
                .filter(|task| task.groups.iter().any(|g| g == group));
            assert_eq!(members.count(), count, "{group}");
        }
    }
}

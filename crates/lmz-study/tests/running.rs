//! A study from plan to report, with a stand-in for `lmz` that counts its calls.
#![cfg(unix)]

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lmz_study::dataset::{Metric, Target};
use lmz_study::executor::{LocalOutcome, LocalWatch, Slurm, job_file, run_local};
use lmz_study::status::{State, plan_to_text, status, to_text};
use lmz_study::tasks::{Done, Plan, Store, Task, TaskKind, plan, run_task};
use lmz_study::{Result, StudyError, gather};

struct Nobody;

impl LocalWatch for Nobody {
    fn ended(&self, _: &Task, _: &Result<Done>) {}
}

/// A study of as many models, whose stand-in has its own log.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new(models: &[u32]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bench = Self { directory };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lmz.sh");
        // The log's name is a part of the program: tests run side by side.
        let script = format!(
            "#!/bin/sh\nFAKE_LMZ_LOG={log} exec sh {fixture} \"$@\"\n",
            log = bench.log().display(),
            fixture = fixture.display()
        );
        bench.write("bin/lmz", &script);
        let status = Command::new("chmod")
            .arg("+x")
            .arg(bench.path().join("bin/lmz"))
            .status();
        assert!(status.unwrap().success());
        for corpus in ["web", "code"] {
            bench.write(&format!("{corpus}.txt"), &format!("the {corpus} corpus"));
        }
        for model in models {
            bench.write(&format!("models/{model}"), &model.to_string());
        }
        bench.configure(models, 64);
        bench
    }

    fn configure(&self, models: &[u32], window: u32) {
        let mut text = format!(
            "title = \"t\"\nlmz = \"bin/lmz\"\n[protocol]\nwindow = {window}\nstride = 32\n"
        );
        for model in models {
            text += &format!(
                "[[model]]\nname = \"m{model}\"\npath = \"models/{model}\"\nparameters = {model}e6\n"
            );
        }
        text += "[[corpus]]\nname = \"web\"\npath = \"web.txt\"\ncompress = true\n\
                 [[corpus]]\nname = \"code\"\npath = \"code.txt\"\nshards = 2\n\
                 [[benchmark]]\nname = \"arc\"\ntask = \"arc\"\nmetric = \"acc_norm\"\n\
                 [[area]]\nname = \"k\"\ncorpus = \"web\"\nbenchmarks = [\"arc\"]\n\
                 [executor]\nresources = { cpus = 2, memory = \"1G\", time = \"10\" }\n";
        self.write("study.toml", &text);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    fn calls(&self) -> usize {
        std::fs::read_to_string(self.log())
            .unwrap_or_default()
            .lines()
            .count()
    }

    fn plan(&self) -> Plan {
        plan(self.path()).unwrap()
    }
}

fn run(plan: &Plan) -> LocalOutcome {
    run_local(plan, 3, &["cpu".into()], &Nobody)
}

/// Tasks of a model: web, its file, two shards of code, their whole, and the benchmark.
const PER_MODEL: usize = 6;

#[test]
fn a_study_runs_once_and_its_figures_arrive() {
    let bench = Bench::new(&[11, 12, 14, 17]);
    let plan = bench.plan();
    assert_eq!(plan.tasks.len(), 4 * PER_MODEL);
    let ids: HashSet<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids.len(), plan.tasks.len());
    let open = status(&plan, &BTreeMap::new());
    assert!(open.iter().all(|one| one.state == State::Open));
    assert!(!plan_to_text(&plan).contains('~'), "nothing is known yet");

    let outcome = run(&plan);
    assert_eq!((outcome.done, outcome.before, outcome.failed), (24, 0, 0));
    assert_eq!(bench.calls(), 24);
    // Again: nothing is done twice.
    let outcome = run(&plan);
    assert_eq!((outcome.done, outcome.before, outcome.failed), (0, 24, 0));
    assert_eq!(bench.calls(), 24);

    let report = gather(&plan).unwrap();
    let data = &report.study.data;
    let web = data.compression[0][data.corpus("web").unwrap()].unwrap();
    assert_eq!(web.bits_per_character, Some(0.511));
    assert_eq!((web.compressed_bytes, web.bytes), (Some(111), Some(14)));
    let code = data.compression[3][data.corpus("code").unwrap()].unwrap();
    assert_eq!(
        code.bits_per_character,
        Some(0.517),
        "of the parts put together"
    );
    assert_eq!(data.scores[0][0].unwrap().value, 0.688);
    let answer = report
        .study
        .answer(
            &["web"],
            Metric::BitsPerCharacter,
            &Target::Area("k".into()),
        )
        .unwrap();
    assert!((answer.pearson.as_ref().unwrap().value + 1.0).abs() < 1e-9);
    assert!(data.notes.is_empty(), "{:?}", data.notes);
    // What study.toml states, beside what was counted.
    let model = &data.models[0];
    assert_eq!(
        (model.parameters, model.counted),
        (Some(11e6), Some(11_500_000))
    );
    let log = std::fs::read_to_string(bench.log()).unwrap();
    let call = log.lines().find(|line| line.contains("--mix")).unwrap();
    assert!(
        call.contains("--mix none --stdout") && call.ends_with("/text"),
        "{call}"
    );
    assert!(
        data.methods
            .iter()
            .any(|fact| fact.value.contains("window 64"))
    );
    assert_eq!(report.spread, [], "two documents are no three parts");
    let written = report.write(&bench.path().join("report.html")).unwrap();
    assert_eq!(written.len(), 6);
    assert!(
        written
            .iter()
            .all(|path| path.metadata().unwrap().len() > 100)
    );
}

#[test]
fn what_fails_is_said_and_can_be_done_again() {
    let bench = Bench::new(&[11, 13]);
    let plan = bench.plan();
    let outcome = run(&plan);
    // Every task of model 13 but its merging fails by itself; that lacks its parts.
    assert_eq!((outcome.done, outcome.failed), (PER_MODEL, PER_MODEL));
    let text = to_text(&status(&plan, &BTreeMap::new()), false);
    assert!(
        text.contains("6 done, 6 failed") && text.contains("unlucky"),
        "{text}"
    );
    let report = gather(&plan).unwrap();
    assert_eq!(report.study.data.notes.len(), 7);
    assert!(report.study.data.notes[0].contains("6 of 12 tasks"));
    let answer = &report.study.answers[0];
    assert_eq!(
        (answer.n, answer.missing.as_slice()),
        (1, &["m13".to_owned()][..])
    );
    assert!(
        report
            .to_html()
            .contains("1 models have both figures, and 3 are needed")
    );

    bench.write("log.mended", "");
    let outcome = run(&plan);
    assert_eq!((outcome.done, outcome.before, outcome.failed), (6, 6, 0));
    assert!(gather(&plan).unwrap().study.data.notes.is_empty());
}

#[test]
fn a_file_is_made_of_the_texts_that_are_scored() {
    let bench = Bench::new(&[11]);
    let lines = "{\"meta\":1,\"body\":\"one\"}\n{\"body\":\"zwölf\"}\n{\"body\":\"three\"}\n";
    bench.write("web.jsonl", lines);
    let text = std::fs::read_to_string(bench.path().join("study.toml")).unwrap();
    let jsonl = "path = \"web.jsonl\"\nfield = \"body\"\nlimit = 2\n";
    let text = text.replace("path = \"web.txt\"\n", jsonl).replace(
        "[executor]",
        "[compress]\nmix = \"auto\"\nverify = false\n[executor]",
    );
    bench.write("study.toml", &text);
    let plan = bench.plan();
    // Two texts of nine bytes in all, a parameter for each four of them.
    assert_eq!(plan.tasks[1].cost, Some(11e6 * 9.0 / 4.0));
    assert_eq!(run(&plan).failed, 0);
    let result = Store::new(bench.path())
        .read(&plan.tasks[1].id)
        .unwrap()
        .unwrap();
    assert_eq!(result.output["bytes"], 9);
    assert_eq!(result.output["documents"], 2);
    assert_eq!(result.output["mix"], "auto");
    assert!(result.command.contains(&"--no-verify".to_owned()));
    assert!(gather(&plan).unwrap().study.data.notes.is_empty());

    // Scored was another text than the one that was compressed.
    bench.write("log.hash", "0123");
    bench.configure(&[11], 32);
    let text = text.replace("window = 64", "window = 32");
    bench.write("study.toml", &text);
    let plan = bench.plan();
    run(&plan);
    let notes = gather(&plan).unwrap().study.data.notes;
    assert_eq!(notes, ["web: results are of different texts"]);
}

#[test]
fn two_runs_at_once_share_the_work() {
    let bench = Bench::new(&[11, 12, 14]);
    let plan = bench.plan();
    let outcomes: Vec<LocalOutcome> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| run(&plan))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let done: usize = outcomes.iter().map(|outcome| outcome.done).sum();
    assert_eq!(done, 18);
    assert!(
        outcomes
            .iter()
            .all(|o| o.done + o.before == 18 && o.failed == 0)
    );
    assert_eq!(bench.calls(), 18, "each task once");
}

#[test]
fn only_what_changed_is_done_again() {
    let bench = Bench::new(&[11, 12]);
    run(&bench.plan());
    let before = bench.calls();
    bench.write("models/14", "14");
    bench.configure(&[11, 12, 14], 64);
    // Of every kind some were done: all that is open can be told, but to merge costs nothing.
    let text = plan_to_text(&bench.plan());
    let guessed = text.lines().filter(|line| line.contains('~'));
    assert_eq!(guessed.count(), PER_MODEL - 1, "{text}");
    assert!(text.contains("at the pace of what is done"), "{text}");
    assert_eq!(run(&bench.plan()).done, PER_MODEL, "a further model");
    bench.configure(&[11, 12, 14], 128);
    assert_eq!(run(&bench.plan()).done, 3 * 4, "another window: all scores");
    bench.write("web.txt", "another text");
    assert_eq!(
        run(&bench.plan()).done,
        3 * 2,
        "another corpus: scores and files"
    );
    bench.write("models/11", "15");
    assert_eq!(run(&bench.plan()).done, PER_MODEL, "other weights");
    assert_eq!(bench.calls(), before + 6 + 12 + 6 + 6);
}

#[test]
fn a_killed_task_leaves_no_result_and_a_damaged_one_is_found() {
    let bench = Bench::new(&[11]);
    let plan = bench.plan();
    let task = &plan.tasks[0];
    let store = Store::new(bench.path());
    // What a kill leaves: a journal, half of a temporary file.
    bench.write(&format!("work/{}/journal.jsonl", task.id), "torn");
    bench.write("results/.lmz-study.x.tmp", "{\"study_res");
    assert_eq!(run_task(&plan, task, "cpu").unwrap(), Done::Now);
    assert!(!store.work(&task.id).exists());
    assert_eq!(run_task(&plan, task, "cpu").unwrap(), Done::Before);
    // What another engine has begun is begun again.
    let other = &plan.tasks[2];
    bench.write(&format!("work/{}/begun-elsewhere", other.id), "");
    assert_eq!(run_task(&plan, other, "cpu").unwrap(), Done::Now);

    let path = bench.path().join(format!("results/{}.json", task.id));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("0.511", "0.411")).unwrap();
    let error = gather(&plan).unwrap_err().to_string();
    assert!(
        error.contains("do not fit its hash") && error.contains(&task.id),
        "{error}"
    );

    // While another process has it.
    std::fs::remove_file(&path).unwrap();
    let lock = store.take(&task.id).unwrap().unwrap();
    assert_eq!(run_task(&plan, task, "cpu").unwrap(), Done::Elsewhere);
    drop(lock);
    assert_eq!(run_task(&plan, task, "cpu").unwrap(), Done::Now);
}

#[test]
fn benchmarks_get_their_files_and_min_k() {
    let bench = Bench::new(&[11]);
    let before = bench.plan();
    let text = std::fs::read_to_string(bench.path().join("study.toml")).unwrap();
    let text = text
        .replace("[protocol]", "data = \"benchmarks\"\n[protocol]")
        .replace("metric = \"acc_norm\"", "metric = \"acc_norm\"\nmin_k = 20");
    bench.write("study.toml", &text);
    let error = plan(bench.path()).unwrap_err().to_string();
    assert!(error.contains("data: there is no"), "{error}");
    bench.write("benchmarks/arc.jsonl", "{}");
    let after = bench.plan();
    let ids =
        |plan: &Plan| -> Vec<String> { plan.tasks.iter().map(|task| task.id.clone()).collect() };
    let (old, new) = (ids(&before), ids(&after));
    assert_eq!(old[..PER_MODEL - 1], new[..PER_MODEL - 1]);
    assert_ne!(old[PER_MODEL - 1], new[PER_MODEL - 1]);
    bench.write("benchmarks/arc.jsonl", "{ }");
    assert_ne!(ids(&bench.plan())[PER_MODEL - 1], new[PER_MODEL - 1]);
    assert_eq!(run(&bench.plan()).failed, 0);
    let log = std::fs::read_to_string(bench.log()).unwrap();
    let call = log.lines().find(|line| line.starts_with("eval")).unwrap();
    let data = bench.path().join("benchmarks");
    assert!(
        call.contains(&format!("--data {}", data.display())),
        "{call}"
    );
    assert!(call.contains("--min-k=20"), "{call}");
    bench.write("study.toml", &text.replace("min_k = 20", "min_k = 0"));
    let error = plan(bench.path()).unwrap_err().to_string();
    assert!(error.contains("benchmark arc: min_k"), "{error}");
}

#[test]
fn tasks_have_names_and_wrong_ones_are_errors() {
    let bench = Bench::new(&[11]);
    let plan = bench.plan();
    let id = &plan.tasks[2].id;
    assert_eq!(plan.task(&id[..12]).unwrap().id, *id);
    assert!(matches!(plan.task("zz"), Err(StudyError::NoTask(_))));
    assert!(matches!(plan.task(""), Err(StudyError::NoTask(_))));
    std::fs::remove_file(bench.path().join("web.txt")).unwrap();
    let error = lmz_study::tasks::plan(bench.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("corpus web") && error.contains("web.txt"),
        "{error}"
    );
}

#[test]
fn slurm_s_scripts_hold_every_task_once() {
    let bench = Bench::new(&[11, 12, 14]);
    let plan = bench.plan();
    let slurm = Slurm::new(&plan, Path::new("/opt/l m z/lmz"));
    let all = slurm.submissions(4);
    // 15 tasks without needs in arrays of 4, 3 merging ones, the report.
    let sizes: Vec<usize> = all.iter().map(|one| one.tasks.len()).collect();
    assert_eq!(sizes, [4, 4, 4, 3, 3, 0]);
    assert_eq!(all[4].after, [0, 1, 2, 3]);
    assert_eq!(all[5].after, [0, 1, 2, 3, 4]);
    let tasks: HashSet<&String> = all.iter().flat_map(|one| &one.tasks).collect();
    assert_eq!(tasks.len(), plan.tasks.len());
    let script = &all[0].script;
    for line in [
        "#SBATCH --array=0-3",
        "#SBATCH --requeue",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --mem=1G",
        "#SBATCH --time=10",
        "exec '/opt/l m z/lmz' study task",
    ] {
        assert!(script.contains(line), "{line}\n{script}");
    }
    assert_eq!(slurm.submissions(1000).len(), 3);
    run(&plan);
    assert_eq!(slurm.submissions(4), [], "everything is done");
}

#[test]
fn hyperqueue_s_file_is_what_its_documentation_says() {
    let bench = Bench::new(&[11]);
    let plan = bench.plan();
    let text = job_file(&plan, Path::new("/usr/bin/lmz")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    let keys: HashSet<&str> = file.keys().map(String::as_str).collect();
    assert_eq!(keys, HashSet::from(["name", "task"]));
    let tasks = file["task"].as_array().unwrap();
    assert_eq!(tasks.len(), PER_MODEL + 1);
    // The keys of a task and of a request in "Job Definition File".
    let known = [
        "id",
        "command",
        "deps",
        "time_limit",
        "crash_limit",
        "request",
    ];
    for (number, task) in tasks.iter().enumerate() {
        let task = task.as_table().unwrap();
        assert!(
            task.keys().all(|key| known.contains(&key.as_str())),
            "{task:?}"
        );
        assert_eq!(task["id"].as_integer(), Some(number as i64));
        let command = task["command"].as_array().unwrap();
        assert!(command.iter().all(|word| word.is_str()));
        assert_eq!(command[1].as_str(), Some("study"));
        let request = task["request"].as_array().unwrap()[0].as_table().unwrap();
        assert!(request["resources"].as_table().unwrap()["cpus"].is_integer());
        assert!(
            request
                .keys()
                .all(|key| ["resources", "time_request"].contains(&key.as_str()))
        );
        for need in task
            .get("deps")
            .and_then(|deps| deps.as_array())
            .into_iter()
            .flatten()
        {
            assert!(need.as_integer().unwrap() < number as i64);
        }
    }
    let merge = plan
        .tasks
        .iter()
        .position(|task| matches!(task.kind, TaskKind::Merge { .. }));
    assert_eq!(tasks[merge.unwrap()]["deps"].as_array().unwrap().len(), 2);
    run(&plan);
    assert_eq!(job_file(&plan, Path::new("lmz")), None);
}

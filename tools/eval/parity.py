#!/usr/bin/env python3
"""Compares `lmz eval` with lm-evaluation-harness, item by item, on the same files.

    pip install torch transformers "lm-eval[hf]"
    tools/eval/parity.py --model DIR --data DIR --out FILE       # what the harness answers, as JSON
    tools/eval/parity.py --model DIR --data DIR --lmz PROGRAM    # and what lmz answers; exits with 1 where they differ
    tools/eval/parity.py --write                                 # the fixture of tests/fixtures/eval

DIR of --model is a Hugging Face directory; DIR of --data holds benchmarks in the published forms (docs/eval.md). The
tasks are the harness's own, made to read these files; examples are the first ones, so that both have the same.
Log-likelihoods must agree to 1e-4 (of the sum over a continuation), choices, metrics and generated texts exactly.
"""
import argparse, json, math, os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4

# Task of lmz: the harness's file, its split, and what of it is read. `shots` as the fixture has them.
TASKS = {
    "blimp": ("blimp/adjunct_island.yaml", "validation_split", 0),
    "hellaswag": ("hellaswag/hellaswag.yaml", "validation_split", 0),
    "arc_easy": ("arc/arc_easy.yaml", "test_split", 0),
    "arc_challenge": ("arc/arc_challenge.yaml", "test_split", 0),
    "piqa": ("piqa/piqa.yaml", "validation_split", 0),
    "lambada_openai": ("lambada/lambada_openai.yaml", "test_split", 0),
    "mmlu": ("mmlu/default/mmlu_abstract_algebra.yaml", "test_split", 2),
    "mmlu_cloze": ("mmlu/continuation/mmlu_abstract_algebra.yaml", "test_split", 1),
    "gsm8k": ("gsm8k/gsm8k.yaml", "test_split", 0),
    "nq_open": ("nq_open/nq_open.yaml", "validation_split", 3),
}


def lines(path):
    import gzip
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8")
    return [json.loads(line) for line in opened if line.strip()]


def find(data, *names):
    for name in names:
        if (data / name).exists():
            return lines(data / name)
    return None


def arc(row):
    if "question" in row:
        stem, choices = row["question"]["stem"], row["question"]["choices"]
        labels = [c["label"] for c in choices]
        return {"question": stem, "choices": {"text": [c["text"] for c in choices], "label": labels},
                "answerKey": row["answerKey"]}
    labels = [chr(65 + i) for i in range(len(row["choices"]))]
    return {"question": row["query"].removeprefix("Question: ").strip(),
            "choices": {"text": row["choices"], "label": labels}, "answerKey": labels[row["gold"]]}


def mmlu(path):
    import csv
    rows = list(csv.reader(open(path, newline="", encoding="utf-8")))
    if rows[0][-1] == "answer":
        rows = rows[1:]
    gold = lambda a: "ABCD".index(a) if a in "ABCD" else int(a)
    return [{"question": r[0], "subject": "abstract_algebra", "choices": r[1:5], "answer": gold(r[5])} for r in rows]


def records(task, data):
    """What is scored, and what examples are from, in the form of the harness's data sets; None without files."""
    if task == "blimp":
        return find(data, "blimp/adjunct_island.jsonl"), None
    if task == "hellaswag":
        found = find(data, "hellaswag_val.jsonl", "hellaswag_val_1000.jsonl")
        return found and [{**row, "label": str(row["label"])} for row in found], None
    if task.startswith("arc_"):
        stem = {"arc_easy": "ARC-Easy", "arc_challenge": "ARC-Challenge"}[task]
        found = find(data, f"{stem}-Test.jsonl", f"{task}.jsonl")
        return found and [arc(row) for row in found], None
    if task == "piqa":
        found = find(data, "piqa_valid.jsonl", "piqa.jsonl")
        query = lambda row: row["query"].removeprefix("Question: ").removesuffix("\n")
        return found and [row if "goal" in row else
                          {"goal": query(row), "sol1": row["choices"][0], "sol2": row["choices"][1], "label": row["gold"]}
                          for row in found], None
    if task == "lambada_openai":
        found = find(data, "lambada_openai.jsonl")
        return found and [{"text": f"{row['context']} {row['continuation']}"} for row in found], None
    if task.startswith("mmlu"):
        path = data / "mmlu/test/abstract_algebra_test.csv"
        return (mmlu(path), mmlu(data / "mmlu/dev/abstract_algebra_dev.csv")) if path.exists() else (None, None)
    if task == "gsm8k":
        return find(data, "gsm8k_test.jsonl"), find(data, "gsm8k_train.jsonl")
    if task == "nq_open":
        return find(data, "NQ-open.dev.jsonl", "nq_open_dev.jsonl"), find(data, "NQ-open.train.jsonl", "nq_open_train.jsonl")


def harness(model, data, wanted, limit, shots_of, max_tokens, device):
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager
    import yaml

    package = pathlib.Path(lm_eval.__file__).parent / "tasks"
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for task in wanted:
            file, split, _ = TASKS[task]
            test, train = records(task, data)
            if test is None:
                print(f"{task}: its files are not there", file=sys.stderr)
                continue
            files = {"scored": test[:limit], **({"examples": train} if train else {})}
            paths = {}
            for name, rows in files.items():
                paths[name] = str(folder / f"{task}-{name}.json")
                pathlib.Path(paths[name]).write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
            entry = {"include": str(package / file), "task": f"lmz_{task}", "dataset_path": "json", "dataset_name": None,
                     "dataset_kwargs": {"data_files": paths}, "training_split": None, "validation_split": None,
                     "test_split": None, split: "scored", "fewshot_split": "examples" if train else "scored",
                     "fewshot_config": {"sampler": "first_n"}, "tag": []}
            if task == "mmlu_cloze":
                # Its own file names no metrics: both are the harness's defaults for choices.
                entry["metric_list"] = [{"metric": "acc"}, {"metric": "acc_norm"}]
            if max_tokens and task in ("gsm8k", "nq_open"):
                base = yaml.load((package / file).read_text(), Loader=yaml.BaseLoader)
                entry["generation_kwargs"] = {"until": base["generation_kwargs"]["until"], "do_sample": False,
                                              "temperature": 0.0, "max_gen_toks": max_tokens}
            (folder / f"{task}.yaml").write_text(yaml.dump(entry))
        manager = TaskManager(include_path=str(folder))
        # A tokenizer of tokenizer.json alone names no token for an empty context; the model does.
        first = json.loads((pathlib.Path(model) / "config.json").read_text()).get("bos_token_id")
        lm = HFLM(pretrained=str(model), dtype="float32", device=device, batch_size=1, prefix_token_id=first)
        last = json.loads((pathlib.Path(model) / "config.json").read_text()).get("eos_token_id")
        if lm.tokenizer.eos_token is None and isinstance(last, int):
            lm.tokenizer.eos_token = lm.tokenizer.convert_ids_to_tokens(last)
        for task in wanted:
            if not (folder / f"{task}.yaml").exists():
                continue
            found = lm_eval.simple_evaluate(model=lm, tasks=[f"lmz_{task}"], num_fewshot=shots_of(task), task_manager=manager,
                                            log_samples=True, bootstrap_iters=0)
            samples = found["samples"][f"lmz_{task}"]
            keep, seen = [], set()
            for sample in sorted(samples, key=lambda s: s["doc_id"]):
                if sample["doc_id"] in seen:
                    continue
                seen.add(sample["doc_id"])
                responses = [r[0] for r in sample["resps"]]
                if isinstance(responses[0], str):
                    keep.append({"text": responses[0]})
                else:
                    keep.append({"logs": [float(r[0]) for r in responses], "greedy": [str(r[1]) == "True" for r in responses]})
            metrics = {name.replace(",none", "").replace(",remove_whitespace", "").replace(",strict-match", "")
                       .replace("exact_match,flexible-extract", "exact_match_flexible"): value
                       for name, value in found["results"][f"lmz_{task}"].items()
                       if isinstance(value, float) and "stderr" not in name}
            out[task] = {"shots": shots_of(task), "items": keep, "metrics": metrics}
    return out


def differences(expected, program, model, data, limit, max_tokens):
    """What lmz answers otherwise, in words."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = pathlib.Path(folder) / "tasks"
        tasks.mkdir()
        for task in expected:
            text = (ROOT / f"crates/lmz-eval/tasks/{task}.toml").read_text(encoding="utf-8")
            text = text.replace('sampler = "random"', 'sampler = "first"')
            if max_tokens:
                text = text.replace("max_tokens = 256", f"max_tokens = {max_tokens}")
            (tasks / f"{task}.toml").write_text(text, encoding="utf-8")
        for task, wanted in expected.items():
            command = [program, "eval", "-m", str(model), "--tasks", task, "--data", str(data), "--task-files", str(tasks),
                       "--fewshot", str(wanted["shots"]), "--limit", str(limit), "--device", "cpu", "--out",
                       f"{folder}/{task}", "--log-samples", "--json", "--quiet"]
            ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            if ran.returncode:
                yield f"{task}: lmz ended with {ran.returncode}"
                continue
            report = json.loads(ran.stdout)
            samples = lines(pathlib.Path(folder) / task / f"{task}.samples.jsonl")
            samples = [s for s in samples if s.get("group", "adjunct_island") in ("adjunct_island", "abstract_algebra")]
            worst = 0.0
            if len(samples) != len(wanted["items"]):
                yield f"{task}: {len(samples)} items, not {len(wanted['items'])}"
            for number, (sample, item) in enumerate(zip(samples, wanted["items"])):
                if "text" in item:
                    if sample["text"] != item["text"]:
                        yield f"{task} {number}: {sample['text']!r}, not {item['text']!r}"
                    continue
                worst = max(worst, *(abs(a - b) for a, b in zip(sample["logs"], item["logs"])))
                if task == "lambada_openai" and sample.get("greedy", [False]) != item["greedy"]:
                    yield f"{task} {number}: greedy is another"
            if worst > TOLERANCE:
                yield f"{task}: a log-likelihood differs by {worst:.2e}"
            ours = {f["name"]: f["value"] for f in report["metrics"] + report["measures"]}
            if task in ("blimp", "mmlu", "mmlu_cloze"):
                group = report["groups"].get("adjunct_island") or report["groups"].get("abstract_algebra")
                ours = {f["name"]: f["value"] for f in group}
            for name, value in wanted["metrics"].items():
                if name in ours and not math.isclose(ours[name], value, rel_tol=1e-4 if "perplexity" in name else 1e-12):
                    yield f"{task}: {name} is {ours[name]}, not {value}"
            shared = sorted(set(wanted["metrics"]) & set(ours))
            print(f"{task}: {len(samples)} items, largest difference {worst:.2e}, metrics {', '.join(shared)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--fewshot", type=int, help="for all tasks [default: as the fixture]")
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--lmz")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.write:
        args.model, args.data = ROOT / "tests/fixtures/stories260K", ROOT / "tests/fixtures/eval/data"
        args.out, args.limit, args.max_tokens = ROOT / "tests/fixtures/eval/stories260K.json", 12, 24
    if not (args.model and args.data):
        parser.error("--model and --data are needed")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    shots = lambda task: TASKS[task][2] if args.fewshot is None else args.fewshot
    found = harness(args.model, args.data.resolve(), args.tasks.split(","), args.limit, shots, args.max_tokens, args.device)
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if args.lmz:
        wrong = list(differences(found, args.lmz, args.model, args.data, args.limit, args.max_tokens))
        print("\n".join(wrong))
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

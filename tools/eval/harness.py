"""What lm-evaluation-harness answers to the files that `lmz eval` reads: its own tasks, made to read local files."""
import json, pathlib, sys, tempfile, time

# Task of lmz: the harness's file ({} is a subject), its split, and how many examples the fixture has.
TASKS = {
    "blimp": ("blimp/{}.yaml", "validation_split", 0),
    "hellaswag": ("hellaswag/hellaswag.yaml", "validation_split", 0),
    "arc_easy": ("arc/arc_easy.yaml", "test_split", 0),
    "arc_challenge": ("arc/arc_challenge.yaml", "test_split", 0),
    "piqa": ("piqa/piqa.yaml", "validation_split", 0),
    "lambada_openai": ("lambada/lambada_openai.yaml", "test_split", 0),
    "mmlu": ("mmlu/default/mmlu_{}.yaml", "test_split", 2),
    "mmlu_cloze": ("mmlu/continuation/mmlu_{}.yaml", "test_split", 1),
    "gsm8k": ("gsm8k/gsm8k.yaml", "test_split", 0),
    "nq_open": ("nq_open/nq_open.yaml", "validation_split", 3),
    "pages": (None, "test_split", 0),
}

# A rolling task; the harness's own (wikitext) counts the words of a text before it is put right.
PAGES = {"output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{page}}",
         "metric_list": [{"metric": m} for m in ("word_perplexity", "byte_perplexity", "bits_per_byte")]}


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


def mmlu(path, subject):
    import csv
    rows = list(csv.reader(open(path, newline="", encoding="utf-8")))
    if rows[0][-1] == "answer":
        rows = rows[1:]
    gold = lambda a: "ABCD".index(a) if a in "ABCD" else int(a)
    return [{"question": r[0], "subject": subject, "choices": r[1:5], "answer": gold(r[5])} for r in rows]


def subjects(task, data):
    """The parts of a task that the harness has as tasks of their own, in the order of lmz."""
    if task == "blimp":
        return sorted(path.stem for path in (data / "blimp").glob("*.jsonl"))
    if task.startswith("mmlu"):
        return sorted(path.name.removesuffix("_test.csv") for path in (data / "mmlu/test").glob("*_test.csv"))
    return [None]


def records(task, subject, data):
    """What is scored, and what examples are from, in the form of the harness's data sets; None without files."""
    if task == "blimp":
        return find(data, f"blimp/{subject}.jsonl"), None
    if task == "hellaswag":
        found = find(data, "hellaswag_val.jsonl", "hellaswag_val_1000.jsonl")
        return found and [{**row, "label": str(row["label"])} for row in found], None
    if task.startswith("arc_"):
        stem = {"arc_easy": "ARC-Easy", "arc_challenge": "ARC-Challenge"}[task]
        found = find(data, f"{stem}-Test.jsonl", f"{task}.jsonl")
        train = find(data, f"{stem}-Train.jsonl", f"{task}_train.jsonl")
        return found and [arc(row) for row in found], train and [arc(row) for row in train]
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
        return mmlu(data / f"mmlu/test/{subject}_test.csv", subject), mmlu(data / f"mmlu/dev/{subject}_dev.csv", subject)
    if task == "gsm8k":
        return find(data, "gsm8k_test.jsonl"), find(data, "gsm8k_train.jsonl")
    if task == "nq_open":
        return find(data, "NQ-open.dev.jsonl", "nq_open_dev.jsonl"), find(data, "NQ-open.train.jsonl", "nq_open_train.jsonl")
    if task == "pages":
        return find(data, "pages.jsonl"), None
    raise ValueError(task)


def describe(task, subject, test, train, folder, package, max_tokens):
    """Writes the harness's description of a task with local files; its name."""
    import yaml

    file, split, _ = TASKS[task]
    name = f"lmz_{task}" + (f"_{subject}" if subject else "")
    paths = {}
    for part, rows in {"scored": test, **({"examples": train} if train else {})}.items():
        paths[part] = str(folder / f"{name}-{part}.json")
        pathlib.Path(paths[part]).write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    entry = {"include": str(package / file.format(subject))} if file else dict(PAGES)
    entry |= {"task": name, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": paths},
              "training_split": None, "validation_split": None, "test_split": None, split: "scored",
              "fewshot_split": "examples" if train else "scored", "fewshot_config": {"sampler": "first_n"}, "tag": []}
    if task == "mmlu_cloze":
        # Its own file names no metrics: both are the harness's defaults for choices.
        entry["metric_list"] = [{"metric": "acc"}, {"metric": "acc_norm"}]
    if max_tokens and task in ("gsm8k", "nq_open"):
        base = yaml.load((package / file).read_text(), Loader=yaml.BaseLoader)
        entry["generation_kwargs"] = {"until": base["generation_kwargs"]["until"], "do_sample": False,
                                      "temperature": 0.0, "max_gen_toks": max_tokens}
    (folder / f"{name}.yaml").write_text(yaml.dump(entry))
    return name


def lean():
    """The harness's model, with logits for those places only that it scores: it computes all of them and drops the rest."""
    import torch
    from lm_eval.models.huggingface import HFLM

    class Lean(HFLM):
        def _loglikelihood_tokens(self, requests, *args, **more):
            self.scored = {}
            for _, context, continuation in requests:
                row = tuple((context + continuation)[-(self.max_length + 1):][:-1])
                self.scored[row] = max(len(continuation), self.scored.get(row, 0))
            return super()._loglikelihood_tokens(requests, *args, **more)

        def _model_call(self, inps, attn_mask=None, labels=None):
            keep = 0
            for row in map(tuple, inps.tolist()):
                end = len(row)
                while end and row[end - 1] == 0:  # what a shorter row is filled with
                    end -= 1
                keep = max(keep, len(row) - end + self.scored.get(row[:end], len(row)))
            with torch.no_grad():
                return self.model(inps, logits_to_keep=keep).logits

    return Lean


def opened(model, dtype, device, batch, softmax, whole):
    from lm_eval.models.huggingface import HFLM

    # A tokenizer of tokenizer.json alone names no token for an empty context; the model does.
    config = json.loads((pathlib.Path(model) / "config.json").read_text())
    lm = (HFLM if whole else lean())(pretrained=str(model), dtype=dtype, device=device, batch_size=batch, softmax_dtype=softmax,
                                     prefix_token_id=config.get("bos_token_id"))
    last = config.get("eos_token_id")
    if lm.tokenizer.eos_token is None and isinstance(last, int):
        lm.tokenizer.eos_token = lm.tokenizer.convert_ids_to_tokens(last)
    if lm.tokenizer.pad_token is None:
        lm.tokenizer.pad_token = lm.tokenizer.eos_token
    return lm


def short(metric):
    return (metric.replace(",none", "").replace(",remove_whitespace", "").replace(",strict-match", "")
            .replace("exact_match,flexible-extract", "exact_match_flexible"))


def items(samples):
    keep, seen = [], set()
    for sample in sorted(samples, key=lambda s: s["doc_id"]):
        if sample["doc_id"] in seen:
            continue
        seen.add(sample["doc_id"])
        responses = [r[0] for r in sample["resps"]]
        if isinstance(responses[0], str):
            keep.append({"text": responses[0]})
        elif isinstance(responses[0], float):
            keep.append({"logs": responses})
        else:
            keep.append({"logs": [float(r[0]) for r in responses], "greedy": [str(r[1]) == "True" for r in responses]})
    return keep


def ask(model, data, wanted, limit_of, shots_of, max_tokens, device="cpu", dtype="float32", batch=1, softmax=None, whole=False, only=None):
    """The answers to each task: its items in the order of lmz, its metrics, those of its subjects, and the seconds.

    `only`: numbers of items, instead of all. `whole`: the harness as it is, with logits for all places of a text.
    """
    import lm_eval
    from lm_eval.tasks import TaskManager

    package = pathlib.Path(lm_eval.__file__).parent / "tasks"
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        names, pools = {}, {}
        for task in wanted:
            number = 0
            for subject in subjects(task, data):
                test, train = records(task, subject, data)
                pools[task] = train
                test = (test or [])[:limit_of(task)]
                chosen = [row for at, row in enumerate(test, number) if only is None or at in only]
                number += len(test)
                if chosen:
                    name = describe(task, subject, chosen, train, folder, package, max_tokens)
                    names.setdefault(task, {})[name] = subject
            if task not in names:
                print(f"{task}: its files are not there", file=sys.stderr)
        manager = TaskManager(include_path=str(folder))
        lm = opened(model, dtype, device, batch, softmax, whole)
        for task, parts in names.items():
            # Else a whole text would begin with the token that begins a text, and be scored from it on, behind another one.
            lm.add_bos_token = False if task == "pages" else None
            start = time.time()
            found = lm_eval.simple_evaluate(model=lm, tasks=list(parts), num_fewshot=shots_of(task), task_manager=manager,
                                            log_samples=True, bootstrap_iters=0)
            seconds = time.time() - start
            keep, groups, totals, count = [], {}, {}, 0
            for name, subject in parts.items():
                some = items(found["samples"][name])
                metrics = {short(metric): value for metric, value in found["results"][name].items()
                           if isinstance(value, float) and "stderr" not in metric}
                keep += some
                groups[subject] = metrics
                count += len(some)
                for metric, value in metrics.items():
                    totals[metric] = totals.get(metric, 0) + value * len(some)
            if len(groups) == 1:
                (metrics,) = groups.values()
                out[task] = {"shots": shots_of(task), "items": keep, "metrics": metrics}
            else:
                metrics = {metric: total / count for metric, total in totals.items()}
                out[task] = {"shots": shots_of(task), "items": keep, "metrics": metrics, "groups": groups}
            # Its examples are then the first questions, and it does not leave out the one that is asked.
            if pools[task] is None and shots_of(task):
                out[task]["own_examples"] = True
            print(f"{task}: the harness took {seconds:.1f} s", file=sys.stderr, flush=True)
            yield task, out[task], seconds

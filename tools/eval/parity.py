#!/usr/bin/env python3
"""Compares `lmz eval` with lm-evaluation-harness, item by item, on the same files.

    pip install torch transformers "lm-eval[hf]"
    tools/eval/parity.py --model DIR --data DIR --lmz PROGRAM     # both answer; exits with 1 where they differ
    tools/eval/parity.py --model DIR --data DIR --out FILE        # what the harness answers, as JSON ...
    tools/eval/parity.py --answers FILE --model DIR --data DIR --lmz PROGRAM      # ... and lmz against that
    tools/eval/parity.py --write                                  # the fixture of tests/fixtures/eval

DIR of --model is a Hugging Face directory (tools/eval/from_gguf.py makes one of a GGUF file, which lmz may read itself:
--lmz-model FILE); DIR of --data holds benchmarks in the published forms (docs/eval.md). The tasks are the harness's own, made
to read these files; examples are the first ones, so that both have the same. --limit, --fewshot: a number for all tasks,
and others for some (200,gsm8k=50); a limit is one of each subject. Log-likelihoods must agree to 1e-4 (of the sum over
a continuation), choices, metrics and generated texts exactly. --recheck N asks the harness again in float64 for the N items
that differ most, which tells whose rounding it is; --softmax float64 has it add up its softmax in float64 (its softmax_dtype).
"""
import argparse, json, math, os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4


def by_task(text, default):
    """`200,gsm8k=50`: a function from a task to its number."""
    some = dict(part.split("=") for part in text.split(",") if "=" in part)
    rest = [part for part in text.split(",") if part and "=" not in part]
    unknown = set(some) - set(harness.TASKS)
    if unknown:
        sys.exit(f"no task {', '.join(sorted(unknown))}")
    return lambda task: int(some.get(task, rest[0] if rest else default(task)))


def task_files(folder, max_tokens):
    """The tasks of lmz, with the first examples instead of random ones."""
    for path in [*(ROOT / "crates/lmz-eval/tasks").glob("*.toml"), ROOT / "tests/fixtures/eval/pages.toml"]:
        text = path.read_text(encoding="utf-8").replace('sampler = "random"', 'sampler = "first"')
        if max_tokens:
            text = text.replace("max_tokens = 256", f"max_tokens = {max_tokens}")
        (folder / path.name).write_text(text, encoding="utf-8")


def ours(task, shots, limit, args):
    """The report and the samples of `lmz eval`."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "tasks").mkdir()
        task_files(folder / "tasks", args.max_tokens)
        command = [args.lmz, "eval", "-m", str(args.lmz_model or args.model), "--tasks", task, "--data", str(args.data),
                   "--task-files", str(folder / "tasks"), "--fewshot", str(shots), "--limit", str(limit), "--device", "cpu",
                   "--out", str(folder / "out"), "--log-samples", "--json", "--quiet", *args.lmz_options]
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if ran.returncode:
            return None
        samples = harness.lines(folder / "out" / f"{task}.samples.jsonl")
        return json.loads(ran.stdout), samples


def largest(logs):
    return max(range(len(logs)), key=lambda i: logs[i])


def compare(task, theirs, report, samples, row):
    """What lmz answers otherwise, in words; `row` gets the figures of the table."""
    items = theirs["items"]
    row |= {"items": len(items), "shots": theirs["shots"], "worst": None, "mean": None, "over": None, "choices": None, "texts": None, "far": []}
    if len(samples) != len(items):
        yield f"{task}: {len(samples)} items, not {len(items)}"
        return
    asked = theirs["shots"] if theirs.get("own_examples") else 0
    if asked:
        print(f"{task}: the harness has the first {asked} questions as their own examples: they are not compared")
    row["items"] -= asked
    far, allowed = [], []
    for number, (sample, item) in enumerate(zip(samples, items)):
        if number < asked:
            continue
        if "text" in item:
            row["texts"] = (row["texts"] or 0) + (sample["text"] == item["text"])
            if sample["text"] != item["text"]:
                yield f"{task} {number}: {sample['text']!r}, not {item['text']!r}"
            continue
        far += [abs(a - b) for a, b in zip(sample["logs"], item["logs"], strict=True)]
        row["far"].append((max(far[-len(item["logs"]):]), number))
        # The harness adds up in f32: a sum of thousands of nats is not known better than this.
        allowed += [max(TOLERANCE, abs(log) * 2.0**-23) for log in item["logs"]]
        if len(item["logs"]) > 1:
            other = largest(sample["logs"]) != largest(item["logs"])
            row["choices"] = (row["choices"] or 0) + other
            if other:
                yield f"{task} {number}: {sample['logs']}, not {item['logs']}: another choice"
        elif "greedy" in sample and sample["greedy"] != item["greedy"]:
            yield f"{task} {number}: greedy is another"
    if far:
        row["worst"], row["mean"], row["over"] = max(far), sum(far) / len(far), f"{sum(one > TOLERANCE for one in far)} of {len(far)}"
        beyond = sum(one > near for one, near in zip(far, allowed))
        if beyond:
            yield f"{task}: {beyond} of {len(far)} log-likelihoods differ by more than allowed, the worst by {row['worst']:.2e}"
    parts = {None: theirs["metrics"], **theirs.get("groups", {})}
    row["metrics"] = []
    for group, metrics in parts.items():
        of = report["metrics"] + report["measures"] if group is None else report["groups"][group]
        ours = {figure["name"]: figure["value"] for figure in of}
        for name, value in metrics.items():
            if asked:
                continue
            near = 1e-4 if "perplexity" in name or name == "bits_per_byte" else 1e-12
            if name in ours and not math.isclose(ours[name], value, rel_tol=near):
                yield f"{task}{' ' + group if group else ''}: {name} is {ours[name]}, not {value}"
            if name in ours and group is None:
                row["metrics"].append(f"{name} {value:.4g}")


def recheck(task, theirs, samples, row, limit_of, args):
    """How far both are from the harness in float64, of the items that differ most."""
    if theirs.get("own_examples"):
        print(f"{task}: its examples are among its questions, some of which cannot be asked alone")
        return
    numbers = sorted(number for _, number in sorted(row["far"], reverse=True)[:args.recheck])
    ((_, exact, _),) = harness.ask(args.model, args.data, [task], limit_of, lambda _: theirs["shots"], args.max_tokens, args.device,
                                   "float64", 1, only=set(numbers))
    of_lmz, of_harness = [], []
    for number, item in zip(numbers, exact["items"], strict=True):
        away = lambda logs: max((a - b for a, b in zip(logs, item["logs"], strict=True)), key=abs)
        of_lmz.append(away(samples[number]["logs"]))
        of_harness.append(away(theirs["items"][number]["logs"]))
        print(f"{task} {number}: from float64 lmz is {of_lmz[-1]:+.1e} off, the harness {of_harness[-1]:+.1e}")
    row["exact"] = (max(map(abs, of_lmz)), max(map(abs, of_harness)))


def table(rows):
    cell = lambda value, form="{}": "" if value is None else form.format(value)
    lines = ["| task | examples | items | largest difference (mean) | over 1e-4 | of the worst from f64: lmz, harness | other choices | equal texts | metrics |",
             "|---" * 9 + "|"]
    for task, row in rows.items():
        far = "" if row["worst"] is None else f"{row['worst']:.1e} ({row['mean']:.0e})"
        lines.append(f"| {task} | {row['shots']} | {row['items']} | {far} | {cell(row['over'])} | "
                     f"{'{:.1e}, {:.1e}'.format(*row['exact']) if 'exact' in row else ''} | {cell(row['choices'])} | {cell(row['texts'])} | "
                     f"{', '.join(row.get('metrics', []))} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--tasks", default=",".join(harness.TASKS))
    parser.add_argument("--limit", default="200")
    parser.add_argument("--fewshot", default="", help="[default: as the fixture]")
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", help="of the harness: float64 tells whose rounding it is")
    parser.add_argument("--batch", type=int, default=1, help="of the harness")
    parser.add_argument("--softmax", help="type of the harness's softmax [default: that of --dtype]")
    parser.add_argument("--recheck", type=int, default=0, help="ask again in float64 for so many items of each task")
    parser.add_argument("--out", type=pathlib.Path, help="the harness's answers, written after each task")
    parser.add_argument("--answers", type=pathlib.Path, help="answers of an earlier --out, instead of asking again")
    parser.add_argument("--lmz", help="the program")
    parser.add_argument("--lmz-model", type=pathlib.Path, help="what lmz reads, if not --model")
    parser.add_argument("--lmz-options", type=str.split, default=[], help="more for lmz eval, as '-T 2'")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.write:
        args.model, args.data = ROOT / "tests/fixtures/stories260K", ROOT / "tests/fixtures/eval/data"
        args.out, args.limit, args.max_tokens = ROOT / "tests/fixtures/eval/stories260K.json", "12", 24
    if not (args.model and args.data):
        parser.error("--model and --data are needed")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    limit_of = by_task(args.limit, lambda _: 200)
    shots_of = by_task(args.fewshot, lambda task: harness.TASKS[task][2])
    args.data = args.data.resolve()
    wanted = args.tasks.split(",")
    if args.answers:
        known = json.loads(args.answers.read_text(encoding="utf-8"))
        found = ((task, known[task], None) for task in wanted if task in known)
    else:
        found = harness.ask(args.model, args.data, wanted, limit_of, shots_of, args.max_tokens, args.device, args.dtype, args.batch,
                            args.softmax)
    answers, rows, wrong = {}, {}, []
    for task, theirs, _ in found:
        answers[task] = theirs
        if args.out:
            args.out.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
        if args.lmz:
            both = ours(task, theirs["shots"], limit_of(task), args)
            if both is None:
                wrong.append(f"{task}: lmz failed")
                continue
            some = list(compare(task, theirs, *both, rows.setdefault(task, {})))
            print("\n".join(some or [f"{task}: agrees"]), flush=True)
            wrong += some
            if args.recheck and rows[task]["far"]:
                recheck(task, theirs, both[1], rows[task], limit_of, args)
    if args.lmz:
        print(table(rows))
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

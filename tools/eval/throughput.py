#!/usr/bin/env python3
"""How fast `lmz eval` scores multiple choice beside lm-evaluation-harness with transformers: one run, taking turns.

    tools/eval/throughput.py --model DIR --data DIR --lmz PROGRAM [--tasks hellaswag] [--limit 200] [--rounds 3]

Both have the same files, weights in f32, and threads. What is timed: the harness's loglikelihood(), tokens included, without
opening the model and making prompts; lmz's own figure of a task, without opening the model, but with prompts and results. The
harness has the best of --batches, found in a first round. Processor seconds stand beside, for machines that do other things.
"""
import argparse, json, os, pathlib, resource, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness


def theirs(model, data, task, limit, batch):
    """Seconds, and seconds of the processor, of the harness; and what it answers."""
    from lm_eval.models.huggingface import HFLM

    spent, inner = [], HFLM.loglikelihood

    def timed(self, *args, **kwargs):
        start, cpu = time.perf_counter(), time.process_time()
        found = inner(self, *args, **kwargs)
        spent.append((time.perf_counter() - start, time.process_time() - cpu))
        return found

    HFLM.loglikelihood = timed
    try:
        ((_, answers, _),) = harness.ask(model, data, [task], lambda _: limit, lambda _: 0, None, batch=batch, whole=True)
    finally:
        HFLM.loglikelihood = inner
    return *spent[0], answers


def ours(model, data, task, limit, lmz, threads):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [lmz, "eval", "-m", str(model), "--tasks", task, "--data", str(data), "--limit", str(limit), "--fewshot", "0",
               "--device", "cpu", "-T", str(threads), "--json", "--quiet"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(ran.stdout)["seconds"], cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--lmz", required=True)
    parser.add_argument("--tasks", default="hellaswag")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--out", type=pathlib.Path, help="the harness's answers, for parity.py --answers")
    args = parser.parse_args()
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(args.threads)
    known = {}
    for task in args.tasks.split(","):
        batches = [int(batch) for batch in args.batches.split(",")]
        batch = batches[0]
        if len(batches) > 1:
            trial = max(1, args.limit // 10)
            tried = {size: theirs(args.model, args.data, task, trial, size)[0] for size in batches}
            batch = min(tried, key=tried.get)
            print(f"{task}: the harness on {trial} items by batch: {tried}", flush=True)
        rounds = []
        for _ in range(args.rounds):
            a = theirs(args.model, args.data, task, args.limit, batch)
            known[task] = a[2]
            if args.out:
                args.out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
            b = ours(args.model, args.data, task, args.limit, args.lmz, args.threads)
            rounds.append((a, b))
            print(f"{task}: harness (batch {batch}) {a[0]:.1f} s, {a[1]:.1f} s of processor; lmz {b[0]:.1f} s, "
                  f"{b[1]:.1f} s with opening; {a[0] / b[0]:.2f} times as fast", flush=True)
        best = min(a[0] for a, _ in rounds) / min(b[0] for _, b in rounds)
        print(f"{task}: best of each, lmz is {best:.2f} times as fast")


if __name__ == "__main__":
    main()

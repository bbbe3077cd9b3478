#!/usr/bin/env python3
"""Tokens per second of llama.cpp, from a wheel with its server in it, where nothing can be built.

    pip install xllamacpp
    tools/speed/llama_server.py MODEL.gguf [--threads N] [--lanes 1,4,16] [--repeats N]

Known tokens (512 at once), and 64 tokens of each of so many lanes behind 512 known ones: what benches/engine.rs measures of lmz with
LMZ_BENCH_MODEL. The figures are the server's own: of the prompt alone, and of generation alone (greedy, no stop). The best of the repeats.
"""
import argparse, random, threading, time

PROMPT, STEPS = 512, 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lanes", default="1,4,16")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    import xllamacpp as llama

    random.seed(1)
    for lanes in map(int, args.lanes.split(",")):
        params = llama.CommonParams()
        params.model.path = args.model
        params.n_ctx = lanes * (PROMPT + STEPS + 64)
        params.n_parallel, params.n_batch, params.n_ubatch = lanes, 2048, 512
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = args.threads
        server = llama.Server(params)
        prompt_speed = speed = 0.0
        for repeat in range(args.repeats):
            # Other tokens each time: nothing is found in the server's cache.
            prompts = [[random.randrange(1000, 40000) for _ in range(PROMPT)] for _ in range(lanes)]
            answers = [None] * lanes

            def ask(i, n):
                answers[i] = server.handle_completions({
                    "prompt": prompts[i], "n_predict": n, "temperature": 0, "ignore_eos": True, "cache_prompt": True, "id_slot": i})

            def all_of(n):
                begin = time.monotonic()
                threads = [threading.Thread(target=ask, args=(i, n)) for i in range(lanes)]
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                return time.monotonic() - begin

            first = all_of(1)
            # The prompts are known now, but for the last token.
            seconds = all_of(STEPS)
            timings = [answer["timings"] for answer in answers]
            if any(t["prompt_n"] > 8 or t["predicted_n"] != STEPS for t in timings):
                raise SystemExit(f"the server read prompts again: {timings[0]}")
            prompt_speed = max(prompt_speed, lanes * PROMPT / first)
            speed = max(speed, lanes * STEPS / seconds)
        print(f"{lanes:3} lanes: {prompt_speed:7.0f} known tokens/s, {speed:7.0f} tokens/s", flush=True)
        del server


if __name__ == "__main__":
    main()

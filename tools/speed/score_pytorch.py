"""Tokens a second of scoring with transformers and PyTorch: score_pytorch.py MODEL_DIR WINDOW BATCH

The same token ids as `cargo run --release -p lmz-float --example score_speed`, so that the mean
surprisals agree. f32, scaled-dot-product attention, no gradients; logits of every position, whose
log-softmax at the next token is gathered.
"""

import sys
import time

import torch
from transformers import AutoModelForCausalLM

directory = sys.argv[1]
window = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
batch = int(sys.argv[3]) if len(sys.argv) > 3 else 8
at_a_time = int(sys.argv[4]) if len(sys.argv) > 4 else batch

model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
vocab_size = model.config.vocab_size
t = torch.arange(window)
ids = torch.stack([(t * 7919 + b * 104729 + t * t * 31) % vocab_size for b in range(batch)])


@torch.inference_mode()
def score():
    total = 0.0
    for part in ids.split(at_a_time):
        logits = model(part, use_cache=False).logits[:, :-1]
        total += torch.nn.functional.cross_entropy(
            logits.reshape(-1, vocab_size), part[:, 1:].reshape(-1), reduction="sum"
        ).item()
    return total / (batch * (window - 1))


best = float("inf")
for round in range(6):
    start = time.perf_counter()
    mean = score()
    seconds = time.perf_counter() - start
    if round > 0:
        best = min(best, seconds)
print(
    f"torch {torch.__version__}, {torch.get_num_threads()} threads: {batch} windows of {window}, "
    f"{at_a_time} at a time: {batch * window / best:.0f} tokens/s, mean {mean:.6f} nats"
)

#!/usr/bin/env python3
"""A Hugging Face directory of a GGUF file's weights in f32, as transformers reads them: what lm-evaluation-harness needs.

    pip install torch transformers gguf sentencepiece
    tools/eval/from_gguf.py FILE.gguf DIR
"""
import pathlib, sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    file, to = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    names = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**names)
    model = AutoModelForCausalLM.from_pretrained(**names, dtype=torch.float32)
    # transformers leaves these as they are by default, whatever the file says.
    model.config.bos_token_id, model.config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    # What was read is no longer quantised, and may be saved.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(to)
    tokenizer.save_pretrained(to)
    text = "Hello world, it's 2024.\n\n  def f(x):\treturn é ½ 日本"
    print(type(model).__name__, sum(p.numel() for p in model.parameters()), tokenizer(text)["input_ids"])


if __name__ == "__main__":
    main()

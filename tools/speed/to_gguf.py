#!/usr/bin/env python3
"""A Hugging Face directory with a byte-level BPE tokeniser of its own -> a GGUF file that llama.cpp loads.

    tools/speed/to_gguf.py LLAMA_CPP DIR OUT.gguf [further arguments of its converter, such as --outtype q8_0]

llama.cpp's own converter (convert_hf_to_gguf.py in a checkout of it, LLAMA_CPP) does the work. It knows a
pre-tokeniser by a hash of what the whole tokeniser makes of a test text, so it refuses every vocabulary that is new,
as those of `lmz train` and of the embedded model are. Here such a one is declared as `gpt-2`: that is what is nearest
among those that llama.cpp has. The weights are those of the directory; where llama.cpp splits text otherwise than the
tokeniser does (numbers of more than three digits, runs of line ends), its tokens differ, and its perplexity with them.
Needs torch, transformers, sentencepiece.
"""

import pathlib
import runpy
import sys


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    checkout, directory, out, *rest = sys.argv[1:]
    converter = pathlib.Path(checkout) / "convert_hf_to_gguf.py"
    if not converter.is_file():
        sys.exit(f"{converter}: not there; LLAMA_CPP is a checkout of llama.cpp")
    sys.path[:0] = [checkout, str(pathlib.Path(checkout) / "gguf-py")]
    from conversion import base  # of the checkout

    known = base.TextModel.get_vocab_base_pre

    def name(self, tokenizer) -> str:
        try:
            return known(self, tokenizer)
        except NotImplementedError:
            return "gpt-2"

    base.TextModel.get_vocab_base_pre = name
    sys.argv = [str(converter), directory, "--outfile", out, *rest]
    runpy.run_path(str(converter), run_name="__main__")


if __name__ == "__main__":
    main()

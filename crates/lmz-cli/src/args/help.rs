//! The texts of `--help`.

/// After `lmz `, for `--version`.
pub const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nformat version 2, numerics versions 1 and 2, recipes 1 to 4, mixing versions 1 and 2"
);

pub const ABOUT: &str = "Compress files losslessly with a language model, and restore them exactly";

pub const LONG_ABOUT: &str = "\
Compress files losslessly with a language model, and restore them exactly.

FILE becomes FILE.lmz; the original is kept. Text costs what the model, and what was seen of the file \
before, say that it is worth, so it \
comes out smaller than from general-purpose compressors, at the price of time: expect tens of \
kilobytes per second. Tables and programs cost what was seen alone; what that cannot shrink is stored with zstd or as it is.

A file decodes bit for bit on any machine, with any number of threads. It names the model that it \
needs; the default one is part of this program.";

pub const USAGE: &str = "\
lmz [OPTIONS] [FILE]...          compress FILE to FILE.lmz
       lmz -d [OPTIONS] [FILE.lmz]...   restore FILE
       lmz -t | -l [FILE.lmz]...        test | list
       lmz cat -r A..B FILE.lmz...      write a part of it
       lmz verify FILE...               account for every bit of a file
       lmz inspect FILE [--html OUT]    see where the bits go
       lmz bench FILE...                compare with gzip, xz, zstd and others
       lmz bpc -c CORPUS [-m MODEL]     score a model: bits per character
       lmz eval [-m MODEL]              score a model in benchmarks
       lmz corpus SOURCE -o FILE | lmz train -c PATH... -o DIR
       lmz models | lmz model pull ORG/NAME | lmz model info|prepare|rm MODEL | lmz devices
       lmz help [VERB] | lmz completions SHELL | lmz man";

pub const AFTER: &str = "\
Examples: lmz book.txt; lmz -d book.txt.lmz; tar -I lmz -cf docs.tar.lmz docs/
All options, examples, exit codes and the environment: lmz help; of a verb: lmz help VERB";

pub const AFTER_LONG: &str = "\
Examples:
  lmz book.txt                       write book.txt.lmz, keep book.txt
  lmz -d book.txt.lmz                write book.txt, unless it exists (-f)
  lmz -dc book.txt.lmz | less        look at it
  lmz -t *.lmz                       decode and check, write nothing
  lmz -l --json book.txt.lmz         sizes, model and segments, for a program
  tar -I lmz -cf docs.tar.lmz docs/  and tar -I lmz -xf docs.tar.lmz
  lmz -r --output-dir-mirror out d/  all files below d, to out/d
  lmz -d --keep-going book.txt.lmz   what is sound of a damaged file, and what is lost
  lmz cat -r 1M..+64K big.lmz        64 KiB from the middle, without decoding the rest
  lmz --lanes 1 book.txt             the smallest file; restoring takes longer
  lmz --mix none book.txt            what the model alone makes of it, to the bit
  lmz --prime kind.json note.json    short messages of a kind that both sides know;
                                     lmz -d --prime kind.json note.json.lmz
  lmz model prepare SmolLM2-135M/ -o smol.lmzm
  lmz -m smol.lmzm book.txt          and lmz -d -m smol.lmzm book.txt.lmz
  lmz model pull ORG/NAME            fetch a model of the Hugging Face hub; then
  lmz -m ORG/NAME book.txt           use it
  lmz models                         the models that are found by their names

Files:
  Output gets its name once it is complete and checked; until then it has none (where a file system \
needs one: .NAME.XXXXXX.tmp beside it), and an error or Ctrl-C leaves nothing. Permissions, modification time, extended attributes \
and access control lists are the input's, where they can be had. A symbolic link is skipped without -f, unless -c or -o says where to write. \
Several files: one that fails does not stop the others. Called unlmz, lmz restores; called lmzcat, it restores to standard output. A file that has the name of a verb is written './models', say. Compressed files may be concatenated. Options about compressing are accepted \
and ignored with -d, so that tar -I 'lmz --segment 1M' works both ways.

Environment:
  LMZ_MODELS  directories with .lmzm files, separated as in PATH
  LMZ_KERNEL  scalar, avx2, avx512, amx or neon: the instructions to use
              instead of the best that this machine has; the output is the same
  HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE
              as in Hugging Face's own tools: see lmz help model pull

  Models are also looked for in the user's data directory:
  $XDG_DATA_HOME/lmz/models, or ~/.local/share/lmz/models; on macOS
  ~/Library/Application Support/lmz/models, on Windows
  %LOCALAPPDATA%\\lmz\\models. In a build with GPU support the user's cache
  directory ($XDG_CACHE_HOME/lmz, or ~/.cache/lmz) remembers how fast devices
  were, for --device auto: see lmz help devices.

Exit code:
  0  all went well
  1  an error; other files were still worked on
  2  the command line (or LMZ_KERNEL) makes no sense
  3  --keep-going: something is lost or could not be verified; the rest was
     written
  An interrupt, or a reader of standard output that went away, ends lmz by its \
signal.";

pub const MODELS_LONG: &str = "\
List the models that this lmz can find by name: the one that is part of the program; the .lmzm files in the directories \
of $LMZ_MODELS and in the user's data directory, which files that need them find by themselves; what was prepared of \
checkpoints and is kept in the user's cache directory; and the models of the Hugging Face hub that were fetched.

A name or the first digits of an id, at least four, can be given to -m, except those of the cache of prepared models: they \
are used when their checkpoint is given.";

pub const PULL_LONG: &str = "\
Fetch a model of the Hugging Face hub, so that -m ORG/NAME finds it: config.json, the tokenizer and the safetensors, or \
the GGUF file. Of several GGUF files one must be named: ORG/NAME:FILE.gguf.

It goes into the cache that Hugging Face's own tools use, in their layout, and what they have fetched is not fetched again. \
Sizes and hashes are checked. A download that broke off goes on with the same command.

Environment:
  HF_HOME         where that cache is, as HF_HOME/hub [~/.cache/huggingface]
  HF_HUB_CACHE    the cache itself
  HF_TOKEN        a token, for gated and private models; or the file that
                  `hf auth login` wrote (HF_HOME/token, HF_TOKEN_PATH)
  HF_ENDPOINT     another server [https://huggingface.co]
  HF_HUB_OFFLINE  1: fetch nothing";

pub const RM_LONG: &str = "\
Remove a model from a cache: a model of the hub with all that was fetched of it, or with @REVISION one commit and what no \
other one needs; or a prepared model, which is prepared anew when its checkpoint is given again. It asks first, unless \
--yes is given. Files outside of these caches are not touched.";

pub const PREPARE_LONG: &str = "\
Turn a Hugging Face directory, a GGUF file or a model of the hub that was fetched (ORG/NAME) into an .lmzm file: the exact integers that compression runs on.

The directory holds config.json, tokenizer.json and one or many safetensors files of a model of these \
families: Llama 1-3, Mistral, Qwen2, Qwen3, GPT-2, GPT-BigCode, GPT-NeoX, Gemma 1-3, OLMo 1 and 2, Phi, \
Falcon, StarCoder2. Models with sparse experts (Mixtral) are refused. Preparing is deterministic: the same checkpoint gives the same file, and the \
same id, on any machine.

Put the file into the user's data directory or a directory of $LMZ_MODELS to have it found by \
name and by the files that need it.";

pub const BPC_LONG: &str = "\
Score a corpus with a model, and print how many bits it pays per character.

The corpus is a .jsonl file with a document to a line, any other file as one document, or a \
directory of .jsonl and .txt files in the order of their paths, without hidden ones; each may be .zst or .gz. \
A line that is no document is left out and counted.

Protocols:
  paper     as 'Compression Represents Intelligence Linearly' (arXiv 2404.09937)
            has it: documents are tokenised one by one with the tokenizer's
            special tokens and put into one row; windows slide over it; what
            does not fill a last stride is not scored
  document  each document alone and whole, after the model's start token
  stream    the documents' texts as one stream, cut into segments and blocks
            as lmz would cut the file
  mixed     bytes of that stream as a file of lmz, with all that is learnt
            while it is coded: not the paper's metric, and no figure of the
            model's alone

A Hugging Face directory or a GGUF file is scored as it is. A prepared model (a name, or an .lmzm file) is scored \
by what its int8 weights stand for, with the codec's tokenizer.";

pub const BPC_AFTER: &str = "\
Examples:
  lmz bpc --corpus web.jsonl
  lmz bpc --model SmolLM2-135M/ --corpus web.jsonl --protocol document
  lmz bpc --model Llama-2-70b/ --corpus web.jsonl --memory-budget 8G --out run/
  lmz bpc --model Llama-2-70b/ --corpus web.jsonl --memory-budget 8G --out run/ --resume

A run with --out can be killed; the same command with --resume goes on and gives the same figure. \
Other devices, number types and batches give figures that agree to rounding.";

pub const DEVICES_LONG: &str = "\
List the devices that models can run on, with the names that --device takes, and check that each \
computes the same bits as the CPU: the embedded model's intervals at 64 positions of two texts. Exit \
code 1 if one does not.

The CPU is always there. vulkan and cuda are there if this lmz was built with the cargo feature of \
that name and a driver answers.

Below a device stands what runs of some length have measured on it; --device auto predicts by that \
where work is done sooner. It is kept in speed.json in the user's cache directory \
($XDG_CACHE_HOME/lmz, or ~/.cache/lmz; on macOS ~/Library/Caches/lmz, on Windows %LOCALAPPDATA%\\lmz\\cache), \
which may be deleted at any time.";

pub const STUDY_LONG: &str = "\
Set models' benchmark scores against how well they compress, as in \"Compression Represents Intelligence \
Linearly\" (Huang et al. 2024, arXiv 2404.09937): correlations, lines, what hangs on one model, and a page \
that shows it.

published recomputes what the paper reports from its tables, which are part of this program; exit code 1 if a \
figure differs. For a study of one's own, init writes a study.toml, and run does its tasks: each is one \
lmz bpc or lmz eval, and one file in DIR/results named by a hash of what it depends on. A study that was \
killed goes on where it was, and may run on several machines at once.";

pub const CORPUS_LONG: &str = "\
Make corpora from what is published: crawled pages, repositories, papers, files of your own; and look at them.

A corpus is JSON lines of {\"content\", \"subset\", \"meta\"}, where meta says where a document is from: address or \
repository and commit, date, licence, hash. A manifest beside it has every setting and count; the same inputs and settings \
give the same bytes, whatever the number of threads.

Inputs are read, cleaned and filtered; what is there twice is found among all of them; a sample of the size that was asked for is \
taken by documents (of code by stretches of a repository). What is done is kept in a work directory until the corpus is \
written: a run that was killed goes on with the same command. With --stage and --shard the parts of the work are done by \
many processes or machines. What is broken in an input is counted and passed over.";

pub const CORPUS_AFTER: &str = "\
Examples:
  lmz corpus cc --wet *.warc.wet.gz --size 10MB -o web.jsonl
  lmz corpus cc --dump CC-MAIN-2026-22 --files 4 --quality 30 --size 10MB -o web.jsonl
  lmz corpus github --search 'language:python created:>2026-06-01 stars:>10' --size 10MB -o python.jsonl
  lmz corpus github --repos list.txt --licence mit,apache-2.0 -o python.jsonl
  lmz corpus arxiv --tar arXiv_src_2606_*.tar --metadata snapshot.json --category math --after 2026-06-01 -o math.jsonl
  lmz corpus local notes/ mail.mbox -o mine.jsonl
  lmz corpus stats web.jsonl
  lmz corpus overlap web.jsonl benchmarks/ shards/ --drop clean.jsonl
  lmz corpus sample web.jsonl -n 5 --seed 1

Environment:
  GITHUB_TOKEN    raises GitHub's limits
  GITHUB_API_URL  another server than GitHub's own";

pub const EVAL_LONG: &str = "\
Score a model in benchmarks, with the prompts and metrics of lm-evaluation-harness and of arXiv 2404.09937.

Tasks are data: lmz eval tasks lists those of this program and says where the public has the files that it does not \
have. A few come with it: BLiMP, HumanEval, and samples of HellaSwag, GSM8K and MMLU. A model is a Hugging Face directory, a GGUF \
file or a prepared model; the one in this program if none is named. One task that fails does not stop the others.";

pub const EVAL_AFTER: &str = "\
Examples:
  lmz eval --tasks blimp --limit 20
  lmz eval -m SmolLM2-135M/ --tasks knowledge --data benchmarks/ --out run/ --log-samples
  lmz eval --resume --out run/ ...   go on where a run was killed: the result is the same
  lmz eval show mmlu_cloze --sample 3
  lmz eval compare run-a/ run-b/
  lmz eval contamination -m MODEL --tasks gsm8k --out run/";

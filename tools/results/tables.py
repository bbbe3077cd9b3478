"""The measurements. Each gives the Markdown that stands in a document."""
import bz2
import gzip
import json
import lzma
import re
import sys

from bench import ROOT, Missing, machine, measure, with_bits

TEXTS = ["alice29.txt", "asyoulik.txt", "lcet10.txt", "plrabn12.txt", "web-1M.txt", "python-1M.txt", "math-1M.txt", "eips-1M.txt"]


@measure("example")
def example(bench):
    """The README's first example: alice29.txt compressed, restored, and what xz makes of it."""
    text = bench.text("alice29.txt")
    _, told = bench.lmz("-v", "-k", "-f", text.name)
    restored, _ = bench.lmz("-dc", f"{text.name}.lmz")
    if restored != text.read_bytes():
        raise SystemExit("results: alice29.txt does not come back")
    xz = len(lzma.compress(text.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    return f"""```console
$ lmz -v alice29.txt
{told.strip()}
$ lmz -dc alice29.txt.lmz | cmp - alice29.txt && echo identical
identical
$ xz -9e -k alice29.txt && stat -c %s alice29.txt.xz
{xz}
```"""


@measure("sizes")
def sizes(bench):
    """Whole files beside other programs at their strongest (`lmz bench --markdown`)."""
    files = [bench.text(name).name for name in ["alice29.txt", "lcet10.txt", "web-1M.txt", "python-1M.txt", "math-1M.txt"]]
    table, _ = bench.lmz("bench", "--markdown", *files)
    return table.decode()


@measure("small-sizes")
def small_sizes(bench):
    """What the README shows of sizes, from the repository's own texts."""
    rows = ["| file | raw | gzip -9 | bzip2 -9 | xz -9e | **lmz** |", "|---|---|---|---|---|---|"]
    for name, unpack in [("alice29.txt", None), ("web.jsonl", "content"), ("python.jsonl", "content"), ("math.jsonl", "content")]:
        path = bench.text(name)
        if unpack:
            joined = "\n".join(json.loads(line)[unpack] for line in path.read_text(encoding="utf8").splitlines())
            path = bench.work / name.replace(".jsonl", ".txt")
            path.write_text(joined, encoding="utf8", newline="")
        raw = path.read_bytes()
        others = [len(gzip.compress(raw, 9)), len(bz2.compress(raw, 9)), len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))]
        cells = [with_bits(size, len(raw)) for size in others]
        rows.append(f"| {path.name} | {len(raw):,} | {' | '.join(cells)} | **{with_bits(bench.size(path), len(raw))}** |")
    return "\n".join(rows)


@measure("held-out")
def held_out(bench):
    """Whole .lmz files of the held-out texts by the embedded model: the model alone, default settings, the smallest."""
    rows = ["| file | raw | xz -9e | --mix none | **lmz** | --lanes 1 |", "|---|---|---|---|---|---|"]
    for name in TEXTS:
        path = bench.text(name)
        raw = len(path.read_bytes())
        xz = len(lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
        sizes = [xz] + [bench.size(path, *how) for how in (["--mix", "none"], [], ["--lanes", "1"])]
        cells = [with_bits(size, raw) for size in sizes]
        cells[2] = f"**{cells[2]}**"
        rows.append(f"| {name} | {raw:,} | {' | '.join(cells)} |")
    return "\n".join(rows)


@measure("ledger")
def ledger(bench):
    """The ledger of alice29.txt (`lmz verify`)."""
    text = bench.text("alice29.txt")
    told, _ = bench.lmz("verify", text.name)
    lines = [re.sub(r"(float engine: ).*", r"\1(the processor), f32", line) for line in told.decode().splitlines()]
    return "```console\n$ lmz verify alice29.txt\n" + "\n".join(lines).strip() + "\n```"


@measure("exactness")
def exactness(bench):
    """The exact engine against the float engine, and what the container adds (`lmz verify --json`)."""
    rows = ["| file | raw | ideal bits, float | exact engine | on disk | bits/byte | bits/char |", "|---|---|---|---|---|---|---|"]
    for name in TEXTS[:3]:
        path = bench.text(name)
        told, _ = bench.lmz("verify", "--json", path.name)
        [entry] = json.loads(told)
        rows.append(ledger_row(name, entry))
    return "\n".join(rows)


def ledger_row(name, entry):
    """One file's ledger as a row."""
    lines = {line["step"]: line["units"] / 2**24 for line in entry["lines"]}
    # Each line but the first is what it adds.
    floating, adds = lines["float"], lines["exact"]
    return (f"| {name} | {entry['raw_bytes']:,} | {floating:,.1f} | {100 * adds / floating:+.4f} % | {entry['file_bytes']:,} | "
            f"{entry['bits_per_byte']:.4f} | {entry['bits_per_character']:.4f} |")


@measure("bpc")
def bpc(bench):
    """Bits per character of the embedded model on the repository's corpora (`lmz bpc --json`)."""
    rows = ["| corpus | documents | characters | bits/character | without the tail | bits/byte |", "|---|---|---|---|---|---|"]
    for name in ["web.jsonl", "python.jsonl", "math.jsonl"]:
        path = bench.text(name)
        told, _ = bench.lmz("bpc", "--quiet", "--json", "-m", "lmz-5m", "-c", path.name)
        found = json.loads(told)
        rows.append(bpc_row(name, found))
    return "\n".join(rows)


def bpc_row(name, found):
    """One corpus' result as a row."""
    corpus, figures, tail = found["corpus"], found["figures"], found["without_tail"]
    return (f"| {name} | {corpus['documents']:,} | {corpus['characters']:,} | {figures['bits_per_character']:.4f} | "
            f"{(tail or figures)['bits_per_character']:.4f} | {figures['bits_per_byte']:.4f} |")


@measure("speed", timed=True)
def speed(bench):
    """Seconds for alice29.txt: compressing with verification, without, restoring."""
    import time
    text = bench.text("alice29.txt")

    def best(*args):
        taken = []
        for _ in range(3):
            start = time.monotonic()
            bench.lmz(*args)
            taken.append(time.monotonic() - start)
        return min(taken)
    bench.lmz("-k", "-f", text.name)
    raw = len(text.read_bytes())
    rows = [("compressing and verifying", best("-c", text.name)), ("compressing (`--no-verify`)", best("-c", "--no-verify", text.name)),
            ("restoring", best("-dc", f"{text.name}.lmz"))]
    lines = [f"| {what} | {seconds:.1f} s | {raw / seconds / 1000:.0f} KB/s |" for what, seconds in rows]
    return f"Measured on {machine()}; best of three.\n\n| alice29.txt | | |\n|---|---|---|\n" + "\n".join(lines)


# GGUF files as tools/models/fetch.py names them.
PUBLISHED = {"SmolLM2-135M-Instruct": "SmolLM2-135M-Instruct.Q4_1.gguf", "Gemma 3 270M": "gemma-3-270m-Q4_K_M.gguf",
             "Qwen2.5-Coder-0.5B-Instruct": "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"}


def published_model(bench, file):
    if not bench.models or not (bench.models / file).exists():
        raise Missing(f"{file} is not in --models DIR (tools/models/fetch.py)")
    return bench.models / file


def start_of(bench, name, size):
    """The first bytes of a text, as a file of the work folder."""
    start = bench.work / f"start of {name}"
    start.write_bytes(bench.text(name).read_bytes()[:size])
    return start


@measure("published-example")
def published_example(bench):
    """The README's second example: a published model in place of the embedded one."""
    file = PUBLISHED["SmolLM2-135M-Instruct"]
    model = published_model(bench, file)
    text = start_of(bench, "alice29.txt", 8192).rename(bench.work / "chapter.txt")
    told = [bench.lmz("-v", "-k", "-f", "-m", model, text.name)[1] for _ in range(2)][1]
    restored, _ = bench.lmz("-dc", "-m", model, f"{text.name}.lmz")
    if restored != text.read_bytes():
        raise SystemExit("results: chapter.txt does not come back")
    [first] = [line for line in told.splitlines() if " -> " in line]
    return f"""```console
$ python3 tools/models/fetch.py smollm2-135m && head -c 8192 corpora/alice29.txt > chapter.txt
$ M=~/.cache/lmz/models/{file}; lmz -m $M chapter.txt && lmz -m $M -dc chapter.txt.lmz | cmp - chapter.txt && echo identical
{first}
identical
```"""


@measure("published")
def published(bench):
    """The first 4,096 bytes of four texts by published models, and what the exact engine makes of them beside floating point."""
    rows = ["| model | text | --mix none | **lmz** | exact over float |", "|---|---|---|---|---|"]
    for name, file in PUBLISHED.items():
        model = published_model(bench, file)
        for text in ["alice29.txt", "web-1M.txt", "python-1M.txt", "math-1M.txt"]:
            start = start_of(bench, text, 4096)
            packed = start.with_suffix(".none.lmz")
            packed.write_bytes(bench.lmz("-c", "--no-verify", "--mix", "none", "-m", model, start.name)[0])
            mixed, _ = bench.lmz("-c", "--no-verify", "-m", model, start.name)
            told = bench.lmz("verify", "--json", "-m", model, packed.name, fails=True)[0]
            [entry] = json.loads(told)
            lines = {line["step"]: line["bits"] for line in entry["lines"]}
            rows.append(f"| {name} | {text} | {with_bits(packed.stat().st_size, 4096)} | **{with_bits(len(mixed), 4096)}** | "
                        f"{100 * lines['exact'] / lines['float']:+.3f} % |")
    return "\n".join(rows)


# Questions of each task, of BLiMP those of each of its 67 paradigms, and the metric of the table.
BENCHMARKS = {"blimp": (5, "acc"), "arc_easy": (100, "acc_norm"), "piqa": (100, "acc_norm"), "lambada_openai": (100, "acc"),
              "hellaswag": (100, "acc_norm")}
EVALUATED = {"lmz-5m": None, **PUBLISHED}


@measure("benchmarks")
def benchmarks(bench):
    """Small tasks by the embedded and by published models (`lmz eval`)."""
    if not (bench.models and bench.benchmarks):
        raise Missing("it needs --models DIR and --benchmarks DIR")
    rows, counts = [], {}
    for name, file in EVALUATED.items():
        cells = []
        for task, (limit, metric) in BENCHMARKS.items():
            which = ["-m", bench.models / file] if file else []
            told, _ = bench.lmz("eval", *which, "--tasks", task, "--limit", limit, "--data", bench.benchmarks, "--device", "cpu", "--json", "--quiet")
            found = json.loads(told)
            figure = next(one for one in found["metrics"] if one["name"] == metric)
            cells.append(f"{100 * figure['value']:.1f} ± {100 * figure['stderr']:.1f}")
            counts[task] = figure["n"]
            print(f"{name}: {task} {cells[-1]} in {found['seconds']:.0f} s", file=sys.stderr, flush=True)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    titles = {"blimp": "BLiMP", "arc_easy": "ARC-Easy", "piqa": "PIQA", "lambada_openai": "LAMBADA", "hellaswag": "HellaSwag"}
    head = [f"{titles[task]}, {metric}, {counts[task]:,}" for task, (_, metric) in BENCHMARKS.items()]
    return "\n".join([f"| model | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|", *rows])


@measure("small-study")
def small_study(_):
    """What came out of examples/small-study: its models and correlations, from the report that is committed."""
    path = ROOT / "examples/small-study/report/report.json"
    if not path.exists():
        raise Missing(f"there is no {path.relative_to(ROOT)}")
    study = json.loads(path.read_text())["study"]
    data, answers = study["data"], study["answers"]
    corpora = [corpus["name"] for corpus in data["corpora"]]
    figure = lambda value, digits=3: "–" if value is None else f"{value:.{digits}f}".replace("-", "−")

    def drawn(name, target):
        """Whether a model is drawn as no better than chance in a column of scores."""
        for one in answers:
            question = one["question"]
            if question["target"] == target and question["population"] == "fit":
                return any(out["model"] == name and out["why"] == "chance" for out in question["leave_out"])
        return False

    heads = [f"{corpus['title']}: bits/char., bytes of the file" for corpus in data["corpora"]]
    heads += [benchmark["title"] for benchmark in data["benchmarks"]]
    rows = [f"| model | parameters | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    for m, model in enumerate(data["models"]):
        cells = []
        for measure_ in data["compression"][m]:
            measure_ = measure_ or {}
            size = measure_.get("compressed_bytes")
            cells.append(f"{figure(measure_.get('bits_per_character'))}, {'–' if size is None else format(size, ',')}")
        for score, benchmark in zip(data["scores"][m], data["benchmarks"]):
            value = figure(score and 100 * score["value"], 1)
            cells.append(f"*{value}*" if drawn(model["name"], {"benchmark": benchmark["name"]}) else value)
        count = model["parameters"]
        rows.append(f"| {model['title']}{' (instruct)' if model['kind'] == 'instruct' else ''} | {'–' if count is None else format(int(count), ',')} | {' | '.join(cells)} |")

    titles = {"areas": "mean of the areas"}
    titles |= {benchmark["name"]: benchmark["title"] for benchmark in data["benchmarks"]}
    titles |= {area["name"]: f"**{area['title']}**" for area in data["areas"]}
    own = {area["name"]: [area["corpus"]] for area in data["areas"]}
    own |= {name: [area["corpus"]] for area in data["areas"] for name in area["benchmarks"]}
    rows += ["", "| scores | against | models | n | ρ | 95 % interval | RMSE |", "|---|---|---|---|---|---|---|"]
    for metric in ("bits_per_character", "compressed"):
        for answer in answers:
            question = answer["question"]
            target = question["target"]
            name = target if isinstance(target, str) else next(iter(target.values()))
            if question["metric"] != metric or question["corpora"] != own.get(name, corpora) or (metric == "compressed" and name in own and name not in [a["name"] for a in data["areas"]]):
                continue
            found, interval = answer["pearson"], answer["resampled"]["pearson"]
            between = "–" if "low" not in interval else f"{figure(interval['low'])} to {figure(interval['high'])}"
            against = f"{'bits per character' if metric != 'compressed' else 'bytes of the file'}, {' + '.join(question['corpora'])}"
            models = "all" if question["population"] == "all" else "as the paper would take"
            rows.append(f"| {titles[name]} | {against} | {models} | {answer['n']} | {figure(found.get('value'))} | {between} | {figure(answer['fit'].get('rmse'))} |")
    return "\n".join(rows)

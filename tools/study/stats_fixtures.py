"""Writes crates/lmz-study/tests/fixtures/stats.json: what SciPy says of columns of every awkward kind.

    python3 -m venv v && v/bin/pip install numpy scipy && v/bin/python tools/study/stats_fixtures.py

Resampling uses the generator that the crate documents (SplitMix64), so that its intervals can be compared
digit by digit; the coefficient of every resample is SciPy's.
"""

import json
import math
import pathlib

import numpy as np
import scipy
from scipy import stats

SEED, BOOTSTRAPS, PERMUTATIONS = 20240409, 2000, 5000
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return (self.next() * n) >> 64


def of(statistic, x, y):
    if len(set(x)) < 2 or len(set(y)) < 2:
        return None
    function = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[statistic]
    return float(function(x, y).statistic)


def bootstrap(statistic, x, y):
    generator, values, n = SplitMix64(SEED), [], len(x)
    for _ in range(BOOTSTRAPS):
        rows = [generator.below(n) for _ in range(n)]
        value = of(statistic, x[rows], y[rows])
        if value is not None:
            values.append(value)
    low, high = np.percentile(values, [2.5, 97.5])
    return {"low": float(low), "high": float(high), "defined": len(values)}


def permutation(statistic, x, y):
    observed, y = abs(of(statistic, x, y)), np.array(y)
    if math.factorial(len(x)) <= PERMUTATIONS:
        found = stats.permutation_test(
            (y,), lambda y: of(statistic, x, y), permutation_type="pairings", n_resamples=np.inf, alternative="two-sided"
        )
        # SciPy doubles the smaller tail; the crate counts both.
        values = np.abs(found.null_distribution)
        return {"p": float(np.mean(values >= observed - 1e-12)), "exact": True}
    generator, far = SplitMix64(SEED), 0
    for _ in range(PERMUTATIONS):
        for last in range(len(y) - 1, 0, -1):
            other = generator.below(last + 1)
            y[last], y[other] = y[other], y[last]
        far += abs(of(statistic, x, y)) >= observed - 1e-12
    return {"p": (1 + int(far)) / (1 + PERMUTATIONS), "exact": False}


def line(x, y, at):
    fit = stats.linregress(x, y)
    n = len(x)
    design = np.column_stack([np.ones(n), x])
    residuals = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    sigma2 = residuals @ residuals / (n - 2)
    covariance = np.linalg.inv(design.T @ design)
    hat = np.diag(design @ covariance @ design.T)
    t = stats.t.ppf(0.975, n - 2)
    bands = []
    for x0 in at:
        spread = np.array([1, x0]) @ covariance @ np.array([1, x0])
        bands.append([x0, float(t * np.sqrt(sigma2 * spread)), float(t * np.sqrt(sigma2 * (1 + spread)))])
    studentized = residuals / np.sqrt(sigma2 * (1 - hat))
    return {
        "slope": fit.slope,
        "intercept": fit.intercept,
        "slope_error": fit.stderr,
        "r2": fit.rvalue**2,
        "rmse": float(np.sqrt(np.mean(residuals**2))),
        "bands": bands,
        "residuals": residuals.tolist(),
        "leverage": hat.tolist(),
        "studentized": studentized.tolist(),
        "cook": (studentized**2 / 2 * hat / (1 - hat)).tolist(),
    }


def partial(x, y, z):
    of_x, of_y = stats.linregress(z, x), stats.linregress(z, y)
    value = stats.pearsonr(x - of_x.slope * z - of_x.intercept, y - of_y.slope * z - of_y.intercept).statistic
    freedom = len(x) - 3
    t = value * np.sqrt(freedom / (1 - value**2))
    return {"value": float(value), "p": float(2 * stats.t.sf(abs(t), freedom))}


def case(name, x, y, z, resample=True):
    x, y, z = (np.array(column, dtype=float) for column in (x, y, z))
    pearson, kendall = stats.pearsonr(x, y), stats.kendalltau(x, y)
    interval = pearson.confidence_interval(0.95)
    spearman = stats.spearmanr(x, y)
    found = {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "z": z.tolist(),
        "ranks": stats.rankdata(x).tolist(),
        "pearson": {"value": pearson.statistic, "p": pearson.pvalue, "low": interval.low, "high": interval.high},
        "spearman": {"value": spearman.statistic, "p": spearman.pvalue},
        "kendall": {"value": kendall.statistic, "p": kendall.pvalue},
        "fit": line(x, y, [float(x.min()), float(x.mean()), float(x.max()) + 1]),
        "partial": partial(x, y, z) if len(x) > 3 else None,
        "leave_one_out": [
            stats.pearsonr(np.delete(x, i), np.delete(y, i)).statistic if len(x) > 3 else None for i in range(len(x))
        ],
    }
    if resample:
        found["bootstrap"] = {s: bootstrap(s, x, y) for s in ("pearson", "spearman")}
        found["permutation"] = {s: permutation(s, x, y) for s in ("pearson", "kendall")}
    return found


def published():
    import csv

    path = pathlib.Path(__file__).parents[2] / "corpora/published/knowledge.csv"
    with open(path) as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    x = [float(row["bpc_cc"]) for row in rows]
    y = [float(row["average"]) / 100 for row in rows]
    z = [math.log(float(row["model"].rsplit("-", 1)[1].replace("8x7b", "46.7b").rstrip("b"))) for row in rows]
    return case("published knowledge", x, y, z)


def main():
    generator = np.random.default_rng(7)
    noise = generator.normal(size=(3, 40))
    cases = [
        published(),
        case("seven", [1, 2, 3, 4, 5, 6, 7], [2.1, 1.9, 3.5, 3.0, 5.2, 4.1, 6.6], [1, 0, 2, 5, 3, 4, 9]),
        case("ties in both", [1, 1, 2, 2, 2, 3, 4, 4, 5], [5, 4, 4, 4, 3, 3, 1, 2, 2], [1, 2, 1, 3, 5, 2, 8, 1, 0]),
        case("three", [0.1, 0.4, 0.3], [9.0, 7.0, 7.5], [1, 2, 4], resample=False),
        case("forty, hardly related", noise[0], noise[1] + 0.1 * noise[0], noise[2], resample=False),
        case("a far one", [0, 0.1, 0.2, 0.15, 10], [1, 0.9, 1.1, 1.05, 4], [1, 2, 3, 1, 2]),
        case("large offset", 1e6 + noise[0][:12], 5 - 2 * noise[0][:12] + 0.3 * noise[1][:12], noise[2][:12]),
    ]
    out = pathlib.Path(__file__).parents[2] / "crates/lmz-study/tests/fixtures/stats.json"
    text = json.dumps({"scipy": scipy.__version__, "numpy": np.__version__, "cases": cases}, indent=1)
    out.write_text(text + "\n")


main()

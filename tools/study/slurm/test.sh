#!/bin/bash
# A study through a real Slurm cluster of two nodes (cluster.sh), with a task killed in the middle and requeued: every
# task once, and the figures of the same study on this machine without Slurm.
#
#   tools/study/slurm/test.sh LMZ [FAKE]
#
# LMZ is the command under test. With FAKE (crates/lmz-study/tests/fixtures/lmz.sh) that script does the tasks in place
# of `lmz bpc` and `lmz eval`: planning, submitting, requeueing and reporting are real, and it takes seconds.
set -euo pipefail
lmz=$(realpath "$1")
fake=$(realpath "${2:-$(dirname "$0")/../../../crates/lmz-study/tests/fixtures/lmz.sh}")
here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d)
trap '"$here/cluster.sh" stop "$dir/cluster"' EXIT
eval "$("$here/cluster.sh" start "$dir/cluster")"

# The same study twice; the programs differ in where they note their calls.
study() {
    mkdir -p "$1/models" "$1/bin"
    for model in 11 12 14 17 18; do echo $model > "$1/models/$model"; done
    echo "a corpus of few words" > "$1/web.txt"
    printf '#!/bin/sh\ncase $1 in study) exec %s "$@" ;; esac\nexport FAKE_LMZ_LOG=%s FAKE_LMZ_SLEEP=%s\nexec sh %s "$@"\n' \
        "$lmz" "$1/calls" "$2" "$fake" > "$1/bin/lmz"
    chmod +x "$1/bin/lmz"
    {
        printf 'title = "Slurm"\nlmz = "bin/lmz"\n[protocol]\nwindow = 64\nstride = 32\n'
        for model in 11 12 14 17 18; do
            printf '[[model]]\nname = "m%s"\npath = "models/%s"\nfamily = "f"\nparameters = %se6\n' $model $model $model
        done
        printf '[[corpus]]\nname = "web"\npath = "web.txt"\nshards = 2\n'
        printf '[[benchmark]]\nname = "arc"\ntask = "arc"\nmetric = "acc_norm"\n'
        printf '[[area]]\nname = "k"\ncorpus = "web"\nbenchmarks = ["arc"]\n'
        printf '[executor]\nkind = "%s"\nresources = { cpus = 1, memory = "100M", time = "5" }\n' "$3"
    } > "$1/study.toml"
}
study "$dir/local" 0 local
study "$dir/slurm" 2 slurm
"$lmz" study run "$dir/local" --quiet
"$lmz" study run "$dir/slurm"

# Kill a task that runs, as a node that fails would, and let Slurm requeue it.
for _ in $(seq 100); do
    victim=$(squeue -h -r -t R -o %i | grep _ | head -n 1 || true)
    [ -n "$victim" ] && break
    sleep 0.2
done
echo "killing $victim"
scontrol requeue "$victim"
"$lmz" study status "$dir/slurm"

for _ in $(seq 240); do
    [ -s "$dir/slurm/report.json" ] && [ -z "$(squeue -h)" ] && break
    sleep 1
done
"$lmz" study status "$dir/slurm"
squeue
"$lmz" study status "$dir/slurm" | head -n 1 | grep -q '^20 tasks: 20 done$'

# One result for each task, on both nodes, and one call more than tasks: the one that was killed.
test "$(ls "$dir/slurm/results" | wc -l)" = 20
grep -ho '"host":"[^"]*"' "$dir"/slurm/results/*.json | sort | uniq -c
test "$(grep -ho '"host":"n[12]"' "$dir"/slurm/results/*.json | sort -u | wc -l)" = 2
test "$(wc -l < "$dir/slurm/calls")" -ge 20
# Nothing is left to submit.
"$lmz" study run "$dir/slurm" | grep -q "nothing is left to do"
# The same figures.
cmp "$dir/local/report.figures.csv" "$dir/slurm/report.figures.csv"
cmp "$dir/local/report.correlations.csv" "$dir/slurm/report.correlations.csv"
echo "the study through Slurm has the figures of the local one"
rm -r "$dir/local" "$dir/slurm"

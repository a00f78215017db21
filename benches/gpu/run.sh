#!/usr/bin/env bash
# Checks and measures the CUDA backend on a GPU, in less than ten minutes and without a network.
#
#     benches/gpu/pack.sh              # where there is cargo: makes target/gpu/
#     benches/gpu/run.sh OUT [STEP..]  # where there is a GPU, with NVRTC, cuBLASLt, and a python3 with PyTorch
#
# Written are OUT/log.txt, all that was printed; OUT/results.jsonl, what was measured; OUT/table.md, made of it (table.py).
# Each step has a limit of its own and what is left of the whole, and one that fails does not stop the rest. Exit code: 0
# if all steps went well, 1 if one did not, 3 if there is no GPU. LONGSEQ_BENCH_SECONDS: of all steps together (560).
set -u
if [ $# -lt 1 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
shift
wanted=("$@")
cd "$(dirname "$0")/../.." || exit 2

programs=target/gpu
if [ ! -x "$programs/forward" ]; then
    echo "error: $PWD/$programs is not there" >&2
    echo "help: make it with benches/gpu/pack.sh where there is cargo, and bring it here" >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LONGSEQ_CACHE=$work/kernels
all=${LONGSEQ_BENCH_SECONDS:-560}
failed=0
: >"$out/results.jsonl"
exec > >(tee "$out/log.txt") 2>&1
log=$!

record() {
    printf '%s\n' "$1" >>"$out/results.jsonl"
}

# Whether a step is wanted: all are if none is named.
is_wanted() {
    [ ${#wanted[@]} -eq 0 ] && return 0
    local each
    for each in "${wanted[@]}"; do [[ $1 == "$each"* ]] && return 0; done
    return 1
}

# step NAME SECONDS COMMAND..: runs it within its limit; its lines of JSON are results.
step() {
    local name=$1 limit=$2 start=$SECONDS code
    shift 2
    is_wanted "$name" || return 0
    if [ "$gpu" = no ]; then
        echo "== $name: no GPU, not run"
        record "{\"step\": \"$name\", \"code\": 3, \"seconds\": 0}"
        return 3
    fi
    [ $((all - SECONDS)) -lt "$limit" ] && limit=$((all - SECONDS))
    if [ "$limit" -le 0 ]; then
        echo "== $name: no time left, not run"
        code=124
    else
        echo "== $name (at most $limit s)"
        timeout -k 5 "$limit" "$@" 2>&1 | tee "$work/printed"
        code=${PIPESTATUS[0]}
        grep '^{' "$work/printed" >>"$out/results.jsonl"
        echo "== $name: exit code $code after $((SECONDS - start)) s"
    fi
    record "{\"step\": \"$name\", \"code\": $code, \"seconds\": $((SECONDS - start))}"
    [ "$code" -eq 0 ] || failed=1
    return "$code"
}

# Is there one? It opens it, compiles all kernels, the first time that they are, and compares them with the CPU. If that fails,
# the rest is to show why.
"$programs/longseq" devices
gpu=yes
first=(timeout 150 "$programs/forward" host-cli/models/mini/mamba2 --backend cuda --lengths 16 --written 0 --runs 1 --json)
if ! "${first[@]}"; then
    export LONGSEQ_GPU_UNCHECKED=1
    if "${first[@]}"; then
        echo "== the kernels did not pass the comparison with the CPU, as said above; everything below runs nevertheless"
        failed=1
    else
        gpu=no
    fi
fi
device=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)
record "{\"date\": \"$(date -u +%F)\", \"gpu\": \"$gpu\", \"device\": \"${device:-unknown}\", \"commit\": \"$(cat "$programs/commit")\", \
\"opened_after_seconds\": $SECONDS}"

# The tests of operations, at small sizes and at those of whole layers, and of small models. They look for fixtures where Cargo
# says that their package is.
tests=(env CARGO_MANIFEST_DIR="$PWD/tests" LONGSEQ_GPU=1 PROPTEST_MAX_SHRINK_ITERS=100)
for test in rows recurrence attention models; do
    step "tests-$test" 60 "${tests[@]}" "$programs/cuda_$test" --test-threads 4
done

# What no emulator shows, on small ones of them.
if [ "$gpu" = no ] || command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        sanitizer=("${tests[@]}" compute-sanitizer --tool "$tool" --error-exitcode 9)
        step "sanitizer-$tool-models" 40 "${sanitizer[@]}" "$programs/cuda_models" --test-threads 1 self_check
        step "sanitizer-$tool-recurrence" 30 "${sanitizer[@]}" "$programs/cuda_recurrence" --test-threads 1 forks
        step "sanitizer-$tool-attention" 30 "${sanitizer[@]}" "$programs/cuda_attention" --test-threads 1 many_parts cut_prompts
    done
    # The warps of WKV6's chunks meet at one barrier from two loops.
    step sanitizer-synccheck-recurrence 30 "${tests[@]}" compute-sanitizer --tool synccheck --error-exitcode 9 \
        "$programs/cuda_recurrence" --test-threads 1 wkv6::forks
else
    echo "== sanitizer: skipped, there is no compute-sanitizer"
fi

# Equivalence.
equivalence=(python3 benches/gpu/equivalence.py --programs "$programs" --work "$work")
step goldens 90 "${equivalence[@]}" goldens
step built-in 60 "${equivalence[@]}" built-in
step ceilings 45 "$programs/gpu-ceilings"

# Whole models of 2.7B parameters: a prompt, writing, and the time of each kernel. Of each family a folder at a time.
for family in mamba2 transformerpp llama rwkv6 recurrentgemma mamba2attn; do
    models=(python3 benches/peers/models.py --size 2.7b --device cuda --out "$work/models" "$family")
    if step "speed-$family-weights" 45 "${models[@]}" || [ "$gpu" = no ]; then
        step "speed-$family" 90 "$programs/forward" "$work/models/$family" --backend cuda --json --kernels --runs 3 \
            --lengths 1024,4096,16384 --written 16 --context 1024,16384 --batch 1,4,16,64
        if [ "$family" = llama ]; then
            step speed-llama-transformers 60 python3 benches/gpu/peers.py transformers --models "$work/models"
        fi
    fi
    rm -rf "$work/models"
done

# Layers of these shapes against the CPU backend in f32, and the peers that are there.
if step shapes-weights 45 python3 benches/peers/models.py --size 2.7b --layers 3 --device cuda --out "$work/models" ||
    [ "$gpu" = no ]; then
    step shapes 90 "${equivalence[@]}" shapes --models "$work/models"
fi
rm -rf "$work/models"
step peers-mamba2 60 python3 benches/gpu/peers.py fla mamba2
step peers-rwkv6 60 python3 benches/gpu/peers.py fla rwkv6

python3 benches/gpu/table.py "$out/results.jsonl" >"$out/table.md" || failed=1
echo "== $out/table.md, after $SECONDS s"
if [ "$gpu" = no ]; then
    echo "no GPU that can be used, as said above: nothing was measured"
    failed=3
fi
exec >&- 2>&-
wait "$log"
exit "$failed"

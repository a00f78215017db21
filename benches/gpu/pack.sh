#!/usr/bin/env bash
# Builds what run.sh needs on a machine without cargo: target/gpu/, which git ignores. It travels beside the working tree.
#
#     benches/gpu/pack.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --release -p longseq -p longseq-benches --bins
rm -rf target/gpu
mkdir -p target/gpu
for program in longseq forward gpu-ceilings; do
    strip -o "target/gpu/$program" "target/release/$program"
done
# The tests of the operations and of whole models, which run on the GPU there. Cargo says where they are.
cargo test --release -p longseq-tests --no-run --test 'cuda_*' 2>&1 | tee target/gpu/built
sed -n 's/^ *Executable tests\/\(cuda_[a-z]*\).*(\(.*\))$/\1 \2/p' target/gpu/built >target/gpu/tests
while read -r test path; do
    strip -o "target/gpu/$test" "$path"
done <target/gpu/tests
[ "$(wc -l <target/gpu/tests)" -ge 4 ] || { echo "error: not all tests were built" >&2; exit 1; }
rm target/gpu/built target/gpu/tests
git describe --always --dirty >target/gpu/commit

kilobytes=$(du -sk target/gpu | cut -f 1)
limit=$((60 * 1024))
needed=$(objdump -T target/gpu/{longseq,forward,gpu-ceilings,cuda_*} | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
echo "target/gpu: $((kilobytes / 1024)) MiB, for $(uname -m) with $needed or newer, commit $(cat target/gpu/commit)"
if [ "$kilobytes" -gt "$limit" ]; then
    echo "error: more than 60 MiB" >&2
    exit 1
fi

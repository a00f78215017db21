#!/usr/bin/env bash
# Builds the peers from their packages, and makes the models of the comparison.
#
#     benches/peers/setup.sh OUT
#
# OUT gets venv/ (requirements.txt), llama-cpp-python/ (a source distribution, which carries llama.cpp: llama-bench and
# its libraries are built in it), models/ (models.py) and gguf/ (to_gguf.py; bf16 to be timed, f32 to be checked).
# Needs Python 3.11, a C++ compiler and 12 GB. What is there is not done again; an interrupted step is.
# Packages come from where pip is configured to look. torch runs on the CPU, whichever build of it that is.
set -euo pipefail

version=0.3.36
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?a folder for the peers}/gguf"
out=$(cd "$1" && pwd)
package=$out/llama-cpp-python
llama=$package/vendor/llama.cpp
python=$out/venv/bin/python

[ -x "$python" ] || python3 -m venv "$out/venv"
"$python" -m pip install --quiet --requirement "$here/requirements.txt"
export PATH=$out/venv/bin:$PATH

if [ ! -d "$package" ]; then
    name=llama-cpp-python
    "$python" -m pip download --quiet --no-deps --no-binary "$name" --dest "$out" "$name==$version"
    rm -rf "$package.part" && mkdir "$package.part"
    tar -xzf "$out/llama_cpp_python-$version.tar.gz" -C "$package.part" --strip-components 1
    mv "$package.part" "$package"
fi

if [ ! -x "$llama/build/bin/llama-bench" ]; then
    cmake -S "$llama" -B "$llama/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
    cmake --build "$llama/build" --target llama-bench
fi

if [ ! -d "$out/models" ]; then
    rm -rf "$out/models.part"
    "$python" "$here/models.py" --out "$out/models.part"
    mv "$out/models.part" "$out/models"
fi

for family in llama mamba2 rwkv6; do
    from=$out/models/$family
    [ $family = mamba2 ] && from=$from-hf
    for type in bf16 f32; do
        file=$out/gguf/$family-$type.gguf
        [ -f "$file" ] && continue
        "$python" "$here/to_gguf.py" "$llama" "$from" $type "$file.part"
        mv "$file.part" "$file"
    done
done

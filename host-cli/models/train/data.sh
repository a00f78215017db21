#!/bin/sh
# Makes everything that training reads: corpora without what is held out, the tokenizer, training
# prompts (seeds from 3,000,000,000, which evaluation never uses) and fresh ones to score on the way.
#
#   LONGSEQ=target/release/longseq sh host-cli/models/train/data.sh OUT
set -eu
out=$1
here=$(dirname "$0")
python=${PYTHON:-python}
seed=3000000000

# generate CORPUS_FOLDER SEED TASKS LENGTHS SAMPLES TOKENIZER SAVE_DIR; tasks that do not fit a length are
# left out there (exit code 1).
generate() {
    "$LONGSEQ" generate --profile mini --essays "$1/essays.txt" --words "$1" --squad "$1/squad.json" \
        --hotpotqa "$1/hotpotqa.json" --seed "$2" --task "$3" --max-seq-length "$4" --num-samples "$5" \
        --tokenizer "$6" --save-dir "$7" >"$7.log" 2>&1 || [ $? = 1 ]
}

needles=niah_single_1,niah_single_2,niah_single_3,niah_multikey_1,niah_multikey_2,niah_multikey_3
tasks=$needles,niah_multivalue,niah_multiquery,vt,cwe,fwe
lengths=128,192,256,384,512

mkdir -p "$out"
"$python" "$here/holdout.py" "$here/../../corpora" "$out/corpora"
generate "$out/corpora/0" $seed $tasks,qa_1,qa_2 256,512 100 "$here/../random-mamba2" "$out/tokenizer-prompts"
# One that is there already is kept: runs that go on need the tokenizer they began with.
[ -f "$out/tokenizer.json" ] ||
    "$python" "$here/vocabulary.py" "$out/tokenizer-prompts" "$out/corpora/0" "$out/tokenizer.json"

mkdir -p "$out/prompts"
for rotation in 0 1 2 3 4 5 6 7; do
    corpus=$out/corpora/$rotation
    generate "$corpus" $((seed + rotation)) $tasks $lengths 150 "$out/tokenizer.json" "$out/prompts/$rotation"
    generate "$corpus" $((seed + rotation)) qa_1,qa_2 $lengths 90 "$out/tokenizer.json" "$out/prompts/qa$rotation"
done
"$python" "$here/prepare.py" --prompts "$out/prompts" --corpora "$out/corpora/0" \
    --tokenizer "$out/tokenizer.json" --out "$out/train" --drills 40000 --texts 4000 --chains 24000

# The whole corpora, words that training never saw among them, as in an evaluation.
"$LONGSEQ" generate --profile mini --seed 7 --task $tasks --max-seq-length 256,512 --num-samples 64 \
    --tokenizer "$out/tokenizer.json" --save-dir "$out/eval-prompts"
"$python" "$here/prepare.py" --prompts "$out/eval-prompts" --corpora "$out/corpora/0" \
    --tokenizer "$out/tokenizer.json" --out "$out/eval"

// The recurrence of RWKV-6 (wkv6.cu) over chunks of 16 tokens, as products of bf16 on the tensor cores. With S the state
// before a chunk and W(j, i) the product of w over the tokens between j and i, j and i not among them:
// o(i) = (r(i) ∘ W(before, i)) S + Σ_{j < i} (Σ r(i) W(j, i) k(j)) v(j) + (Σ r(i) u k(i)) v(i),
// S ← diag(W(before, after)) S + Σ (W(j, after) ∘ k(j)) ⊗ v(j).
//
// wkv6_chunks  heads of 64: one block a head of a sequence, the state in f32 registers from the first token to the last.
//              The plain version is wkv6_ref. Four warps prepare, each a chunk: decays, and what tokens of a chunk see of
//              each other, in f32, key by key and pair by pair. Four have 16 value channels each and multiply what was
//              prepared before, four chunks after another. Every W is a product, walked from token to token: none can
//              overflow, and a strong decay takes no digits of the weak ones around it.
//
// Counted, not measured, a token and head: r, k, v, d and o move once, 1280 bytes; 18 products of 16 × 8 × 16 a warp and
// chunk are 9.2 thousand multiply-adds on the tensor cores; preparing takes 128 exponentials and 1.5 thousand f32
// operations, 960 of them in pairs of tokens. For 16,384 tokens and 40 heads on an H200 that is 0.84 GB or 0.20 ms; 12 GFLOP
// or 0.02 ms of products; 0.02 ms of exponentials; 0.08 ms of instructions, about 1,950 a scheduler and 64 tokens; 0.05 to
// 0.12 ms of shared memory, as lanes that read the same are counted. Memory bound with enough sequences, 0.20 ms, of which
// two thirds would be good; a multiprocessor holds two blocks, 78 KB of shared memory each. With few sequences bound by how
// long the preparing of 64 tokens takes, since a head's chunks follow each other.
#include "device.cuh"
#include "recurrence/chunk.cuh"

constexpr int SIZE = 64;   // key and value channels of a head
constexpr int CHUNK = 16;  // tokens that go through the state together
constexpr int CHUNKS = 4;  // between two barriers; warps that prepare, and that multiply
constexpr int PITCH = SIZE + PAD, SCORES = CHUNK + PAD;

// What is prepared of a chunk: r decayed from its beginning, k until its end, what each token sees of it, ∏ w.
struct Chunk {
    u16 r[CHUNK * PITCH], k[CHUNK * PITCH], scores[CHUNK * SCORES];
    float left[SIZE];
};

// What a warp prepares it from.
struct Keys {
    float k[CHUNK * SIZE], w[CHUNK * SIZE];
};

// d of a token that is not there: w = 1.
constexpr float NO_DECAY = -1e30f;

// A lane's share of a chunk's rows: four neighbours of eight tokens.
struct Rows {
    Four at[CHUNK / 2];
};

DEVICE Rows read_rows(const float* from, i64 stride, int row, int rows, float missing, int lane) {
    Rows all;
#pragma unroll
    for (int i = 0; i < CHUNK / 2; i++) {
        const int at = row + lane / 16 * (CHUNK / 2) + i;
        const bool there = at >= 0 && at < rows;
        all.at[i] = there ? load_four(from + at * stride + lane % 16 * 4, 4) : Four{{missing, missing, missing, missing}};
    }
    return all;
}

// Four neighbours in bf16 to shared memory.
DEVICE void put_four(u16* to, const Four& four) {
    *reinterpret_cast<Pairs*>(to) = {{bf16_pair(four.at[0], four.at[1]), bf16_pair(four.at[2], four.at[3])}};
}

// w of a chunk and what it leaves of the state; for the lane's keys, ∏ w over the chunk's tokens after its own.
DEVICE Four prepare_decays(Chunk& to, Keys& keys, const Rows& d, int lane) {
    const int column = lane % 16 * 4, first = lane / 16 * (CHUNK / 2);
    Four rate = {}, after = {{1.0f, 1.0f, 1.0f, 1.0f}};  // −Σ log₂ w and ∏ w
#pragma unroll
    for (int i = 0; i < CHUNK / 2; i++) {
        Four w;
#pragma unroll
        for (int c = 0; c < 4; c++) {
            const float own = exp2_fast(d.at[i].at[c] * LOG2_E) * LOG2_E;
            w.at[c] = exp2_fast(-own);
            rate.at[c] += own;
            after.at[c] *= w.at[c];
        }
        four_at(keys.w + (first + i) * SIZE + column) = w;
    }
#pragma unroll
    for (int c = 0; c < 4; c++) {
        const float other = shuffle_xor(after.at[c], 16);
        after.at[c] = lane < 16 ? other : 1.0f;
        rate.at[c] = exp2_fast(-(rate.at[c] + shuffle_xor(rate.at[c], 16)));
    }
    // From the sum: decays near 1, whose products would be rounded anew with every token, stay exact for long.
    if (lane < 16) four_at(to.left + column) = rate;
    return after;
}

// k of a chunk, and k as it is left at its end.
DEVICE void prepare_keys(Chunk& to, Keys& keys, const Rows& k, Four after, int lane) {
    const int column = lane % 16 * 4, first = lane / 16 * (CHUNK / 2);
#pragma unroll
    for (int i = CHUNK / 2 - 1; i >= 0; i--) {
        const Four w = four_at(keys.w + (first + i) * SIZE + column);
        Four decayed;
#pragma unroll
        for (int c = 0; c < 4; c++) {
            decayed.at[c] = k.at[i].at[c] * after.at[c];
            after.at[c] *= w.at[c];
        }
        four_at(keys.k + (first + i) * SIZE + column) = k.at[i];
        put_four(to.k + (first + i) * PITCH + column, decayed);
    }
}

// r of a lane's tokens, lane / 4 and the eighth after it: keys 16 i + 4 (lane mod 4) on.
struct Reads {
    Four at[2][SIZE / 16];
};

DEVICE Reads read_reads(const float* from, i64 stride, int row, int rows, int lane) {
    Reads reads;
#pragma unroll
    for (int half = 0; half < 2; half++)
#pragma unroll
        for (int i = 0; i < SIZE / 16; i++) {
            const int at = row + lane / 4 + half * 8;
            const bool there = at >= 0 && at < rows;
            reads.at[half][i] = there ? load_four(from + at * stride + i * 16 + lane % 4 * 4, 4) : Four{};
        }
    return reads;
}

// One score of each of a lane's rows: the sum over the four lanes of a row, stored by the first of them.
DEVICE void put_score(Chunk& to, float sum, int row, int column, bool there, int lane) {
    sum += shuffle_xor(sum, 1);
    sum += shuffle_xor(sum, 2);
    if (there && lane % 4 == 0) to.scores[row * SCORES + column] = bf16_of_float(sum);
}

// Goes back from every token to the chunk's beginning, r decaying on the way: what it meets of k is a score.
DEVICE void prepare_reads(Chunk& to, Keys& keys, Reads& r, float* bonus, int lane) {
    const int own[2] = {lane / 4, lane / 4 + 8}, column = lane % 4 * 4;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = 0.0f;
#pragma unroll
        for (int i = 0; i < SIZE / 16; i++) {
            const Four k = four_at(keys.k + own[half] * SIZE + i * 16 + column);
            const Four u = four_at(bonus + i * 16 + column);
#pragma unroll
            for (int c = 0; c < 4; c++) sum += r.at[half][i].at[c] * u.at[c] * k.at[c];
        }
        put_score(to, sum, own[half], own[half], true, lane);
    }
    for (int s = CHUNK - 2; s >= 0; s--) {
        float sum[2] = {};
#pragma unroll
        for (int i = 0; i < SIZE / 16; i++) {
            const Four k = four_at(keys.k + s * SIZE + i * 16 + column);
            const Four w = four_at(keys.w + s * SIZE + i * 16 + column);
#pragma unroll
            for (int half = 0; half < 2; half++)
                if (s < own[half])
#pragma unroll
                    for (int c = 0; c < 4; c++) {
                        sum[half] += r.at[half][i].at[c] * k.at[c];
                        r.at[half][i].at[c] *= w.at[c];
                    }
        }
#pragma unroll
        for (int half = 0; half < 2; half++) put_score(to, sum[half], own[half], s, s < own[half], lane);
    }
#pragma unroll
    for (int half = 0; half < 2; half++)
#pragma unroll
        for (int i = 0; i < SIZE / 16; i++)
            put_four(to.r + own[half] * PITCH + i * 16 + column, r.at[half][i]);
}

// What wkv6_ref takes but for its sizes. Only sequences of at least `least` tokens. Chunks end at positions that are
// multiples of 16, so that cuts there change nothing.
#define CHUNK_PARAMETERS                                                                                             \
    const float *receptance, i64 r_stride, const float *key, i64 k_stride, const float *value, i64 v_stride,         \
        const float *decay, i64 d_stride, const float *bonus, float *out, SEQUENCES, float *state, i64 state_stride, \
        int heads, int least

// What a block has in shared memory.
struct Shared {
    Chunk chunks[2][CHUNKS];
    Keys keys[CHUNKS];
    float bonus[SIZE];
};

// The chunks of 64 tokens, counted from the first, are in the place of those before the last.
DEVICE Chunk& chunk_of(Shared& shared, int number, int chunk) { return shared.chunks[number % 2][chunk]; }

// Warps with different work come here from loops of their own, once for every 64 tokens: a barrier counts warps, wherever
// in the program they wait.
DEVICE void meet() { barrier(); }

// The chunk's tokens see what was there, and each other; then S decays, and k ⊗ v is added.
DEVICE void multiply(float (&o)[2][4], State<SIZE>& s, Chunk& chunk, const u32 (&v)[4], int lane) {
    u32 left[4], right[4];
#pragma unroll
    for (int k = 0; k < SIZE / 16; k++) {
        round_state(right, s, k);
        load_matrices(left, chunk.r + k * 16 + left_row(lane, PITCH));
        add_state(o, left, right);
    }
    load_matrices(left, chunk.scores + left_row(lane, SCORES));
    add_inputs(o, left, v);
#pragma unroll
    for (int i = 0; i < SIZE / 8; i++) {
        const Two decay = *reinterpret_cast<const Two*>(chunk.left + i * 8 + lane % 4 * 2);
#pragma unroll
        for (int e = 0; e < 4; e++) s.at[i][e] *= decay.at[e % 2];
    }
    add_outer(s, v, chunk.k, lane);
}

KERNEL(256, 2) wkv6_chunks(CHUNK_PARAMETERS) {
    DYNAMIC_SHARED(Shared, all);
    Shared& shared = *all;
    const Sequence of = sequence_of(starts, slots, positions, BLOCK.y);
    if (of.tokens < least) return;
    const int lane = THREAD % WARP, warp = THREAD / WARP, chunk = warp % CHUNKS;
    const int first = -(of.position % CHUNK), step = CHUNKS * CHUNK;  // rows from the sequence's first on
    const i64 channel = static_cast<i64>(BLOCK.x) * SIZE;
    // No token sees a later one: nothing else is ever written there.
    for (int i = THREAD; i < 2 * CHUNKS * CHUNK * SCORES; i += THREADS)
        shared.chunks[i / (CHUNKS * CHUNK * SCORES)][i / (CHUNK * SCORES) % CHUNKS].scores[i % (CHUNK * SCORES)] = 0;
    if (THREAD < SIZE) shared.bonus[THREAD] = bonus[channel + THREAD];
    barrier();

    if (warp >= CHUNKS) {
        const float* const r_at = receptance + of.row * r_stride + channel;
        const float* const k_at = key + of.row * k_stride + channel;
        const float* const d_at = decay + of.row * d_stride + channel;
        Rows d = read_rows(d_at, d_stride, first + chunk * CHUNK, of.tokens, NO_DECAY, lane);
        for (int begin = first, number = 0; begin < of.tokens; begin += step, number++) {
            const int row = begin + chunk * CHUNK;
            Chunk& to = chunk_of(shared, number, chunk);
            const Rows k = read_rows(k_at, k_stride, row, of.tokens, 0.0f, lane);
            const Four after = prepare_decays(to, shared.keys[chunk], d, lane);
            Reads r = read_reads(r_at, r_stride, row, of.tokens, lane);
            prepare_keys(to, shared.keys[chunk], k, after, lane);
            d = read_rows(d_at, d_stride, row + step, of.tokens, NO_DECAY, lane);
            warp_barrier();  // k and w of all lanes are there
            prepare_reads(to, shared.keys[chunk], r, shared.bonus, lane);
            meet();
        }
        return;
    }
    const i64 width = static_cast<i64>(heads) * SIZE, column = channel + warp * 16;
    const float* const v_at = value + of.row * v_stride + column + lane / 4;
    float* const o_at = out + of.row * width + column + lane % 4 * 2;
    float* const own = state + of.slot * state_stride + (channel + lane % 4 * 2) * SIZE + warp * 16 + lane / 4;
    State<SIZE> s;
    read_state(s, own, 1, SIZE);
    for (int begin = first, number = 0; begin < of.tokens; begin += step, number++) {
        u32 v[CHUNKS][4];
#pragma unroll
        for (int c = 0; c < CHUNKS; c++)
            round_inputs(v[c], read_inputs(v_at, v_stride, lane, begin + c * CHUNK, 0, of.tokens));
        meet();
#pragma unroll
        for (int c = 0; c < CHUNKS; c++) {
            const int row = begin + c * CHUNK + lane / 4;
            if (begin + c * CHUNK >= of.tokens) continue;
            float o[2][4] = {};
            multiply(o, s, chunk_of(shared, number, c), v[c], lane);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                if (row + half * 8 < 0 || row + half * 8 >= of.tokens) continue;
#pragma unroll
                for (int tile = 0; tile < 2; tile++)
                    store_two(o_at + (row + half * 8) * width + tile * 8, o[tile][2 * half], o[tile][2 * half + 1]);
            }
        }
    }
    write_state(s, own, 1, SIZE);
}

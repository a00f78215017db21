// The kernels for one type R of numbers; `NAMED(x)` is x with the type's name behind it.

/* h_t = a_t h_{t-1} + b_t; [batch, time, width]. */
void NAMED(scan)(const R* a, const R* b, R* h, int64_t batch, int64_t time, int64_t width) {
    for (int64_t i = 0; i < batch; i++) {
        for (int64_t t = 0; t < time; t++) {
            const int64_t at = (i * time + t) * width;
            for (int64_t c = at; c < at + width; c++) {
                h[c] = (t > 0 ? a[c] * h[c - width] : 0) + b[c];
            }
        }
    }
}

/* grad_b_t = grad_h_t + a_{t+1} grad_b_{t+1}; grad_a_t = grad_b_t h_{t-1}. */
void NAMED(scan_backward)(const R* a, const R* h, const R* grad_h, R* grad_a, R* grad_b,
                          int64_t batch, int64_t time, int64_t width) {
    for (int64_t i = 0; i < batch; i++) {
        for (int64_t t = time - 1; t >= 0; t--) {
            const int64_t at = (i * time + t) * width;
            for (int64_t c = at; c < at + width; c++) {
                grad_b[c] = grad_h[c];
                if (t + 1 < time) grad_b[c] += a[c + width] * grad_b[c + width];
                grad_a[c] = t > 0 ? grad_b[c] * h[c - width] : 0;
            }
        }
    }
}

/* y_t = bias + sum over j of taps[j] x_{t-j}; taps [count, width], j = 0 the current token. */
void NAMED(conv)(const R* x, const R* taps, const R* bias, R* y, int64_t batch, int64_t time,
                 int64_t width, int64_t count) {
    for (int64_t i = 0; i < batch * time; i++) {
        R* out = y + i * width;
        for (int64_t c = 0; c < width; c++) out[c] = bias[c];
        for (int64_t j = 0; j < count && j <= i % time; j++) {
            const R *in = x + (i - j) * width, *tap = taps + j * width;
            for (int64_t c = 0; c < width; c++) out[c] += tap[c] * in[c];
        }
    }
}

/* What is added to comes in as zeros. */
void NAMED(conv_backward)(const R* x, const R* taps, const R* grad_y, R* grad_x, R* grad_taps,
                          R* grad_bias, int64_t batch, int64_t time, int64_t width,
                          int64_t count) {
    for (int64_t i = 0; i < batch * time; i++) {
        const R* out = grad_y + i * width;
        for (int64_t c = 0; c < width; c++) grad_bias[c] += out[c];
        for (int64_t j = 0; j < count && j <= i % time; j++) {
            const R *in = x + (i - j) * width, *tap = taps + j * width;
            R *to_in = grad_x + (i - j) * width, *to_tap = grad_taps + j * width;
            for (int64_t c = 0; c < width; c++) to_in[c] += tap[c] * out[c];
            for (int64_t c = 0; c < width; c++) to_tap[c] += in[c] * out[c];
        }
    }
}

/* S_t = diag(w_t) S_{t-1} + k_t v_t'; o_t = r_t S_t, or r_t S_{t-1} where `before`. All [batch, time, heads,
   SIZE]; S [SIZE (key), SIZE (value)] of every SPAN-th token before it is read goes to `kept`. */
void NAMED(state)(const R* w, const R* k, const R* v, const R* r, R* o, R* kept, int64_t batch,
                int64_t time, int64_t heads, int64_t before) {
    for (int64_t text = 0; text < batch * heads; text++) {
        R s[STATE] = {0};
        for (int64_t t = 0; t < time; t++) {
            const int64_t at = ((text / heads * time + t) * heads + text % heads) * SIZE;
            if (t % SPAN == 0) {
                memcpy(kept, s, sizeof s);
                kept += STATE;
            }
            R sum[SIZE] = {0};
            for (int i = 0; i < SIZE; i++) {
                const R wi = w[at + i], ki = k[at + i], ri = r[at + i];
                for (int j = 0; j < SIZE; j++) {
                    const R old = s[i * SIZE + j], new = wi * old + ki * v[at + j];
                    s[i * SIZE + j] = new;
                    sum[j] += ri * (before ? old : new);
                }
            }
            memcpy(o + at, sum, sizeof sum);
        }
    }
}

/* With g the gradient of S_t: grad_k_t = g v_t, grad_v_t = k_t g, grad_w_t = the rows of g . S_{t-1}. */
void NAMED(state_backward)(const R* w, const R* k, const R* v, const R* r, const R* kept,
                         const R* grad_o, R* grad_w, R* grad_k, R* grad_v, R* grad_r,
                         int64_t batch, int64_t time, int64_t heads, int64_t before) {
    const int64_t spans = (time + SPAN - 1) / SPAN;
    R* states = malloc((SPAN + 1) * STATE * sizeof(R));
    for (int64_t text = 0; text < batch * heads; text++) {
        R g[STATE] = {0};
        for (int64_t span = spans - 1; span >= 0; span--) {
            const int64_t first = span * SPAN, end = first + SPAN < time ? first + SPAN : time;
            memcpy(states, kept + (text * spans + span) * STATE, STATE * sizeof(R));
            for (int64_t t = first; t < end; t++) {
                const int64_t at = ((text / heads * time + t) * heads + text % heads) * SIZE;
                const R* old = states + (t - first) * STATE;
                R* new = states + (t - first + 1) * STATE;
                for (int i = 0; i < SIZE; i++) {
                    const R wi = w[at + i], ki = k[at + i];
                    for (int j = 0; j < SIZE; j++) {
                        new[i * SIZE + j] = wi * old[i * SIZE + j] + ki * v[at + j];
                    }
                }
            }
            for (int64_t t = end - 1; t >= first; t--) {
                const int64_t at = ((text / heads * time + t) * heads + text % heads) * SIZE;
                const R* old = states + (t - first) * STATE;
                const R* read = before ? old : old + STATE;
                R to_v[SIZE] = {0};
                for (int i = 0; i < SIZE; i++) {
                    const R wi = w[at + i], ki = k[at + i], ri = r[at + i];
                    const R now = before ? 0 : ri, then = before ? ri : 0;
                    R to_w = 0, to_k = 0, to_r = 0;
                    for (int j = 0; j < SIZE; j++) {
                        const R out = grad_o[at + j], gij = g[i * SIZE + j] + now * out;
                        to_r += read[i * SIZE + j] * out;
                        to_k += gij * v[at + j];
                        to_w += gij * old[i * SIZE + j];
                        to_v[j] += ki * gij;
                        g[i * SIZE + j] = wi * gij + then * out;
                    }
                    grad_w[at + i] = to_w;
                    grad_k[at + i] = to_k;
                    grad_r[at + i] = to_r;
                }
                memcpy(grad_v + at, to_v, sizeof to_v);
            }
        }
    }
    free(states);
}

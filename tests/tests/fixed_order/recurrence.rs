//! Operations that carry a state.

use longseq_embedded::ops::{
    CausalConv1d, DdLerp, RANK, RgLru, SSD, SsdChunkScan, SsdScan, StateSpace, TOKENS, TokenShift,
    Wkv6,
};

use super::arithmetic::{ALL, Arithmetic, Flip, bf16, f32s, sigmoid, silu, softplus};
use super::check;
use super::rows::vector_matrix;
use super::sequences::{row, slot, tokens};

#[test]
fn causal_conv1d() {
    check::<CausalConv1d>(
        |of, how| {
            let (w, b) = (bf16(&of.weight), bf16(&of.bias));
            let (mut state, mut y) = (of.state.to_vec(), Vec::new());
            for (at, of_slot, _) in tokens() {
                for (channel, &x) in row(&of.x, TOKENS, at).iter().enumerate() {
                    let w = row(&w, b.len(), channel);
                    let carried = w.len() - 1;
                    let past = &mut slot(&mut state, of_slot)[channel * carried..][..carried];
                    let inputs: Vec<_> =
                        past.iter().copied().chain([x]).zip(w).map(|(x, &w)| (w, x)).collect();
                    y.push(how.keep(silu(how.sum(b[channel], &inputs))));
                    past.rotate_left(1);
                    past[carried - 1] = how.keep(x);
                }
            }
            y.extend(state);
            y
        },
        &ALL,
    );
}

fn lerp(x: &[f32], before: &[f32], mu: &[f32], how: Arithmetic) -> Vec<f32> {
    let each = x.iter().zip(before).zip(mu);
    each.map(|((&x, &before), &mu)| how.keep(how.add(x, before - x, mu))).collect()
}

#[test]
fn token_shift() {
    check::<TokenShift>(
        |of, how| {
            let mu = of.proportions.map(|mu| bf16(&mu));
            let (mut state, mut y) = (of.state.to_vec(), Vec::new());
            for (at, of_slot, _) in tokens() {
                let (x, before) = (row(&of.x, TOKENS, at), slot(&mut state, of_slot));
                mu.iter().for_each(|mu| y.extend(lerp(x, before, mu, how)));
                before.copy_from_slice(x);
            }
            y.extend(state);
            y
        },
        &[Flip::Contracted, Flip::Narrowed],
    );
}

#[test]
fn ddlerp() {
    check::<DdLerp>(
        |of, how| {
            let (mixed, down, up) = (bf16(&of.mixed), bf16(&of.down), bf16(&of.up));
            let (mut state, mut y) = (of.state.to_vec(), Vec::new());
            for (at, of_slot, _) in tokens() {
                let (x, before) = (row(&of.x, TOKENS, at), slot(&mut state, of_slot));
                let mixed = lerp(x, before, &mixed, how);
                let m = vector_matrix(&mixed, &down, &[0.0; 5 * RANK], how);
                let m: Vec<_> = m.into_iter().map(libm::tanhf).collect();
                for (c, stream) in of.streams.iter().enumerate() {
                    let m = row(&m, 5, c);
                    let mu = vector_matrix(m, row(&up, 5, c), &bf16(stream), how);
                    y.extend(lerp(x, before, &mu, how));
                }
                before.copy_from_slice(x);
            }
            y.extend(state);
            y
        },
        &ALL,
    );
}

/// x, B and C of a head in a row.
fn head(xbc: &[f32], head: usize) -> (&[f32], &[f32], &[f32]) {
    let group = head / (SSD.heads / SSD.groups);
    let (x, bc) = xbc.split_at(SSD.inner());
    let (b, c) = bc.split_at(SSD.group_width());
    (row(x, SSD.heads, head), row(b, SSD.groups, group), row(c, SSD.groups, group))
}

#[test]
fn ssd_scan() {
    check::<SsdScan>(
        |of, how| {
            let (bias, d) = (bf16(&of.dt_bias), f32s(&of.d));
            let a: Vec<_> = bf16(&of.a_log).into_iter().map(|a| -libm::expf(a)).collect();
            let (mut state, mut out) = (of.state.to_vec(), Vec::new());
            for (at, of_slot, _) in tokens() {
                for h in 0..SSD.heads {
                    let (x, b, c) = head(row(&of.xbc, TOKENS, at), h);
                    let dt = softplus(row(&of.dt, TOKENS, at)[h] + bias[h]);
                    let decay = libm::expf(dt * a[h]);
                    let size = SSD.head_dim * SSD.state;
                    let s = &mut slot(&mut state, of_slot)[h * size..][..size];
                    for (&x, s) in x.iter().zip(s.chunks_mut(SSD.state)) {
                        let input = dt * x;
                        for (s, &b) in s.iter_mut().zip(b) {
                            *s = how.keep(how.add(input * b, decay, *s));
                        }
                        out.push(how.keep(how.add(how.dot(s, c), d[h], x)));
                    }
                }
            }
            out.extend(state);
            out
        },
        &ALL,
    );
}

#[test]
fn ssd_chunk_scan() {
    check::<SsdChunkScan>(
        |of, how| {
            let (mut state, mut out) = (of.state.to_vec(), vec![0.0; TOKENS * SSD.inner()]);
            let (chunk, size) = (SsdChunkScan::CHUNK, SSD.head_dim * SSD.state);
            for first in (0..TOKENS).step_by(chunk) {
                let rows = first..(first + chunk).min(TOKENS);
                for h in 0..SSD.heads {
                    let (a, d, state) = (of.a[h], of.d[h], &mut state[h * size..][..size]);
                    let token = |at| (head(row(&of.xbc, TOKENS, at), h), of.dt[at * SSD.heads + h]);
                    for i in rows.clone() {
                        let ((x, _, c), _) = token(i);
                        let y = &mut out[i * SSD.inner() + h * SSD.head_dim..][..SSD.head_dim];
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = d * x);
                        let mut log_decay = 0.0;
                        let mut newest_first: Vec<_> = (rows.start..=i).rev().collect();
                        if how.0 == Some(Flip::Reassociated) {
                            newest_first.reverse();
                            log_decay = (rows.start + 1..=i)
                                .fold(0.0, |sum, j| sum + of.dt[j * SSD.heads + h] * a);
                        }
                        for j in newest_first {
                            let ((x, b, _), dt) = token(j);
                            let weight = how.dot(c, b) * libm::expf(log_decay) * dt;
                            y.iter_mut().zip(x).for_each(|(y, &x)| *y = how.add(*y, weight, x));
                            log_decay = how.add(log_decay, dt, a);
                        }
                        for (y, s) in y.iter_mut().zip(state.chunks(SSD.state)) {
                            *y = how.keep(how.add(*y, libm::expf(log_decay), how.dot(s, c)));
                        }
                    }
                    let total = rows.clone().fold(0.0, |sum, j| how.add(sum, token(j).1, a));
                    state.iter_mut().for_each(|s| *s *= libm::expf(total));
                    let mut log_decay = 0.0;
                    for j in rows.clone().rev() {
                        let ((x, b, _), dt) = token(j);
                        let weight = libm::expf(log_decay) * dt;
                        for (&x, s) in x.iter().zip(state.chunks_mut(SSD.state)) {
                            for (s, &b) in s.iter_mut().zip(b) {
                                *s = how.keep(how.add(*s, weight * x, b));
                            }
                        }
                        log_decay = how.add(log_decay, dt, a);
                    }
                }
            }
            out.extend(state);
            out
        },
        &ALL,
    );
}

#[test]
fn rg_lru() {
    check::<RgLru>(
        |of, how| {
            let (weights, biases) = (of.gates.map(|w| bf16(&w)), of.biases.map(|b| bf16(&b)));
            let decays: Vec<_> = bf16(&of.decay).into_iter().map(softplus).collect();
            let (mut state, mut out) = (of.state.to_vec(), Vec::new());
            let blocks = RgLru::DIMS.blocks;
            for (at, of_slot, position) in tokens() {
                let x = row(&of.x, TOKENS, at);
                let gate = |g: usize| -> Vec<f32> {
                    let block = |b| {
                        let (w, bias) = (row(&weights[g], blocks, b), row(&biases[g], blocks, b));
                        vector_matrix(row(x, blocks, b), w, bias, how)
                    };
                    (0..blocks).flat_map(block).collect()
                };
                let (i, r) = (gate(0), gate(1));
                for (c, h) in slot(&mut state, of_slot).iter_mut().enumerate() {
                    let input = sigmoid(i[c]) * x[c];
                    let log_a = -8.0 * sigmoid(r[c]) * decays[c];
                    let scale = libm::sqrtf(-libm::expm1f(log_a + log_a));
                    let next = how.add(libm::expf(log_a) * *h, scale, input);
                    *h = how.keep(if position == 0 { input } else { next });
                    out.push(*h);
                }
            }
            out.extend(state);
            out
        },
        &ALL,
    );
}

#[test]
fn wkv6() {
    check::<Wkv6>(
        |of, how| {
            let (bonus, n) = (bf16(&of.bonus), Wkv6::DIMS.head_dim);
            let (mut state, mut y) = (of.state.to_vec(), Vec::new());
            for (at, of_slot, _) in tokens() {
                let [r, k, v, d] = of.inputs.each_ref().map(|input| row(input, TOKENS, at));
                for h in 0..Wkv6::DIMS.heads {
                    let s = &mut slot(&mut state, of_slot)[h * n * n..][..n * n];
                    for j in 0..n {
                        let read = |i: usize| {
                            let c = h * n + i;
                            let kv = k[c] * v[h * n + j];
                            (r[c], how.add(s[i * n + j], bonus[c], kv))
                        };
                        let products: Vec<_> = (0..n).map(read).collect();
                        y.push(how.keep(how.sum(0.0, &products)));
                    }
                    for (at, s) in s.iter_mut().enumerate() {
                        let c = h * n + at / n;
                        let w = libm::expf(-libm::expf(d[c]));
                        *s = how.keep(how.add(k[c] * v[h * n + at % n], w, *s));
                    }
                }
            }
            y.extend(state);
            y
        },
        &ALL,
    );
}

/// (I − Δ/2 A)⁻¹ (I + Δ/2 A) and (I − Δ/2 A)⁻¹ Δ B by Gauss–Jordan elimination of \[left | right | vector\].
fn bilinear(a: &[Vec<f32>], b: &[f32], dt: f32, how: Arithmetic) -> Vec<Vec<f32>> {
    let (size, half) = (b.len(), dt / 2.0);
    let identity = |n, k| if n == k { 1.0 } else { 0.0 };
    let mut rows: Vec<Vec<f32>> = (0..size)
        .map(|n| {
            let left = (0..size).map(|k| how.add(identity(n, k), -half, a[n][k]));
            let right = (0..size).map(|k| how.add(identity(n, k), half, a[n][k]));
            left.chain(right).chain([dt * b[n]]).collect()
        })
        .collect();
    for column in 0..size {
        let better = |pivot: usize, row: usize| {
            if rows[row][column].abs() > rows[pivot][column].abs() { row } else { pivot }
        };
        let pivot = (column + 1..size).fold(column, better);
        rows.swap(pivot, column);
        let divisor = rows[column][column];
        rows[column].iter_mut().for_each(|x| *x /= divisor);
        let unit = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|&(row, _)| row != column) {
            let factor = row[column];
            row.iter_mut().zip(&unit).for_each(|(x, &unit)| *x = how.add(*x, -factor, unit));
        }
    }
    rows.into_iter().map(|row| row[size..].to_vec()).collect()
}

#[test]
fn state_space() {
    check::<StateSpace>(
        |of, how| {
            let size = StateSpace::SIZE;
            let root = |n: usize| libm::sqrtf((2 * n + 1) as f32);
            let legs = |n: usize, k: usize| match n.cmp(&k) {
                std::cmp::Ordering::Greater => -(root(n) * root(k)),
                std::cmp::Ordering::Equal => -((n + 1) as f32),
                std::cmp::Ordering::Less => 0.0,
            };
            let a: Vec<Vec<_>> =
                (0..size).map(|n| (0..size).map(|k| legs(n, k)).collect()).collect();
            let b: Vec<_> = (0..size).map(root).collect();
            let solved = bilinear(&a, &b, of.dt, how);
            let a: Vec<&[f32]> = solved.iter().map(|row| &row[..size]).collect();
            let b: Vec<f32> = solved.iter().map(|row| row[size]).collect();
            let mut out: Vec<f32> = a.concat();
            out.extend(&b);
            let mut h = vec![0.0; size];
            for &x in &of.x {
                let next: Vec<_> = a.iter().map(|row| how.dot(row, &h)).collect();
                h = next.iter().zip(&b).map(|(&h, &b)| how.keep(how.add(h, b, x))).collect();
                out.push(how.add(how.dot(&of.c, &h), of.d, x));
            }
            let (mut kernel, mut h) = (Vec::new(), b.clone());
            for _ in &of.x {
                kernel.push(how.dot(&of.c, &h));
                h = a.iter().map(|row| how.dot(row, &h)).collect();
            }
            out.extend(&kernel);
            for (t, &x) in of.x.iter().enumerate() {
                let products: Vec<_> = (0..=t).map(|j| (kernel[j], of.x[t - j])).collect();
                out.push(how.sum(of.d * x, &products));
            }
            out
        },
        &ALL,
    );
}

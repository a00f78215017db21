//! Products on any machine.

use super::{Line, NR, Panel, Tile};

/// A tile of `rows`: `data` \[K, rows\].
pub fn tile(rows: usize, data: &[f32], panel: Panel<'_>, out: &mut Tile) {
    for (row, out) in out.iter_mut().enumerate().take(rows) {
        let mut sums = [0.0; NR];
        let mut x = data.iter().skip(row).step_by(rows);
        match panel {
            Panel::Singles(lines) => {
                for (lines, &x) in lines.as_chunks::<2>().0.iter().zip(x) {
                    add(&mut sums, x, lines);
                }
            }
            Panel::Pairs(lines) => {
                for pairs in lines.as_chunks::<2>().0 {
                    let halves = [|bits: u32| bits << 16, |bits: u32| bits & 0xffff_0000];
                    for half in halves {
                        // Of an odd K the last half is 0.
                        let Some(&x) = x.next() else { break };
                        let single = pairs.map(|Line(p)| Line(p.map(|p| f32::from_bits(half(p)))));
                        add(&mut sums, x, &single);
                    }
                }
            }
        }
        *out = sums;
    }
}

fn add(sums: &mut [f32; NR], x: f32, lines: &[Line<f32>; 2]) {
    for (sums, Line(line)) in sums.as_chunks_mut::<16>().0.iter_mut().zip(lines) {
        for (sum, y) in sums.iter_mut().zip(line) {
            *sum += x * y;
        }
    }
}

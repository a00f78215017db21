//! Sums as they are stated, or with one property flipped.

/// What is otherwise than stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// A product and a sum are rounded once, by a fused multiply-add.
    Contracted,
    /// Sums run in another order.
    Reassociated,
    /// Sums are f64, rounded at the end.
    Widened,
    /// Results and state are kept in bf16.
    Narrowed,
}

/// All of them.
pub const ALL: [Flip; 4] = [Flip::Contracted, Flip::Reassociated, Flip::Widened, Flip::Narrowed];

/// f32 as stated, or flipped.
#[derive(Clone, Copy)]
pub struct Arithmetic(pub Option<Flip>);

impl Arithmetic {
    /// sum + a b.
    pub fn add(self, sum: f32, a: f32, b: f32) -> f32 {
        if self.0 == Some(Flip::Contracted) { a.mul_add(b, sum) } else { sum + a * b }
    }

    /// first + Σ a b, from the first product to the last.
    pub fn sum(self, first: f32, products: &[(f32, f32)]) -> f32 {
        match self.0 {
            Some(Flip::Widened) => {
                let sum = |sum, &(a, b): &(f32, f32)| sum + f64::from(a) * f64::from(b);
                products.iter().fold(f64::from(first), sum) as f32
            }
            Some(Flip::Reassociated) => {
                products.iter().rev().fold(first, |sum, &(a, b)| sum + a * b)
            }
            _ => products.iter().fold(first, |sum, &(a, b)| self.add(sum, a, b)),
        }
    }

    /// Σ x, from the first to the last.
    pub fn total(self, x: &[f32]) -> f32 {
        let ones: Vec<_> = x.iter().map(|&x| (x, 1.0)).collect();
        self.sum(0.0, &ones)
    }

    /// Σ a b in eight partial sums, added pairwise.
    pub fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        let products: Vec<_> = a.iter().copied().zip(b.iter().copied()).collect();
        if matches!(self.0, Some(Flip::Widened | Flip::Reassociated)) {
            return self.sum(0.0, &products);
        }
        let mut s = [0.0; 8];
        for (i, &(a, b)) in products.iter().enumerate() {
            s[i % 8] = self.add(s[i % 8], a, b);
        }
        ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
    }

    /// What is written.
    pub fn keep(self, x: f32) -> f32 {
        if self.0 == Some(Flip::Narrowed) { half::bf16::from_f32(x).to_f32() } else { x }
    }
}

/// Elements stored as bf16.
pub fn bf16(bytes: &[u8]) -> Vec<f32> {
    let upper = |bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
    bytes.as_chunks().0.iter().map(upper).collect()
}

/// Elements stored as f16.
pub fn f16(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| half::f16::from_le_bytes(bytes).to_f32()).collect()
}

/// Elements stored as f32.
pub fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

pub fn softplus(x: f32) -> f32 {
    if x > 20.0 { x } else { libm::log1pf(libm::expf(x)) }
}

//! Arguments, read off a string of random bytes.

use longseq_core::backend::Columns;
use longseq_core::batch::Batch;
use longseq_core::numeric::tensor::{Dtype, MAX_RANK, Tensor};
use longseq_core::state::{Region, StateMut};
use longseq_embedded::draw::Draw;

/// Buffers are not made longer.
const LONGEST: usize = 4096;

/// A source of choices; at its end all are 0.
pub struct Choices<'c>(std::slice::Iter<'c, u8>);

impl<'c> Choices<'c> {
    pub fn new(bytes: &'c [u8]) -> Self {
        Self(bytes.iter())
    }

    pub fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// Below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// 1 to 5; one in sixteen is something else.
    pub fn extent(&mut self) -> usize {
        let byte = self.byte();
        match byte {
            0..=7 => 0,
            8..=15 => self.huge(),
            _ => 1 + usize::from(byte) % 5,
        }
    }

    fn huge(&mut self) -> usize {
        let bits = u32::from(self.byte()) % usize::BITS;
        (usize::MAX >> bits).wrapping_sub(self.below(3)).wrapping_add(1)
    }

    /// `right`; one in sixteen is something else.
    pub fn near(&mut self, right: usize) -> usize {
        match self.byte() {
            0..=3 => right.wrapping_add(1),
            4..=7 => right.wrapping_sub(1),
            8..=11 => 0,
            12..=15 => self.huge(),
            _ => right,
        }
    }

    pub fn number(&mut self) -> f32 {
        match self.byte() {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => f32::MAX,
            4 => f32::from_bits(1),
            5 => -0.0,
            byte => f32::from(byte) / 64.0 - 2.0,
        }
    }

    /// About so many numbers.
    pub fn numbers(&mut self, right: usize) -> Vec<f32> {
        let length = self.near(right).min(LONGEST);
        let few: [f32; 7] = std::array::from_fn(|_| self.number());
        few.iter().copied().cycle().take(length).collect()
    }

    /// The same, stored.
    pub fn stored(&mut self, right: usize) -> Stored {
        let dtype = [Dtype::Bf16, Dtype::F16, Dtype::F32][self.below(3)];
        let length = self.near(right).min(LONGEST);
        let byte = self.byte();
        let bytes = (0..length * dtype.bytes()).map(|at| byte.wrapping_mul(at as u8 | 1)).collect();
        Stored { dtype, shape: vec![length], bytes }
    }

    /// Columns of a buffer of rows of `width`.
    pub fn columns<B>(&mut self, buffer: B, width: usize) -> Columns<B> {
        let (stride, offset) = (self.near(width), self.near(0));
        Columns::from(buffer, stride, offset)
    }

    /// State of two slots of `elements` each, of which the buffer holds so many or not.
    pub fn region(&mut self, elements: usize) -> Region {
        let (offset, stride) = (self.near(0), self.near(elements));
        Region { offset, stride, elements: self.near(elements) }
    }

    /// A batch of one or two sequences.
    pub fn lists(&mut self) -> Lists {
        let first = 1 + self.below(3);
        let ends = [0, first, first + 1 + self.below(3)];
        let count = 1 + self.below(2);
        let mut lists = Lists {
            tokens: vec![0; ends[count]],
            cu_seqlens: ends[..=count].to_vec(),
            slots: [1, 0][..count].to_vec(),
            logits_for: vec![ends[count] - 1],
            positions: vec![self.near(3), 0],
        };
        match self.byte() {
            0 => lists.tokens.push(self.byte().into()),
            1 => lists.cu_seqlens.clear(),
            2 => lists.slots[0] = self.huge(),
            3 => lists.positions.clear(),
            4 => lists.logits_for.push(self.huge()),
            5 => lists.slots.clear(),
            6 => lists.cu_seqlens.reverse(),
            7 => lists.slots.fill(0),
            8 => lists = Lists { cu_seqlens: vec![0], ..Lists::default() },
            _ => {}
        }
        lists
    }
}

/// How many of 1,000 calls with random choices compute rather than refuse: what refuses all tests nothing.
pub fn reached(call: impl Fn(&mut Choices<'_>) -> bool) -> usize {
    let mut draw = Draw::new(1);
    let mut once = |_: &usize| {
        let bytes: Vec<u8> = (0..400).map(|_| draw.bits() as u8).collect();
        call(&mut Choices::new(&bytes))
    };
    (0..1_000).filter(|number| once(number)).count()
}

/// A weight.
pub struct Stored {
    dtype: Dtype,
    pub shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    /// The tensor; an empty one where its shape is none.
    pub fn tensor(&self) -> Tensor<'_> {
        let shape = &self.shape[..self.shape.len().min(MAX_RANK + 1)];
        Tensor::new(self.dtype, shape, &self.bytes)
            .unwrap_or_else(|_| Tensor::new(self.dtype, &[0], &[]).expect("nothing"))
    }
}

/// What a batch is made of.
#[derive(Default)]
pub struct Lists {
    pub tokens: Vec<u32>,
    pub cu_seqlens: Vec<usize>,
    pub slots: Vec<usize>,
    pub logits_for: Vec<usize>,
    pub positions: Vec<usize>,
}

impl Lists {
    /// The batch, if it is one.
    pub fn batch(&self) -> Option<Batch<'_>> {
        Batch::new(&self.tokens, &self.cu_seqlens, &self.slots, &self.logits_for).ok()
    }
}

/// State for an operation.
pub fn state(buffer: &mut [f32], region: Region) -> StateMut<'_, [f32]> {
    StateMut { buffer, region }
}

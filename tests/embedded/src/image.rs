//! A checkpoint as it lies in flash: the weights as one piece of bytes, and what a program needs to find and read
//! them. `flash_image` of `longseq-tests` writes it as Rust source.

use longseq_core::hybrid::bind::WeightSource;
use longseq_core::hybrid::config::ModelConfig;
use longseq_core::numeric::tensor::{Dtype, Tensor};

/// Where a tensor lies in [`Image::weights`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its on-disk name; entries are sorted by it.
    pub name: &'a str,
    /// How it is stored.
    pub dtype: Dtype,
    /// Extents, outermost first.
    pub shape: &'a [usize],
    /// First byte.
    pub offset: usize,
}

/// A checkpoint, its tokenizer, and the words that needles are made of.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// Sizes of the model.
    pub config: ModelConfig,
    /// Every tensor, in its storage dtype.
    pub weights: &'a [u8],
    /// Where each begins.
    pub tensors: &'a [Entry<'a>],
    /// Token ids that end a text.
    pub end_of_text: &'a [u32],
    /// The token in front of every prompt.
    pub bos: Option<u32>,
    /// The bytes of every token; none for special tokens.
    pub pieces: &'a [&'a [u8]],
    /// Left and right token, rank and result of every merge, sorted.
    pub merges: &'a [[u16; 4]],
    /// Adjectives of a key.
    pub adjectives: &'a [&'a str],
    /// Nouns of a key.
    pub nouns: &'a [&'a str],
}

impl<'a> WeightSource<'a> for Image<'a> {
    fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        let at = self.tensors.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
        let Entry { dtype, shape, offset, .. } = *self.tensors.get(at)?;
        let elements = shape.iter().try_fold(1_usize, |product, &of| product.checked_mul(of))?;
        let bytes = self.weights.get(offset..)?.get(..elements.checked_mul(dtype.bytes())?)?;
        Tensor::new(dtype, shape, bytes).ok()
    }
}

//! A checkpoint packed for the processor, part by part: no more than one part is in memory twice.

use longseq_core::{
    hybrid::{
        config::ModelConfig,
        map::MapWeights,
        weights::{AttentionWeights, Ends, Layer, MixerWeights, Model, Qkv, SsdWeights},
    },
    numeric::tensor::Tensor,
};
use longseq_cpu::{
    CpuError,
    gemm::{self, Stored},
    isa::Isa,
    memory::Kinds,
    weight::{Compute, Form, Forms, Pack, Weight},
};

use super::memory;
use crate::{
    checkpoint::Checkpoint,
    error::{Error, Result},
};

/// What packing comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packing {
    /// Bytes that the program has in memory before.
    pub program: u64,
    /// Bytes of the packed weights.
    pub bytes: usize,
    /// Bytes in memory while they are packed, at most: those so far and the part of the checkpoint that is read.
    pub peak: usize,
    /// Bytes of an embedding that is not the head as well: a token reads no more than a row of it.
    pub rows: usize,
    /// Of what the matrices are made that rows are multiplied by.
    pub kinds: Kinds,
    /// Whether the projections of a mixer that multiplies without weights are in bf16. Its own products are then, too.
    pub products: bool,
}

impl Packing {
    /// What packing a checkpoint will come to. Of its elements only those are read that say whether bf16 is exact.
    ///
    /// # Errors
    /// Weights of odd shapes.
    pub fn of(checkpoint: &Checkpoint, compute: Compute) -> Result<Self> {
        let bf16 = |of: &Form| matches!(of, Form::Matrices { stored: Stored::Bf16, .. });
        Ok(map(checkpoint, || Forms::new(compute), bf16)?.0)
    }

    fn note(&mut self, forms: &Forms) {
        self.bytes = self.bytes.saturating_add(forms.bytes);
        self.peak = self.peak.max(self.bytes.saturating_add(forms.read));
        self.rows = self.rows.saturating_add(forms.rows);
        self.kinds.bf16 |= forms.kinds.bf16;
        self.kinds.f32 |= forms.kinds.f32;
    }
}

/// A model whose weights are packed for the processor.
#[derive(Debug)]
pub struct Packed<'a> {
    /// Its sizes.
    pub config: &'a ModelConfig,
    /// The instruction set that it is packed for.
    pub isa: Isa,
    /// What packing came to.
    pub packing: Packing,
    ends: Ends<Weight>,
    layers: Vec<Layer<Weight>>,
}

impl<'a> Packed<'a> {
    /// Packs the weights of a checkpoint for the processor's best instruction set.
    ///
    /// # Errors
    /// Weights of odd shapes.
    pub fn new(checkpoint: &'a Checkpoint, compute: Compute) -> Result<Self> {
        let bf16 = |of: &Weight| of.matrix("mixer").is_ok_and(gemm::Packed::is_bf16);
        let (packing, ends, layers) = map(checkpoint, || Pack::new(compute), bf16)?;
        Ok(Self { config: checkpoint.config(), isa: Isa::best(), packing, ends, layers })
    }

    /// The model, for a forward pass.
    pub fn model(&self) -> Model<'_, Weight> {
        Model { config: self.config, ends: &self.ends, layers: &self.layers }
    }
}

/// Takes over a checkpoint's weights, each part by a mapper of its own.
fn map<M, W>(
    checkpoint: &Checkpoint,
    mapper: impl Fn() -> M,
    bf16: impl Fn(&W) -> bool,
) -> Result<(Packing, Ends<W>, Vec<Layer<W>>)>
where
    M: for<'t> MapWeights<Tensor<'t>, Weight = W, Error = CpuError> + AsRef<Forms>,
{
    let failed = |source| Error::new(format!("the weights cannot be packed: {source}"));
    let mut packing = Packing { program: memory::taken(), ..Packing::default() };
    let ends = checkpoint.ends(|ends| {
        let mut mapper = mapper();
        let ends = ends.map(&mut mapper).map_err(failed)?;
        packing.note(mapper.as_ref());
        Ok(ends)
    })?;
    let layers = (0..checkpoint.config().layers).map(|layer| {
        checkpoint.layer(layer, |layer| {
            let mut mapper = mapper();
            let layer = layer.map(&mut mapper).map_err(failed)?;
            packing.note(mapper.as_ref());
            packing.products |= projection(&layer).is_some_and(&bf16);
            Ok(layer)
        })
    });
    let layers = layers.collect::<Result<_>>()?;
    Ok((packing, ends, layers))
}

/// The projection to what attention, or Mamba-2's scan, multiplies.
fn projection<W>(layer: &Layer<W>) -> Option<&W> {
    match &layer.mixer {
        MixerWeights::Attention(_, AttentionWeights { qkv: Qkv::Fused(map), .. }) => {
            Some(&map.weight)
        }
        MixerWeights::Ssd(_, SsdWeights { in_proj, .. }) => Some(&in_proj.weight),
        _ => None,
    }
}

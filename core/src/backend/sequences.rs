//! Operations that carry state through every sequence.

use super::{Columns, Storage};
use crate::attention::grouped_query_attention::AttentionDims;
use crate::attention::kv_cache::KvCacheDims;
use crate::batch::Sequences;
use crate::recurrence::causal_conv1d::{Conv, ConvDims};
use crate::recurrence::rg_lru::{RgLruDims, RgLruWeights};
use crate::recurrence::ssd::{SsdDims, SsdHeads};
use crate::recurrence::token_shift::{DdLerp, DdLerpDims};
use crate::recurrence::wkv6::Wkv6Dims;
use crate::state::StateMut;

/// [`causal_conv1d`](crate::recurrence::causal_conv1d) of every sequence, from and to its carried inputs
/// \[C, K−1\]; `out` \[T, C\].
pub trait CausalConv1d: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn causal_conv1d(
        &mut self,
        dims: &ConvDims,
        sequences: &Sequences<'_>,
        x: Columns<&Self::Buffer>,
        conv: &Conv<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// The [`ssd`](crate::recurrence::ssd) recurrence of every sequence, from and to its state \[H, P, N\]:
/// Δ = softplus(dt + dt_bias), A = −e^A_log. `inputs` are xBC \[T, H·P + 2 G·N\] and dt \[T, H\] before bias and
/// softplus; `y` \[T, H, P\].
pub trait SsdScan: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        inputs: (&Self::Buffer, Columns<&Self::Buffer>),
        heads: &SsdHeads<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
        y: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// The [`rg_lru`](crate::recurrence::rg_lru) of every sequence, in place (v becomes h), from and to its state
/// \[R\]; `x` \[T, R\].
pub trait RgLru: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn rg_lru(
        &mut self,
        dims: &RgLruDims,
        sequences: &Sequences<'_>,
        x: &mut Self::Buffer,
        weights: &RgLruWeights<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
    ) -> Result<(), Self::Error>;
}

/// [Token shift](crate::recurrence::token_shift) of every sequence, from and to its state \[C\]; `x` \[T, C\].
pub trait TokenShift: Storage {
    /// A stream for each of `proportions` μ \[C\], side by side: `out` \[T, streams, C\].
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn token_shift(
        &mut self,
        channels: usize,
        sequences: &Sequences<'_>,
        x: &Self::Buffer,
        proportions: &[Self::Weight],
        state: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// The five streams with data-dependent proportions: `out` \[T, 5, C\].
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn ddlerp(
        &mut self,
        dims: &DdLerpDims,
        sequences: &Sequences<'_>,
        x: &Self::Buffer,
        weights: &DdLerp<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// What the [`wkv6`](crate::recurrence::wkv6) recurrence reads, each \[T, H, K\].
#[derive(Debug)]
pub struct Wkv6Inputs<'b, B: ?Sized> {
    /// r.
    pub receptance: Columns<&'b B>,
    /// k.
    pub key: Columns<&'b B>,
    /// v.
    pub value: Columns<&'b B>,
    /// d, the log of the rate of decay.
    pub decay: Columns<&'b B>,
}

/// The [`wkv6`](crate::recurrence::wkv6) recurrence of every sequence, from and to its state \[H, K, V\]:
/// `bonus` u \[H, K\], `out` \[T, H, V\].
pub trait Wkv6Scan: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn wkv6_scan(
        &mut self,
        dims: &Wkv6Dims,
        sequences: &Sequences<'_>,
        inputs: Wkv6Inputs<'_, Self::Buffer>,
        bonus: &Self::Weight,
        state: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// Rotary [`grouped_query_attention`](crate::attention::grouped_query_attention) of every sequence: rotates q
/// and k, adds k and v to the cache, attends. `qkv` \[T, H·D + 2 Hkv·D\], `out` \[T, H, D\].
pub trait GroupedQueryAttention: Storage {
    /// # Errors
    /// Shapes that do not fit; a cache with too few rows.
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &Self::Buffer,
        kv: &KvCacheDims,
        cache: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

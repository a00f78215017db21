//! Operations on every row by itself.

use super::{Kernel, Source, Versions, versions};

const NORM: Source = source!("numeric/norm.cu");
const EMBEDDING_ROWS: Source = source!("numeric/embedding.cu");
const LINEAR: Source = source!("numeric/linear.cu");
const ACTIVATION: Source = source!("numeric/activation.cu");
const LOW_RANK: Source = source!("numeric/low_rank.cu");
const SOFTMAX: Source = source!("numeric/softmax.cu");

/// A norm: a block sums over its warps.
const fn norm(plain: &'static str, fast: &'static str) -> Versions {
    let of = versions(NORM, plain, fast, 128);
    Versions { fast: of.fast.shared(128, 0), ..of }
}

pub(crate) const RMS_NORM: Versions = norm("rms_norm_ref", "rms_norm");
pub(crate) const LAYER_NORM: Versions = norm("layer_norm_ref", "layer_norm");
pub(crate) const GATED_RMS_NORM: Versions = norm("gated_rms_norm_ref", "gated_rms_norm");
pub(crate) const GATED_GROUP_NORM: Versions = norm("gated_group_norm_ref", "gated_group_norm");
pub(crate) const EMBEDDING: Versions = versions(EMBEDDING_ROWS, "embedding_ref", "embedding", 48);
pub(crate) const GATHER_ROWS: Versions =
    versions(EMBEDDING_ROWS, "gather_rows_ref", "gather_rows", 48);
pub(crate) const LINEAR_INPUT: Versions = versions(LINEAR, "linear_input_ref", "linear_input", 48);
pub(crate) const LINEAR_BIAS: Versions = versions(LINEAR, "linear_bias_ref", "linear_bias", 48);
pub(crate) const GATED_LINEAR_UNIT: Versions =
    versions(ACTIVATION, "gated_linear_unit_ref", "gated_linear_unit", 48);
pub(crate) const SQUARED_RELU: Versions =
    versions(ACTIVATION, "squared_relu_ref", "squared_relu", 48);
pub(crate) const SOFT_CAP: Versions = versions(ACTIVATION, "soft_cap_ref", "soft_cap", 48);
pub(crate) const LOW_RANK_TANH: Versions =
    versions(LOW_RANK, "low_rank_tanh_ref", "low_rank_tanh", 48);
pub(crate) const ARGMAX: Versions = Versions {
    plain: Kernel::new(SOFTMAX, "argmax_ref", 256, 64),
    fast: Kernel::new(SOFTMAX, "argmax", 1024, 64).shared(256, 0),
};

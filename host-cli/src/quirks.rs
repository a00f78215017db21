//! Faults of the libraries behind published numbers, reproduced on request (docs/quirks.md).
//!
//! Without any the mathematics is what the models' authors published.

// The comments of `Quirk` are what `--help` prints: `<depth>` is a placeholder there, not HTML.
#![allow(rustdoc::invalid_html_tags)]

use std::fmt;

use clap::ValueEnum;
use longseq_core::hybrid::config::{Family, ModelConfig};

use crate::{
    error::{Error, Result},
    generate::Cell,
};

/// A fault that can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Quirk {
    /// transformers 4.x: a RecurrentGemma reads a prompt longer than its window with the last
    /// window of keys under the mask of the first
    Hf4RecurrentgemmaPrefill,
    /// mamba_ssm: after a prompt, the attention layers of the Mamba-2 hybrid convolve with their
    /// convolution's outputs in place of its inputs
    MambaSsmHybridConvState,
    /// DeepMind's code: a RecurrentGemma's window has one key more
    RecurrentgemmaWindowPlusOne,
    /// The fork behind Huang (2025): niah_essay_uuids_<depth> has numbers for values (the default
    /// of profile huang2025)
    #[value(name = "huang2025-uuid-depths")]
    Huang2025UuidDepths,
}

impl Quirk {
    /// The name in options, plans and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hf4RecurrentgemmaPrefill => "hf4-recurrentgemma-prefill",
            Self::MambaSsmHybridConvState => "mamba-ssm-hybrid-conv-state",
            Self::RecurrentgemmaWindowPlusOne => "recurrentgemma-window-plus-one",
            Self::Huang2025UuidDepths => "huang2025-uuid-depths",
        }
    }

    /// What it does to a run's numbers, in half a sentence.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::Hf4RecurrentgemmaPrefill => {
                "prompts longer than the window are read as transformers 4.x does, which loses all \
                 but the last window for attention and lets early tokens see later ones"
            }
            Self::MambaSsmHybridConvState => {
                "the first generated tokens go through the hybrid's attention layers with a wrong \
                 history, as in mamba_ssm's cached generation"
            }
            Self::RecurrentgemmaWindowPlusOne => {
                "the attention window has one key more, as in DeepMind's code"
            }
            Self::Huang2025UuidDepths => {
                "niah_essay_uuids at fixed depths has 7-digit numbers for values, as the paper's fork"
            }
        }
    }

    /// What of a model it concerns; `None` if it concerns prompts.
    const fn family(self) -> Option<Family> {
        match self {
            Self::Hf4RecurrentgemmaPrefill | Self::RecurrentgemmaWindowPlusOne => {
                Some(Family::RecurrentGemma)
            }
            Self::MambaSsmHybridConvState => Some(Family::Mamba2Attention),
            Self::Huang2025UuidDepths => None,
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The model with those of the faults that concern models.
///
/// # Errors
/// A fault of another family; two that exclude each other.
pub fn reproduce(quirks: &[Quirk], model: &ModelConfig) -> Result<ModelConfig> {
    let both = [Quirk::Hf4RecurrentgemmaPrefill, Quirk::RecurrentgemmaWindowPlusOne];
    if both.iter().all(|quirk| quirks.contains(quirk)) {
        let [first, second] = both;
        return Err(Error::new(format!(
            "--quirks {first} and {second} are of different libraries"
        ))
        .help("give one of them"));
    }
    let mut model = *model;
    for &quirk in Quirk::value_variants().iter().filter(|quirk| quirks.contains(quirk)) {
        let Some(family) = quirk.family() else { continue };
        let attention = model.attention.as_mut().filter(|_| model.family == family);
        let found = match (quirk, attention) {
            (Quirk::Hf4RecurrentgemmaPrefill, Some(attention)) => {
                attention.dims.cuts_prompt = true;
                true
            }
            (Quirk::MambaSsmHybridConvState, Some(attention)) => {
                attention.prompt_leaves_conv_outputs = attention.conv_width > 0;
                attention.prompt_leaves_conv_outputs
            }
            (Quirk::RecurrentgemmaWindowPlusOne, Some(attention)) => {
                let window = attention.dims.window.map(|window| window.saturating_add(1));
                attention.dims.window = window;
                true
            }
            _ => false,
        };
        if !found {
            let what = format!("--quirks {quirk} is a fault of {family}");
            return Err(Error::new(format!("{what}, the model is {}", model.family))
                .help("leave it out for this model"));
        }
    }
    Ok(model)
}

/// The faults that a run has: those asked for, and the fork's numbers for UUIDs where a task has
/// them.
///
/// # Errors
/// Numbers for UUIDs asked for, and no task has them.
pub fn in_force(asked: &[Quirk], cells: &[Cell]) -> Result<Vec<Quirk>> {
    let numbers_for_uuids = cells.iter().any(|cell| cell.task.has_uuid_fault());
    if asked.contains(&Quirk::Huang2025UuidDepths) && !numbers_for_uuids {
        let what = format!("--quirks {} concerns no task of this run", Quirk::Huang2025UuidDepths);
        return Err(Error::new(what).help(
            "it is a fault of niah_essay_uuids_<depth> of --profile huang2025, which \
             --corrected-uuids mends",
        ));
    }
    let in_force = |quirk: &Quirk| match quirk {
        Quirk::Huang2025UuidDepths => numbers_for_uuids,
        quirk => asked.contains(quirk),
    };
    Ok(Quirk::value_variants().iter().copied().filter(in_force).collect())
}

//! Why a model loses a needle: how much of it is still within reach where the answer begins, layer by layer, and what the
//! answer loses without it.
//!
//! Two measures of reach, of which a layer has the one that fits its mixer:
//!
//! - attention: the softmax mass that the prompt's last token puts on the needle's tokens, head by head;
//! - recurrences: what is left, at the prompt's last token, of what the state took up at the needle's last token: the
//!   product of the decays between them, for everything that has one of its own (a head in Mamba-2, a channel in RG-LRU and
//!   RWKV-6). It bounds what can be read of the needle; whether it was written is not seen by it.
//!
//! And one of effect, exact: ln p(answer) with the needle, less that with the needle's tokens replaced by as many of the
//! haystack's before it (or after it). All in f32, by the reference backend.

mod means;
mod needle;
mod watch;

use std::{fs, io::ErrorKind, ops::Range, path::Path};

use longseq_core::hybrid::config::{Mixer, ModelConfig, Recurrence};
use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::Weights,
    engine::native::{self, Rows},
    error::{Error, Result},
    run::encode::Encoded,
    tokenizer::Tokenizer,
};

pub use means::Means;
use needle::Needle;
use watch::Watch;

/// What a model does with the needles of one sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// RULER's task, with its depth where one was set.
    pub task: String,
    /// Tokens of prompt and answer together, as asked for.
    pub length: usize,
    /// Number of the sample, from 0.
    pub sample: usize,
    /// Tokens of the prompt, BOS included.
    pub prompt_tokens: usize,
    /// The text whose probability is measured: the references.
    pub answer: String,
    /// With all needles in place.
    pub with: Likelihood,
    /// The needles asked for, in the order of the references.
    pub needles: Vec<NeedleProbe>,
}

/// How likely an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// ln p of all its tokens.
    pub log_probability: f64,
    /// The logit of its first token.
    pub first_logit: f32,
    /// Whether each of its tokens is the greedy one, given those before it.
    pub greedy: bool,
}

/// What a model does with one needle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedleProbe {
    /// The sentence.
    pub text: String,
    /// Its tokens in the prompt, BOS counted: from the first, to before the second.
    pub tokens: [usize; 2],
    /// Share of the prompt's tokens that stand before it.
    pub depth: f64,
    /// The answer when other tokens stand in its place.
    pub without: Likelihood,
    /// How much of it is within reach, one entry a layer.
    pub layers: Vec<LayerReach>,
}

/// How much of a needle is within reach in one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReach {
    /// What mixes tokens.
    pub mixer: Mixes,
    /// What is measured.
    pub measure: Measure,
    /// Of the unit that has most.
    pub largest: f64,
    /// Mean over units.
    pub mean: f64,
    /// Of each head or channel.
    pub units: Vec<f64>,
}

/// What mixes the tokens of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixes {
    /// Softmax attention.
    Attention,
    /// Mamba-2.
    Ssd,
    /// RecurrentGemma's recurrence.
    RgLru,
    /// RWKV-6.
    Wkv6,
}

impl Mixes {
    /// That of a layer.
    fn of(config: &ModelConfig, layer: usize) -> Self {
        match config.mixer(layer) {
            Some(Mixer::Recurrent(Recurrence::Ssd(_))) => Self::Ssd,
            Some(Mixer::Recurrent(Recurrence::RgLru(_))) => Self::RgLru,
            Some(Mixer::Recurrent(Recurrence::Wkv6(_))) => Self::Wkv6,
            Some(Mixer::Attention(_)) | None => Self::Attention,
        }
    }

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Ssd => "ssd",
            Self::RgLru => "rg_lru",
            Self::Wkv6 => "wkv6",
        }
    }

    /// Whether it is attention.
    pub fn is_attention(self) -> bool {
        self == Self::Attention
    }

    /// What says how much it reaches.
    pub fn measure(self) -> Measure {
        if self.is_attention() { Measure::Mass } else { Measure::Survival }
    }
}

/// How much of a needle is within reach: see the head of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Softmax mass.
    Mass,
    /// What is left of a write.
    Survival,
}

impl Measure {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mass => "mass",
            Self::Survival => "survival",
        }
    }
}

/// The file in a run's folder from which reports take probes.
pub const PROBES: &str = "probes.json";

/// Probes that `longseq probe --json` wrote; none where there is no such file.
///
/// # Errors
/// A file that cannot be read or holds something else.
pub fn read(path: &Path) -> Result<Vec<Probe>> {
    match fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|source| {
            Error::new(format!("{}: {source}", path.display()))
                .help("write it again with `longseq probe --json`, or take it away")
        }),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::io("read", path, &source)),
    }
}

/// Probes a sample.
///
/// # Errors
/// A task without needles; a prompt that cannot be encoded, or in which nothing could stand in a needle's place; what the
/// engine returns.
pub fn probe(
    weights: &Weights<'_>,
    tokenizer: &Tokenizer,
    (task, length): (&str, usize),
    encoded: Encoded,
) -> Result<Probe> {
    let Encoded { number, sample, prompt } = encoded;
    let prompt = prompt?;
    let needles = needle::find(&sample, tokenizer, prompt.bos)?;
    let answer = format!(" {}", sample.outputs.join(", "));
    let following = tokenizer.encode(&answer)?;
    let places: Vec<Range<usize>> = needles.iter().map(|needle| needle.tokens.clone()).collect();
    let mut watch = Watch::new(weights.config.layers, &places, prompt.ids.len());
    let with = likelihood(weights, &prompt.ids, &following, Some(&mut watch))?;
    let needles = needles.into_iter().enumerate().map(|(number, needle)| {
        let replaced = without(&prompt.ids, &needle)?;
        Ok(NeedleProbe {
            tokens: [needle.tokens.start, needle.tokens.end],
            depth: needle.tokens.start as f64 / prompt.ids.len() as f64,
            without: likelihood(weights, &replaced, &following, None)?,
            layers: reach(weights.config, watch.within_reach(number)),
            text: needle.text,
        })
    });
    Ok(Probe {
        task: task.to_owned(),
        length,
        sample: number,
        prompt_tokens: prompt.ids.len(),
        with,
        needles: needles.collect::<Result<_>>()?,
        answer,
    })
}

/// The prompt with as many tokens of the haystack in the needle's place: those before it, or where there are not enough
/// those after it.
fn without(ids: &[u32], needle: &Needle) -> Result<Vec<u32>> {
    let Range { start, end } = needle.tokens;
    let length = end - start;
    let others = match start.checked_sub(length) {
        Some(first) => ids.get(first..start),
        None => ids.get(end..end + length),
    };
    let others = others.ok_or_else(|| {
        Error::new("the prompt has too little text beside the needle to replace it")
            .help("probe a longer one: --length")
    })?;
    Ok([&ids[..start], others, &ids[end..]].concat())
}

/// How likely `answer` is after `prompt`.
fn likelihood(
    weights: &Weights<'_>,
    prompt: &[u32],
    answer: &[u32],
    watch: Option<&mut Watch<'_>>,
) -> Result<Likelihood> {
    let mut found = Likelihood { log_probability: 0.0, first_logit: f32::NAN, greedy: true };
    let mut next = answer.iter();
    // After its last token nothing more is asked for.
    let following = &answer[..answer.len().saturating_sub(1)];
    let text = (prompt, Rows::Last, following);
    let observer = watch.map(|watch| watch as &mut dyn longseq_core::reference::Observe<f32>);
    native::logits(weights, text, observer, |logits| {
        let Some(&token) = next.next() else { return Ok(()) };
        let logit = logits[token as usize];
        if found.first_logit.is_nan() {
            found.first_logit = logit;
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|other| f64::from(other - largest).exp()).sum();
        found.log_probability += f64::from(logit - largest) - sum.ln();
        found.greedy &= native::greedy(logits)? == token;
        Ok(())
    })?;
    Ok(found)
}

fn reach(config: &ModelConfig, layers: Vec<Vec<f64>>) -> Vec<LayerReach> {
    let reach = |(layer, units): (usize, Vec<f64>)| {
        let mixer = Mixes::of(config, layer);
        let largest = units.iter().copied().fold(0.0, f64::max);
        let mean = units.iter().sum::<f64>() / units.len().max(1) as f64;
        LayerReach { mixer, measure: mixer.measure(), largest, mean, units }
    };
    layers.into_iter().enumerate().map(reach).collect()
}

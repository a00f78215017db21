//! The paper's eight systems: what each is, and how it was run.

use longseq_core::hybrid::config::Family;

/// A system of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// The paper's short name.
    pub name: &'static str,
    /// The published checkpoint.
    pub checkpoint: &'static str,
    /// What it is.
    pub family: Family,
    /// The prompt template it was run with.
    pub template: &'static str,
    /// Tokens of the sequences it was trained on.
    pub trained_at: usize,
    /// Where tables 2 and 3 were measured.
    pub depth_lengths: DepthLengths,
    /// What is known against taking its figures at their word.
    pub caveat: Option<&'static str>,
}

/// The lengths of tables 2 and 3. The paper says "training length" and "twice", not how many
/// tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLengths {
    /// Tokens, table by table.
    pub tokens: [usize; 2],
    /// How that is known.
    pub evidence: &'static str,
}

const TRIO: DepthLengths = DepthLengths {
    tokens: [2048, 4096],
    evidence: "tables 2 and 3 are at 2048 and 4096 tokens: table 4 shows it",
};

const SHEARED_LLAMA: DepthLengths = DepthLengths {
    tokens: [4096, 8192],
    evidence: "tables 2 and 3 are taken to be at 4096 and 8192 tokens, from the zeros of table 3",
};

const RECURRENT_GEMMA: DepthLengths = DepthLengths {
    tokens: [2048, 4096],
    evidence: "tables 2 and 3 are taken to be at 2048 and 4096 tokens, though the model was trained \
               at 8192: table 3 breaks off where the last 2048 of 4096 tokens begin",
};

const RWKV: DepthLengths = DepthLengths {
    tokens: [4096, 8192],
    evidence: "not settled: at which lengths tables 2 and 3 were measured (4096 and 8192 are \
               assumed), and whether their depths 20, 40, 60 and 80 hold all three formats",
};

const MAMBA_SSM: Option<&str> = Some(
    "how the published answers were decoded is not known: the fork's script asks mamba_ssm for top \
     32 at temperature 0, which ends in an error there; ours are greedy",
);

const LOCAL_WINDOW: Option<&str> = Some(
    "the published single-needle scores past 2048 tokens are about the share of needles in the last \
     2048, as the faulty local window of transformers 4.x would make them, not the model's \
     mathematics; --quirks hf4-recurrentgemma-prefill reproduces it",
);

/// All of them.
pub const SYSTEMS: [System; 8] = [
    System {
        name: "Mamba2",
        checkpoint: "state-spaces/mamba2-2.7b",
        family: Family::Mamba2,
        template: "base",
        trained_at: 2048,
        depth_lengths: TRIO,
        caveat: MAMBA_SSM,
    },
    System {
        name: "M2A",
        checkpoint: "state-spaces/mamba2attn-2.7b",
        family: Family::Mamba2Attention,
        template: "base",
        trained_at: 2048,
        depth_lengths: TRIO,
        caveat: MAMBA_SSM,
    },
    System {
        name: "TPP",
        checkpoint: "state-spaces/transformerpp-2.7b",
        family: Family::TransformerPlusPlus,
        template: "base",
        trained_at: 2048,
        depth_lengths: TRIO,
        caveat: MAMBA_SSM,
    },
    System {
        name: "RWKV",
        checkpoint: "RWKV/rwkv-6-world-3b-v2.1",
        family: Family::Rwkv6,
        template: "RWKV",
        trained_at: 4096,
        depth_lengths: RWKV,
        caveat: None,
    },
    System {
        name: "SL",
        checkpoint: "princeton-nlp/Sheared-LLaMA-2.7B",
        family: Family::Llama,
        template: "sheared_llama-chat",
        trained_at: 4096,
        depth_lengths: SHEARED_LLAMA,
        caveat: None,
    },
    System {
        name: "SL-IT",
        checkpoint: "princeton-nlp/Sheared-LLaMA-2.7B-ShareGPT",
        family: Family::Llama,
        template: "sheared_llama-chat",
        trained_at: 4096,
        depth_lengths: SHEARED_LLAMA,
        caveat: None,
    },
    System {
        name: "RG",
        checkpoint: "google/recurrentgemma-2b",
        family: Family::RecurrentGemma,
        template: "base",
        trained_at: 8192,
        depth_lengths: RECURRENT_GEMMA,
        caveat: LOCAL_WINDOW,
    },
    System {
        name: "RG-IT",
        checkpoint: "google/recurrentgemma-2b-it",
        family: Family::RecurrentGemma,
        template: "base",
        trained_at: 8192,
        depth_lengths: RECURRENT_GEMMA,
        caveat: LOCAL_WINDOW,
    },
];

impl System {
    /// The system called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        SYSTEMS.iter().find(|system| system.name == name)
    }

    /// The systems of a family, by its name; of two the second is the instruction-tuned one.
    pub fn of_family(family: &str) -> Vec<&'static Self> {
        SYSTEMS.iter().filter(|system| system.family.name() == family).collect()
    }
}

/// Whether a checkpoint in a folder of this name is an instruction-tuned one: so the published ones
/// are called.
pub fn is_tuned(folder: &str) -> bool {
    let folder = folder.to_lowercase();
    folder.contains("sharegpt") || folder.ends_with("-it")
}

/// The template with which the paper ran checkpoints of a family.
pub fn template(family: Family) -> &'static str {
    System::of_family(family.name()).first().map_or("base", |system| system.template)
}

/// The lengths of tables 2 to 4 for checkpoints of a family, ascending.
pub fn depth_lengths(family: Family) -> Vec<usize> {
    let Some(system) = System::of_family(family.name()).first().copied() else { return Vec::new() };
    // Table 4 is of the three systems that differ in nothing but their kind, and has 1,024 too.
    let table_4 = (system.depth_lengths == TRIO).then_some(1024);
    table_4.into_iter().chain(system.depth_lengths.tokens).collect()
}

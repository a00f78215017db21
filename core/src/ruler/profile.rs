//! Whose prompts: two generators that are reproduced byte for byte, and a small one.

use core::fmt;

use super::options::Seeding;
use super::sizes::{self, Sizes};

/// Whose prompts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// NVIDIA/RULER main, commit c3f5e3b.
    #[default]
    Ruler,
    /// jhuang265/RULER, commit d573689: the fork behind Huang (2025), which steps the haystack up
    /// until it is too long, and holds the 36 tasks of the paper's depth ablation.
    Huang2025,
    /// RULER's tasks in sizes for 256 tokens and more ([`sizes::MINI`]); this project's own, so its
    /// scores are not RULER's.
    Mini,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Ruler, Self::Huang2025, Self::Mini];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ruler => "ruler",
            Self::Huang2025 => "huang2025",
            Self::Mini => "mini",
        }
    }

    /// How large everything in its prompts is.
    pub const fn sizes(self) -> &'static Sizes {
        match self {
            Self::Ruler => &sizes::RULER,
            Self::Huang2025 => &sizes::HUANG2025,
            Self::Mini => &sizes::MINI,
        }
    }

    /// Its seeding where none was asked for: the upstream's, where there is one.
    pub const fn seeding(self) -> Seeding {
        match self {
            Self::Ruler | Self::Huang2025 => Seeding::Run,
            Self::Mini => Seeding::PerSample,
        }
    }

    /// Whether `input` ends before the answer prefix, which then has a field of its own.
    pub fn splits_answer_prefix(self) -> bool {
        self != Self::Huang2025
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

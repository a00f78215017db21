//! The two generators that are reproduced byte for byte.

use core::fmt;

/// Whose prompts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// NVIDIA/RULER main, commit c3f5e3b.
    #[default]
    Ruler,
    /// jhuang265/RULER, commit d573689: the fork behind Huang (2025), which steps the haystack up
    /// until it is too long, and holds the 36 tasks of the paper's depth ablation.
    Huang2025,
}

impl Profile {
    /// Both profiles.
    pub const ALL: [Self; 2] = [Self::Ruler, Self::Huang2025];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ruler => "ruler",
            Self::Huang2025 => "huang2025",
        }
    }

    /// Whether `input` ends before the answer prefix, which then has a field of its own.
    pub fn splits_answer_prefix(self) -> bool {
        self == Self::Ruler
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

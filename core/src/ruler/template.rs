//! Prompt templates: RULER's protocol texts, a model's template around them, and fields.
//!
//! The task texts are protocol constants of RULER (Hsieh et al. 2024; see NOTICE).
//! A model's template goes around the task text; the answer prefix follows after both, behind
//! the assistant marker (RULER `prepare.py`; docs/ruler.md §1).

use core::fmt::{self, Formatter};

use super::profile::Profile;

/// What a model's chat template puts around the task text. Braces in it are plain text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelTemplate<'a> {
    /// Text before the task.
    pub before: &'a str,
    /// Text after the task, before the answer prefix.
    pub after: &'a str,
}

/// A task's text and the beginning of its answer, with fields in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskText {
    /// The task.
    pub task: &'static str,
    /// What the model's answer continues.
    pub answer_prefix: &'static str,
}

impl TaskText {
    /// What RULER finds the answer prefix by in a prompt: its first ten characters. The prompt is
    /// cut at their last occurrence.
    pub fn answer_mark(&self) -> &'static str {
        &self.answer_prefix[..self.answer_prefix.len().min(10)]
    }
}

/// Needle tasks.
pub const NEEDLE: TaskText = TaskText {
    task: "Some special magic {type_needle_v} are hidden within the following text. \
        Make sure to memorize it. I will quiz you about the {type_needle_v} afterwards.\n\
        {context}\n\
        What are all the special magic {type_needle_v} for {query} mentioned in the provided text?",
    answer_prefix: " The special magic {type_needle_v} for {query} mentioned in the provided text are",
};

const VARIABLE_TRACKING: TaskText = TaskText {
    task: "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n\
        {context}\n\
        Question: Find all variables that are assigned the value {query} in the text above.",
    answer_prefix: " Answer: According to the chain(s) of variable assignment in the text above, \
        {num_v} variables are assigned the value {query}, they are: ",
};

/// The fork's spelling is part of its prompts.
const VARIABLE_TRACKING_HUANG2025: TaskText = TaskText {
    answer_prefix: " Answer: According to the chain(s) of variable assignment in the text above, \
        {num_v} variables are assgined the value {query}, they are: ",
    ..VARIABLE_TRACKING
};

/// Variable tracking.
pub const fn variable_tracking(profile: Profile) -> TaskText {
    match profile {
        Profile::Ruler | Profile::Mini => VARIABLE_TRACKING,
        Profile::Huang2025 => VARIABLE_TRACKING_HUANG2025,
    }
}

/// Common words. `{num_cw}` is 10 in RULER's text, a number that belongs to its sizes.
pub const COMMON_WORDS: TaskText = TaskText {
    task: "Below is a numbered list of words. In these words, some appear more often than others. \
        Memorize the ones that appear most often.\n\
        {context}\n\
        Question: What are the {num_cw} most common words in the above list?",
    answer_prefix: " Answer: The top {num_cw} words that appear most often in the list are:",
};

/// Frequent words.
pub const FREQUENT_WORDS: TaskText = TaskText {
    task: "Read the following coded text and track the frequency of each coded word. \
        Find the three most frequently appeared coded words. {context}\n\
        Question: Do not provide any explanation. Please ignore the dots '....'. \
        What are the three most frequently appeared words in the above coded text?",
    answer_prefix: " Answer: According to the coded text above, \
        the three most frequently appeared words are:",
};

/// Question answering.
pub const QUESTION_ANSWERING: TaskText = TaskText {
    task: "Answer the question based on the given documents. \
        Only give me the answer and do not output any other words.\n\n\
        The following are given documents.\n\n\
        {context}\n\n\
        Answer the question based on the given documents. \
        Only give me the answer and do not output any other words.\n\n\
        Question: {query}",
    answer_prefix: " Answer:",
};

/// Writes the value of a field, named without its braces.
pub(crate) type Fields<'f> = &'f mut dyn FnMut(&mut Formatter<'_>, &str) -> fmt::Result;

/// Writes the whole prompt: model template around the task, then the answer prefix.
pub(crate) fn write_prompt(
    f: &mut Formatter<'_>,
    model: ModelTemplate<'_>,
    text: TaskText,
    fields: Fields<'_>,
) -> fmt::Result {
    f.write_str(model.before)?;
    write_fields(f, text.task, &mut |f, text| f.write_str(text), fields)?;
    f.write_str(model.after)?;
    write_fields(f, text.answer_prefix, &mut |f, text| f.write_str(text), fields)
}

/// As [`write_prompt`], with plural forms made singular; the model's template is not spared
/// (docs/ruler.md §3).
pub(crate) fn write_prompt_singular(
    f: &mut Formatter<'_>,
    model: ModelTemplate<'_>,
    text: TaskText,
    fields: Fields<'_>,
) -> fmt::Result {
    write_singular(f, model.before)?;
    write_fields(f, text.task, &mut write_singular, fields)?;
    write_singular(f, model.after)?;
    write_fields(f, text.answer_prefix, &mut write_singular, fields)
}

/// Splits `text` at its fields: plain text goes to `plain`, names of fields to `fields`.
pub(crate) fn write_fields(
    f: &mut Formatter<'_>,
    text: &str,
    plain: &mut dyn FnMut(&mut Formatter<'_>, &str) -> fmt::Result,
    fields: Fields<'_>,
) -> fmt::Result {
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        plain(f, before)?;
        fields(f, name)?;
        rest = after;
    }
    plain(f, rest)
}

/// Plain replacements, wherever the letters occur, as four passes one after the other would make
/// them: no replacement makes or breaks a later one's match.
const SINGULAR: [(&str, &str); 4] =
    [("Some", "A"), ("are all", "is"), ("are", "is"), ("answers", "answer")];

fn write_singular(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let mut rest = text;
    let mut plain = 0;
    while plain < rest.len() {
        let here = &rest.as_bytes()[plain..];
        match SINGULAR.iter().find(|(plural, _)| here.starts_with(plural.as_bytes())) {
            Some((plural, singular)) => {
                f.write_str(&rest[..plain])?;
                f.write_str(singular)?;
                rest = &rest[plain + plural.len()..];
                plain = 0;
            }
            None => plain += 1,
        }
    }
    f.write_str(rest)
}

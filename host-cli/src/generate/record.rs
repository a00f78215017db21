//! From a drawn prompt to a line of RULER's files.

use longseq_core::ruler::{
    profile::Profile,
    task::{Recipe, Task},
};

use crate::{error::Result, sample::Sample, tokenizer::Counter};

/// What was drawn.
pub struct Drawn {
    /// Number of the sample.
    pub number: usize,
    /// The whole prompt.
    pub prompt: String,
    /// The references.
    pub outputs: Vec<String>,
    /// RULER's length.
    pub length: usize,
}

/// The sample as `profile` writes it.
pub fn record(
    profile: Profile,
    task: &Task,
    drawn: Drawn,
    counter: &mut Counter<'_>,
) -> Result<Sample> {
    let Drawn { number, prompt: mut input, outputs, length } = drawn;
    let mut sample = Sample {
        index: i64::try_from(number).unwrap_or(i64::MAX),
        input: String::new(),
        outputs,
        length,
        length_w_model_temp: None,
        answer_prefix: None,
        token_position_answer: None,
    };
    if profile.splits_answer_prefix() {
        let cut =
            input.rfind(task.text(profile).answer_mark()).unwrap_or_else(|| last_char(&input));
        sample.answer_prefix = Some(input.split_off(cut));
        sample.length_w_model_temp = Some(length);
        if let Recipe::Needle(_) = task.recipe {
            let answer = sample.outputs.first().and_then(|answer| input.find(answer));
            let before = &input[..answer.unwrap_or_else(|| last_char(&input))];
            sample.token_position_answer = Some(counter.count_text(before)?);
            // RULER's loop variable is overwritten by the answer's place in characters.
            sample.index = answer.map_or(-1, |_| before.chars().count() as i64);
        }
    }
    sample.input = input;
    Ok(sample)
}

/// Where the last character starts: Python's `text[:-1]` ends there.
fn last_char(text: &str) -> usize {
    text.char_indices().next_back().map_or(0, |(at, _)| at)
}

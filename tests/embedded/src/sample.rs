//! One RULER sample: drawn, turned into tokens, answered, scored.

use core::fmt::{Display, Write};

use heapless::{String, Vec};
use longseq_core::error::CapacityError;
use longseq_core::ruler::corpus::{CountError, CountTokens, WordLists};
use longseq_core::ruler::generator::{Draft, Generator};
use longseq_core::ruler::options::{Corpora, Options};
use longseq_core::ruler::profile::Profile;
use longseq_core::ruler::score::{Metric, Prediction};
use longseq_core::ruler::task::Task;
use longseq_core::ruler::words::PairIndex;

use crate::command::Command;
use crate::failure::Failure;
use crate::image::Image;
use crate::memory::{Room, TEXT, TOKENS};
use crate::model::Reader;
use crate::program::{Counting, Device, hash_of};
use crate::tokenizer::Tokenizer;

const PROFILE: Profile = Profile::Mini;
/// References of a sample, at most, each of at most so many bytes.
const REFERENCES: usize = 8;
const REFERENCE: usize = 64;
/// Tokens and bytes of an answer, at most.
const ANSWER: usize = 64;
const ANSWER_BYTES: usize = 1024;

/// A prompt and what a right answer holds.
#[derive(Debug)]
pub struct Prompt<'r> {
    /// Tokens, BOS included.
    pub tokens: &'r [u32],
    /// Of an answer, at most.
    pub tokens_to_generate: usize,
    metric: Metric,
    references: Vec<String<REFERENCE>, REFERENCES>,
}

/// Counts tokens of a text, which is written to a buffer first.
struct Counter<'t> {
    tokenizer: Tokenizer<'t>,
    text: &'t mut String<TEXT>,
}

impl CountTokens for Counter<'_> {
    fn count(&mut self, text: &dyn Display) -> Result<usize, CountError> {
        write_to(self.text, text).map_err(|_| CountError)?;
        let mut count = 0;
        let counted = self.tokenizer.encode(self.text, &mut |_| {
            count += 1;
            Ok(())
        });
        counted.map(|()| count).map_err(|_| CountError)
    }
}

/// Replaces what `buffer` holds.
fn write_to<const N: usize>(
    buffer: &mut String<N>,
    text: &dyn Display,
) -> Result<(), CapacityError> {
    buffer.clear();
    let full = CapacityError { what: "bytes of a text", needed: N + 1, given: N };
    write!(buffer, "{text}").map_err(|_| full)
}

impl<'r> Prompt<'r> {
    /// Draws the sample that `command` names. What was drawn is written to `out`.
    ///
    /// # Errors
    /// No such task; one that needs a corpus which is not in flash; a buffer that is too small.
    // Not inlined, or the generator's stack would stay in use while the model runs.
    #[inline(never)]
    pub fn draw(
        command: &Command<'_>,
        image: &Image<'_>,
        room: &'r mut Room,
        out: &mut dyn Write,
    ) -> Result<Self, Failure> {
        let Command::Sample { task, length, seed, index } = *command else {
            return Err(Failure::Usage);
        };
        let task = Task::find(PROFILE, task, false).ok_or(Failure::Usage)?;
        let options = Options {
            profile: PROFILE,
            max_seq_length: length,
            seed,
            seeding: PROFILE.seeding(),
            ..Options::default()
        };
        let Room { text, tokens, generator, pairs } = room;
        let words =
            WordLists { adjectives: image.adjectives, nouns: image.nouns, ..WordLists::default() };
        let pairs = PairIndex::build(words, pairs.buffers())?;
        let corpora = Corpora { pairs, words, ..Corpora::default() };
        let mut generator = Generator::new(task, options, corpora, generator.workspace())?;
        let tokenizer = Tokenizer::new(image);
        let mut counter = Counter { tokenizer, text: &mut *text };
        generator.prepare(&mut counter)?;
        let draft = generator.sample(index, &mut counter)?;
        write_to(text, &draft)?;
        tokens.clear();
        let full = CapacityError { what: "tokens of a prompt", needed: TOKENS + 1, given: TOKENS };
        let mut give = |token| tokens.push(token).map_err(|_| full);
        image.bos.map_or(Ok(()), &mut give)?;
        tokenizer.encode(text, &mut give)?;
        let references = references(&draft)?;
        writeln!(
            out,
            "prompt {} bytes, {} tokens, {:016x}",
            text.len(),
            tokens.len(),
            hash_of(&text)?.value()
        )?;
        for reference in &references {
            writeln!(out, "reference {reference}")?;
        }
        let tokens_to_generate = task.tokens_to_generate(PROFILE);
        Ok(Self { tokens, tokens_to_generate, metric: task.metric(), references })
    }
}

fn references(draft: &Draft<'_>) -> Result<Vec<String<REFERENCE>, REFERENCES>, Failure> {
    let mut references = Vec::new();
    let full = CapacityError { what: "references", needed: REFERENCES + 1, given: REFERENCES };
    for reference in draft.references() {
        let mut text = String::new();
        write_to(&mut text, &reference)?;
        references.push(text).map_err(|_| full)?;
    }
    Ok(references)
}

/// Reads the prompt, writes greedily until the answer is long enough or ends, and scores it.
///
/// # Errors
/// Those of the forward pass; an answer that is longer than there is room for.
pub fn answer(
    prompt: &Prompt<'_>,
    mut reader: Reader<'_, '_>,
    image: &Image<'_>,
    out: &mut dyn Write,
    device: &mut dyn Device,
) -> Result<(), Failure> {
    let counting = Counting::begin(device);
    reader.read(prompt.tokens)?;
    counting.end("token of the prompt", prompt.tokens.len(), out, device)?;
    writeln!(out, "logits {:016x}", reader.logits().value())?;
    let mut answer = Vec::<u32, ANSWER>::new();
    let counting = Counting::begin(device);
    let needed = prompt.tokens_to_generate;
    let full = CapacityError { what: "tokens of an answer", needed, given: ANSWER };
    while answer.len() < needed {
        let next = reader.next()?;
        if image.end_of_text.contains(&next) {
            break;
        }
        answer.push(next).map_err(|_| full)?;
        if answer.len() < needed {
            reader.read(&[next])?;
        }
    }
    counting.end("token of the answer", answer.len().saturating_sub(1), out, device)?;
    writeln!(out, "answer {answer:?}")?;
    let text = text(&Tokenizer::new(image), &answer)?;
    writeln!(out, "text {text:?}")?;
    let references = prompt.references.iter().map(String::as_str);
    match prompt.metric.score(Prediction::new(&text), references) {
        Some(score) => writeln!(out, "score {score}")?,
        None => writeln!(out, "no references")?,
    }
    Ok(())
}

/// The text of tokens, with U+FFFD for bytes that are no UTF-8.
fn text(tokenizer: &Tokenizer<'_>, tokens: &[u32]) -> Result<String<ANSWER_BYTES>, CapacityError> {
    let mut bytes = Vec::<u8, ANSWER_BYTES>::new();
    let (needed, given) = (ANSWER_BYTES + 1, ANSWER_BYTES);
    let full = CapacityError { what: "bytes of an answer", needed, given };
    for &token in tokens {
        bytes.extend_from_slice(tokenizer.bytes(token)).map_err(|_| full)?;
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid()).map_err(|_| full)?;
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER).map_err(|_| full)?;
        }
    }
    Ok(text)
}

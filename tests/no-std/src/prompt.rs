//! A RULER prompt: coded words (`fwe`), written piece by piece.

use core::fmt::{self, Display, Write};

use longseq_core::ruler::{
    corpus::{CountError, CountTokens},
    generator::Generator,
    options::{Corpora, Options, Workspace},
    profile::Profile,
    task::Task,
};

/// Takes every byte for a token.
struct Bytes(usize);

impl Write for Bytes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl CountTokens for Bytes {
    fn count(&mut self, text: &dyn Display) -> Result<usize, CountError> {
        self.0 = 0;
        write!(self, "{text}").map_err(|_| CountError)?;
        Ok(self.0)
    }
}

/// Whether a prompt for 1,024 tokens has the length it says, and three references.
pub fn fits() -> bool {
    drafted().unwrap_or(false)
}

fn drafted() -> Option<bool> {
    let task = Task::find(Profile::Ruler, "fwe", false)?;
    let options = Options { max_seq_length: 1024, seed: 42, ..Options::default() };
    let (mut order, mut names) = ([0; 1024], [[0; 6]; 32]);
    let workspace = Workspace { order: &mut order, names: &mut names, ..Workspace::default() };
    let mut generator = Generator::new(task, options, Corpora::default(), workspace).ok()?;
    let mut counter = Bytes(0);
    generator.prepare(&mut counter).ok()?;
    let draft = generator.sample(0, &mut counter).ok()?;
    let length = counter.count(&draft).ok()? + task.tokens_to_generate(Profile::Ruler);
    Some(length == draft.length() && length <= 1024 && draft.references().count() == 3)
}

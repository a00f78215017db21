//! How far a run is: a bar on a terminal, a plain line now and then elsewhere. On stderr.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Cell;

/// Time between plain lines.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

const BAR: &str = "{msg} {wide_bar} {percent}% of {human_len} tokens, {eta} left";

/// Writes to stderr. That nobody reads it any more is no reason to end a run.
pub fn say(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}

/// Progress by tokens, of prompts and answers alike.
#[derive(Debug)]
pub struct Progress {
    /// Draws nothing where stderr is no terminal.
    bar: ProgressBar,
    plain: bool,
    /// What this is a part of, if of anything.
    part: Option<String>,
    started: Instant,
    last_line: Instant,
    total: u64,
    tokens: u64,
    cell: String,
    samples: usize,
    answered: usize,
    failed: usize,
    /// Whether the time has been estimated.
    estimated: bool,
}

impl Progress {
    /// Progress through `total` tokens, of a part of something that tells of the whole itself.
    pub fn new(total: usize, part: Option<&str>) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self {
            bar,
            plain: !stderr().is_terminal(),
            part: part.map(str::to_owned),
            started: now,
            last_line: now,
            total: total as u64,
            tokens: 0,
            cell: String::new(),
            samples: 0,
            answered: 0,
            failed: 0,
            estimated: false,
        }
    }

    /// Progress that nobody sees.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), plain: false, ..Self::new(0, None) }
    }

    /// A cell begins.
    pub fn begin(&mut self, cell: &Cell, samples: usize) {
        (self.cell, self.samples) = (cell.to_string(), samples);
        (self.answered, self.failed) = (0, 0);
        self.show();
    }

    /// So many tokens more are done.
    pub fn tokens(&mut self, tokens: usize) {
        // Samples that are tried again are read again.
        self.tokens = self.total.min(self.tokens + tokens as u64);
        self.bar.set_position(self.tokens);
        if self.plain && self.last_line.elapsed() >= BETWEEN_LINES {
            self.line();
        }
    }

    /// A sample has its answer.
    pub fn answered(&mut self) {
        self.answered += 1;
        self.estimate();
        self.show();
    }

    /// A sample failed.
    pub fn failed(&mut self) {
        self.failed += 1;
        self.show();
    }

    /// Nothing follows.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&mut self) {
        self.bar.set_message(self.state());
        if self.plain && self.answered + self.failed == self.samples {
            self.line();
        }
    }

    fn line(&mut self) {
        self.last_line = Instant::now();
        let (percent, left) = (self.tokens * 100 / self.total.max(1), self.left());
        say(&format!("{}: {percent}% of all tokens, {left} left\n", self.state()));
    }

    fn state(&self) -> String {
        let Self { part, cell, samples, answered, failed, .. } = self;
        let part = part.as_ref().map_or_else(String::new, |part| format!("{part}: "));
        match failed {
            0 => format!("{part}{cell}: {answered} of {samples}"),
            _ => format!("{part}{cell}: {answered} of {samples}, {failed} failed"),
        }
    }

    /// Says once, after the first answer, how long the whole may take.
    fn estimate(&mut self) {
        if std::mem::replace(&mut self.estimated, true) || self.part.is_some() {
            return;
        }
        let per_second = self.tokens as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let per_second = HumanCount(per_second as u64);
        let line = format!("time       about {}, at {per_second} tokens/s so far", self.left());
        if self.plain { say(&format!("{line}\n")) } else { self.bar.println(line) }
    }

    fn left(&self) -> HumanDuration {
        let per_token = self.started.elapsed().as_secs_f64() / self.tokens.max(1) as f64;
        let seconds = per_token * (self.total - self.tokens) as f64;
        HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

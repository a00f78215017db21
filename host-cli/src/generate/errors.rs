//! What a generator's errors mean to a user.

use longseq_core::ruler::budget::{BudgetError, GenerateError};

use super::Cell;
use crate::{error::Error, tokenizer::Counter};

/// The error of a cell, with what to do about it.
pub fn explain(cell: &Cell, error: GenerateError, counter: &mut Counter<'_>) -> Error {
    let at = format!("{} at {} tokens", cell.name(), cell.max_seq_length);
    match error {
        GenerateError::Budget(budget) if budget.fits <= budget.max_seq_length => {
            let what = "a sample is too long, and RULER's steps lead to no shorter one (its script \
                        would not end)";
            Error::new(format!("{at}: {what}")).help("use --fit shrink, or another --seed")
        }
        GenerateError::Budget(budget) => Error::new(error.to_string()).help(budget_help(&budget)),
        GenerateError::Questions { available, .. } => {
            Error::new(format!("{at}: the corpus has {available} questions, one a sample"))
                .help("ask for fewer samples, or name a larger corpus with --squad or --hotpotqa")
        }
        GenerateError::Count(_) => {
            counter.error.take().unwrap_or_else(|| Error::new(format!("{at}: {error}")))
        }
        _ => Error::new(format!("{at}: {error}")),
    }
}

fn budget_help(budget: &BudgetError) -> String {
    let BudgetError { max_seq_length, fits, shrunk, .. } = *budget;
    let longer = format!("with this tokenizer {fits} tokens are enough");
    if shrunk <= max_seq_length {
        format!("{longer}; --fit shrink uses a smaller haystack, which fits")
    } else if shrunk < fits {
        format!("{longer}; with --fit shrink {shrunk}")
    } else {
        longer
    }
}

//! The search for the haystack's size, and the tries that make one sample.
//! What is tried in which order is RULER's (SPEC section 2); see [`super::budget`].

use super::budget::{BudgetError, DrawError, Draws, Family, Fit, GenerateError, REDRAWS, Target};
use super::corpus::CountTokens;

/// What a family is fitted to, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) task: &'static str,
    /// The length asked for.
    pub(crate) max_seq_length: usize,
    /// Tokens that prompt and answer may take.
    pub(crate) max: usize,
    /// Tokens left for the answer.
    pub(crate) tokens_to_generate: usize,
    pub(crate) fit: Fit,
    /// By how much the haystack shrinks after a try that is too long; the smallest haystack of
    /// the search.
    pub(crate) step: usize,
    pub(crate) method: Method,
    /// Whether a sample's tries keep the size that the search found (the fork's `vt`).
    pub(crate) pinned: bool,
}

/// How the size is searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method {
    /// Bisection between one step and an estimate from a first prompt of `probe`.
    Bisect { probe: usize, estimate: Estimate },
    /// One step more until the prompt with its answer is too long, up to `most`.
    StepUp { most: Most },
}

/// The upper end of the bisection, from the tokens that each word, line or document takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Estimate {
    /// Three times what should fit.
    Triple,
    /// Twice what should fit, rounded down first (`cwe`).
    FlooredDouble,
}

/// Where the fork's stepping ends though the prompt still fits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Most {
    /// Nowhere.
    Any,
    /// A size past this was tried: this is taken (essays).
    Tried(usize),
    /// The next size would be past this: this is taken (words, documents).
    Next(usize),
}

/// Tokens of the prompt drawn last and of the answer, as compared with the budget.
fn total(
    family: &mut dyn Family,
    cell: &Cell,
    target: Target,
    counter: &mut dyn CountTokens,
) -> Result<usize, GenerateError> {
    let counted = family.counted(target);
    Ok(counter.count(&counted.text)? + counted.extra + cell.tokens_to_generate)
}

/// The outcome of one try of the search.
enum Try {
    Total(usize),
    TooSmall,
    TooLarge,
}

/// Draws and counts a prompt for the search. Equal names end the scripts; here the prompt is
/// drawn again.
fn probe(
    family: &mut dyn Family,
    cell: &Cell,
    size: usize,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<Try, GenerateError> {
    for _ in 0..REDRAWS {
        match family.draw(draws, Target::Search, size) {
            Ok(()) => return total(family, cell, Target::Search, counter).map(Try::Total),
            Err(DrawError::Unlucky) => {}
            Err(DrawError::TooSmall) => return Ok(Try::TooSmall),
            Err(DrawError::TooLarge) => return Ok(Try::TooLarge),
            Err(DrawError::Capacity(error)) => return Err(error.into()),
        }
    }
    Ok(Try::TooSmall)
}

/// The haystack size that samples start from. Where none fits, the samples' own tries decide
/// ([`sample`]), as in the scripts.
pub(crate) fn size(
    family: &mut dyn Family,
    cell: &Cell,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<usize, GenerateError> {
    let found = match cell.method {
        Method::Bisect { probe: at, estimate } => {
            let most = upper_end(family, cell, at, estimate, draws, counter)?;
            bisect(family, cell, cell.step, most, draws, counter)?
        }
        Method::StepUp { most } => step_up(family, cell, most, draws, counter)?,
    };
    if found.is_none() && cell.fit == Fit::Shrink {
        let floor = family.floor(Target::Search);
        let below = bisect(family, cell, floor, cell.step - 1, draws, counter)?;
        return Ok(below.unwrap_or(floor));
    }
    Ok(found.unwrap_or(cell.step))
}

fn upper_end(
    family: &mut dyn Family,
    cell: &Cell,
    first: usize,
    estimate: Estimate,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<usize, GenerateError> {
    let mut size = first;
    let total = loop {
        match probe(family, cell, size, draws, counter)? {
            Try::Total(total) => break total,
            // The scripts end here: a corpus of fewer words than the probe takes.
            Try::TooLarge if size > cell.step => size = (size / 2).max(cell.step),
            Try::TooSmall | Try::TooLarge => return Ok(cell.step * 2),
        }
    };
    let extra = family.counted(Target::Search).extra;
    let tokens = (total - cell.tokens_to_generate - extra).max(1);
    let each = tokens as f64 / size as f64;
    let max = cell.max as f64;
    let estimated = match estimate {
        Estimate::Triple => (max / each * 3.0) as usize,
        Estimate::FlooredDouble => floor_divide(max, each) as usize * 2,
    };
    Ok(estimated.max(cell.step * 2))
}

/// Python's `x // y` for positive floats.
fn floor_divide(x: f64, y: f64) -> f64 {
    let quotient = (x - libm::fmod(x, y)) / y;
    let floor = libm::floor(quotient);
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

/// The largest size in `lower..=upper` that the bisection sees fit.
fn bisect(
    family: &mut dyn Family,
    cell: &Cell,
    mut lower: usize,
    mut upper: usize,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<Option<usize>, GenerateError> {
    let mut best = None;
    while lower <= upper {
        let middle = (lower + upper) / 2;
        match probe(family, cell, middle, draws, counter)? {
            Try::Total(total) if total <= cell.max => {
                best = Some(middle);
                lower = middle + 1;
            }
            Try::TooSmall => lower = middle + 1,
            Try::Total(_) | Try::TooLarge if middle == 0 => break,
            Try::Total(_) | Try::TooLarge => upper = middle - 1,
        }
    }
    Ok(best)
}

/// The fork's search. Each step adds a token at least, so it ends; `None` where the first size
/// is too long.
fn step_up(
    family: &mut dyn Family,
    cell: &Cell,
    most: Most,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<Option<usize>, GenerateError> {
    let mut size = cell.step;
    let mut last = cell.tokens_to_generate + family.counted(Target::Search).extra;
    for _ in 0..=cell.max {
        if last >= cell.max {
            break;
        }
        match probe(family, cell, size, draws, counter)? {
            Try::Total(total) => last = total,
            Try::TooSmall => {}
            Try::TooLarge => return Ok(size.checked_sub(cell.step).filter(|&size| size > 0)),
        }
        if last > cell.max {
            return Ok(Some(size - cell.step).filter(|&size| size > 0));
        }
        match most {
            Most::Tried(most) if size > most => return Ok(Some(most)),
            Most::Next(most) if size + cell.step > most => return Ok(Some(most)),
            Most::Any | Most::Tried(_) | Most::Next(_) => size += cell.step,
        }
    }
    Ok(Some(size))
}

/// Draws sample `index` from `size` down until it fits; its length with the answer, and the size
/// it was drawn with.
pub(crate) fn sample(
    family: &mut dyn Family,
    cell: &Cell,
    index: usize,
    size: usize,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<(usize, usize), GenerateError> {
    let target = Target::Sample(index);
    let floor = family.floor(target);
    let mut used = size;
    let mut redraws = 0;
    loop {
        let drawn = if cell.pinned && cell.fit == Fit::Exact { size } else { used };
        let lucky = match family.draw(draws, target, drawn) {
            Ok(()) => {
                let total = total(family, cell, target, counter)?;
                if total <= cell.max {
                    return Ok((total, drawn));
                }
                true
            }
            Err(DrawError::Capacity(error)) => return Err(error.into()),
            Err(DrawError::Unlucky) => true,
            Err(DrawError::TooSmall | DrawError::TooLarge) => false,
        };
        match next_size(cell, used, floor) {
            Some(smaller) => used = smaller,
            None if lucky && redraws < REDRAWS => redraws += 1,
            None => return Err(refuse(family, cell, target, used, draws, counter)?),
        }
    }
}

/// The haystack of the try after one with `used`; `None` where it can shrink no more.
fn next_size(cell: &Cell, used: usize, floor: usize) -> Option<usize> {
    let shrink = cell.fit == Fit::Shrink;
    if used > cell.step {
        let smaller = used - cell.step;
        Some(if shrink && used > floor { smaller.max(floor) } else { smaller })
    } else {
        (shrink && used > floor).then(|| (used - (used / 16).max(1)).max(floor))
    }
}

/// Measures the smallest prompts to say what would fit.
fn refuse(
    family: &mut dyn Family,
    cell: &Cell,
    target: Target,
    used: usize,
    draws: &mut Draws,
    counter: &mut dyn CountTokens,
) -> Result<GenerateError, GenerateError> {
    let floor = family.floor(target);
    let reserved = cell.max_seq_length - cell.max;
    let mut measure = |size: usize| {
        let (mut shortest, mut longest) = (usize::MAX, 0);
        for _ in 0..8 {
            if family.draw(draws, target, size).is_ok() {
                let total = total(family, cell, target, counter)? + reserved;
                (shortest, longest) = (shortest.min(total), longest.max(total));
            }
        }
        Ok::<_, GenerateError>((shortest, longest))
    };
    let (shortest, fits) = measure(used.max(floor))?;
    let (_, shrunk) = if cell.fit == Fit::Exact { measure(floor)? } else { (shortest, fits) };
    let (task, max_seq_length) = (cell.task, cell.max_seq_length);
    Ok(BudgetError { task, max_seq_length, shortest, fits, shrunk }.into())
}

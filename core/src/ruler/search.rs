//! The search for the haystack's size, and the tries that make one sample.
//! What is tried in which order is RULER's (docs/ruler.md §2); see [`super::budget`].

use super::budget::{
    BudgetError, DrawError, Draws, Family, Fit, GenerateError, REDRAWS, Request, Target,
};
use super::cell::{Cell, Estimate, Method, Most};
use super::corpus::CountTokens;

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
        match family.draw(draws, Request { target: Target::Search, size, fit: cell.fit }) {
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
    // The fork takes an empty haystack where one step is too long.
    let found = found.filter(|&size| size > 0 || cell.fit == Fit::Exact);
    if found.is_none() && cell.fit == Fit::Shrink {
        let floor = family.floor(Target::Search, Fit::Shrink);
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

/// The fork's search. Each step adds a token at least, so it ends.
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
            Try::TooLarge => return Ok(Some(size - cell.step)),
        }
        if last > cell.max {
            return Ok(Some(size - cell.step));
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
    let mut used = size;
    let mut redraws = 0;
    loop {
        let drawn = if cell.pinned && cell.fit == Fit::Exact { size } else { used };
        let lucky = match family.draw(draws, Request { target, size: drawn, fit: cell.fit }) {
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
        match next_size(family, cell, target, used) {
            Some(smaller) => used = smaller,
            None if lucky && redraws < REDRAWS => redraws += 1,
            None => return Err(refuse(family, cell, target, used, draws, counter)?),
        }
    }
}

/// The haystack of the try after one with `used`; `None` where it can shrink no more.
fn next_size(family: &dyn Family, cell: &Cell, target: Target, used: usize) -> Option<usize> {
    let shrink = cell.fit == Fit::Shrink;
    if used > cell.step {
        // Below its own documents a question can't be drawn, and the scripts never end.
        let floor = if shrink { family.floor(target, Fit::Exact) } else { 0 };
        let smaller = used - cell.step;
        return Some(if used > floor { smaller.max(floor) } else { smaller });
    }
    let floor = family.floor(target, Fit::Shrink);
    (shrink && used > floor).then(|| (used - (used / 16).max(1)).max(floor))
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
    let reserved = cell.max_seq_length - cell.max;
    let mut measure = |size: usize, fit: Fit| {
        // What can't be drawn is not what a longer length would begin with.
        let floor = family.floor(target, fit);
        let size = match (size < floor, fit) {
            (false, _) => size,
            (true, Fit::Exact) => floor.max(cell.step),
            (true, Fit::Shrink) => floor,
        };
        let (mut shortest, mut longest) = (usize::MAX, 0);
        for _ in 0..8 {
            if family.draw(draws, Request { target, size, fit }).is_ok() {
                let length = total(family, cell, target, counter)? + reserved;
                (shortest, longest) = (shortest.min(length), longest.max(length));
                if let Method::StepUp { .. } = cell.method {
                    let searched = total(family, cell, Target::Search, counter)? + reserved;
                    longest = longest.max(searched);
                }
            }
        }
        Ok::<_, GenerateError>((shortest, longest))
    };
    let (shortest, fits) = measure(used, cell.fit)?;
    let (_, shrunk) = measure(0, Fit::Shrink)?;
    let (task, max_seq_length) = (cell.task, cell.max_seq_length);
    Ok(BudgetError { task, max_seq_length, shortest, fits, shrunk }.into())
}

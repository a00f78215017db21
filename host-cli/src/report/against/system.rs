//! Whose published figures belong beside a run.

use serde_json::Value;

use super::super::{provenance::model_name, run::Run};
use crate::{
    error::{Error, Result},
    paper::systems::{SYSTEMS, System, is_tuned},
};

/// The system, and how it was found.
pub fn find(run: &Run, asked: Option<&str>) -> Result<(&'static System, String)> {
    let family = run.planned("/checkpoint/family").and_then(Value::as_str);
    let (system, reason) = match asked {
        Some(asked) => (named(run, asked, family)?, "as asked for"),
        None => of_family(run, family)?,
    };
    let System { name, checkpoint, .. } = system;
    Ok((system, format!("published figures: {name}, {checkpoint} ({reason})")))
}

/// The system called `asked`; refused if the run's checkpoint is of another family.
fn named(run: &Run, asked: &str, family: Option<&str>) -> Result<&'static System> {
    let system = System::named(asked).ok_or_else(|| {
        Error::new(format!("the paper has no system {asked:?}"))
            .help(format!("its systems are: {}", SYSTEMS.map(|system| system.name).join(", ")))
    })?;
    match family {
        Some(family) if family != system.family.name() => Err(Error::new(format!(
            "{asked} is of family {}, the checkpoint of {} of family {family}",
            system.family, run.name
        ))
        .help("leave out --system, or report that run apart")),
        _ => Ok(system),
    }
}

/// The system of a family; of two, that which the name of the model's folder fits.
fn of_family(run: &Run, family: Option<&str>) -> Result<(&'static System, &'static str)> {
    let tuned = model_name(run).is_some_and(|name| is_tuned(&name));
    match *System::of_family(family.unwrap_or_default()) {
        [system] => Ok((system, "by the checkpoint's family")),
        [_, system] if tuned => {
            Ok((system, "by the family, and the name of the model's folder; --system overrides"))
        }
        [system, ..] => Ok((
            system,
            "by the family, and since the name of the model's folder says nothing of instruction \
             tuning; --system overrides",
        )),
        [] => Err(Error::new(format!("{}: its plan names no family of the paper's", run.name))
            .help("name one of the paper's systems with --system")),
    }
}

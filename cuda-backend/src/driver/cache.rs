//! Compiled kernels, kept in the user's cache folder: a start after the first compiles nothing.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::compile::{Compiler, Unit};
use crate::error::GpuError;

/// The variable that names the folder; empty, nothing is kept.
pub const VARIABLE: &str = "LONGSEQ_CACHE";

/// Bytes of a SHA-256.
const SUM: usize = 32;

/// A folder of cubins, each named by the SHA-256 of all that it was made from. A file is the SHA-256 of the cubin, then
/// the cubin: what was cut off or damaged is not used. Beside them are notes of where they computed rightly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The user's: `LONGSEQ_CACHE`, else `longseq` in `XDG_CACHE_HOME`, else in `~/.cache`.
    pub fn of_user() -> Self {
        Self::named(&|name| env::var_os(name))
    }

    fn named(variable: &impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let folder = match variable(VARIABLE) {
            Some(_) => path(VARIABLE),
            None => path("XDG_CACHE_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| path("HOME").map(|home| home.join(".cache")))
                .map(|folder| folder.join("longseq")),
        };
        Self { folder }
    }

    /// A folder, which is made when something is kept.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// The folder, if anything is kept.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The cubins of some units for one architecture, in their order: kept from before, or compiled now, on all cores, and
    /// kept. Whenever one is begun, `progress` is told.
    ///
    /// A folder that cannot be written to keeps nothing, which is no error.
    ///
    /// # Errors
    /// Those of [`Compiler::compile`]; after the first, no further one is begun.
    pub fn cubins(
        &self,
        compiler: &Compiler,
        units: &[Unit<'_>],
        progress: &mut dyn FnMut(Compiling<'_>),
    ) -> Result<Vec<Vec<u8>>, GpuError> {
        let kept = units.iter().map(|unit| self.path(compiler, unit).as_deref().and_then(read));
        let mut cubins: Vec<Option<Vec<u8>>> = kept.collect();
        let missing: Vec<usize> = (0..units.len()).filter(|&i| cubins[i].is_none()).collect();
        let mut begun = 0;
        let mut failed = None;
        self.compile(compiler, (units, &missing), &mut |step| match step {
            Step::Begun(unit) => {
                begun += 1;
                let (architecture, number, of) = (units[unit].architecture, begun, missing.len());
                progress(Compiling { architecture, number, of });
            }
            Step::Done(unit, Ok(cubin)) => cubins[unit] = Some(cubin),
            Step::Done(_, Err(error)) => failed = failed.take().or(Some(error)),
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(cubins.into_iter().flatten().collect()),
        }
    }

    /// Compiles some of the units, each on whichever thread is free, and keeps them. `told` is called on this thread.
    fn compile(
        &self,
        compiler: &Compiler,
        (units, which): (&[Unit<'_>], &[usize]),
        told: &mut dyn FnMut(Step),
    ) {
        let next = AtomicUsize::new(0);
        let work = |steps: Sender<Step>| {
            // Nobody listens any more only if the caller panics.
            while let Some(&index) = which.get(next.fetch_add(1, Ordering::Relaxed)) {
                let _ = steps.send(Step::Begun(index));
                let compiled = compiler.compile(&units[index]).map(|compiled| compiled.cubin);
                match &compiled {
                    Ok(cubin) => {
                        let path = self.path(compiler, &units[index]);
                        let _ = path.map(|path| write(&path, cubin));
                    }
                    Err(_) => next.store(which.len(), Ordering::Relaxed),
                }
                let _ = steps.send(Step::Done(index, compiled));
            }
        };
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        thread::scope(|scope| {
            let (steps, told_steps) = mpsc::channel();
            for _ in 0..cores.min(which.len()) {
                let steps = steps.clone();
                scope.spawn(|| work(steps));
            }
            drop(steps);
            told_steps.into_iter().for_each(told);
        });
    }

    /// Whether it was noted that kernels compute rightly in this company.
    pub fn is_noted(&self, company: &str) -> bool {
        self.note_path(company).as_deref().and_then(read).is_some()
    }

    /// Notes it. A folder that cannot be written to keeps nothing.
    pub fn note(&self, company: &str) {
        let _ = self.note_path(company).map(|path| write(&path, company.as_bytes()));
    }

    fn note_path(&self, company: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{company}.right")))
    }

    fn path(&self, compiler: &Compiler, unit: &Unit<'_>) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name(compiler, unit)))
    }
}

/// What a thread that compiles tells.
enum Step {
    Begun(usize),
    Done(usize, Result<Vec<u8>, GpuError>),
}

/// One of the units that must be compiled is begun. Displays as a line of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compiling<'a> {
    /// What for.
    pub architecture: &'a str,
    /// Which, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl fmt::Display for Compiling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { architecture, number, of } = self;
        write!(f, "compiling kernels for {architecture}: {number} of {of}")
    }
}

/// The name of a unit's file.
pub(super) fn name(compiler: &Compiler, unit: &Unit<'_>) -> String {
    let (major, minor) = compiler.version();
    let version = format!("NVRTC {major}.{minor}");
    // Which of the texts are headers.
    let count = unit.headers.len().to_string();
    let headers = unit.headers.iter().flat_map(|(name, text)| [*name, *text]);
    let parts = [unit.source, unit.architecture, &version, &count].into_iter().chain(headers);
    sum_of(parts.chain(unit.options.iter().copied())) + ".cubin"
}

/// The SHA-256 of some texts. Every one is preceded by its length, so that no two lists make the same.
pub(super) fn sum_of<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut sum = Sha256::new();
    for text in texts {
        sum.update((text.len() as u64).to_le_bytes());
        sum.update(text);
    }
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A cubin, if it is there and whole.
fn read(path: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(path).ok()?;
    let (sum, cubin) = bytes.split_at_checked(SUM)?;
    (Sha256::digest(cubin)[..] == *sum).then(|| cubin.to_vec())
}

/// Writes a cubin; its file takes its name when it is complete.
fn write(path: &Path, cubin: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&Sha256::digest(cubin))?;
    file.write_all(cubin)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_folder() {
        let of = |set: &[(&str, &str)]| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            Cache::named(&variable).folder
        };
        let [home, xdg] = [("HOME", "/home/me"), ("XDG_CACHE_HOME", "/cache")];
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[home]), Some("/home/me/.cache/longseq".into()));
        assert_eq!(of(&[home, xdg]), Some("/cache/longseq".into()));
        assert_eq!(of(&[home, ("XDG_CACHE_HOME", "relative")]), of(&[home]));
        assert_eq!(of(&[home, xdg, (VARIABLE, "/mine")]), Some("/mine".into()));
        assert_eq!(of(&[home, xdg, (VARIABLE, "")]), None);
    }

    #[test]
    fn what_was_noted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("deeper"));
        assert!(!cache.is_noted("some"));
        cache.note("some");
        assert!(cache.is_noted("some") && !cache.is_noted("others"));
        fs::write(cache.note_path("some").unwrap(), "cut off").unwrap();
        assert!(!cache.is_noted("some"));
        // Nothing is kept.
        Cache::default().note("some");
        assert!(!Cache::default().is_noted("some"));
    }
}

//! The folders in which libraries of the CUDA toolkit may lie, beside those of the system's loader.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::libraries::{Place, VARIABLE};

/// Where packages from PyPI put libraries, below `site-packages`: those of CUDA 13, then of CUDA 12.
const WHEELS: [&str; 3] = ["nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib", "nvidia/cublas/lib"];

/// A folder that is there, by its real path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) place: Place,
    pub(super) path: PathBuf,
}

impl Folder {
    fn new(place: Place, path: &Path) -> Option<Self> {
        let path = path.canonicalize().ok().filter(|path| path.is_dir())?;
        Some(Self { place, path })
    }
}

/// The folders that [`VARIABLE`] names.
pub(super) fn named_folders(variable: &impl Fn(&str) -> Option<OsString>) -> Vec<Folder> {
    let paths = variable(VARIABLE).unwrap_or_default();
    env::split_paths(&paths).filter_map(|path| Folder::new(Place::Variable, &path)).collect()
}

/// The folders of Python's packages, of conda and of the toolkit.
pub(super) fn other_folders(
    variable: &impl Fn(&str) -> Option<OsString>,
    python_path: impl FnOnce() -> Vec<PathBuf>,
) -> Vec<Folder> {
    let [environment, conda] =
        ["VIRTUAL_ENV", "CONDA_PREFIX"].map(|name| variable(name).map(PathBuf::from));
    let active = environment.iter().chain(&conda).flat_map(|prefix| site_packages(prefix));
    let wheels = active.chain(python_path()).flat_map(|site| WHEELS.map(|wheel| site.join(wheel)));
    let python = wheels.chain(conda.iter().map(|prefix| prefix.join("lib")));
    let python = python.filter_map(|path| Folder::new(Place::Python, &path));
    let toolkit = Folder::new(Place::Toolkit, "/usr/local/cuda/lib64".as_ref());
    let mut folders: Vec<Folder> = Vec::new();
    for folder in python.chain(toolkit) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The packages of an environment, of whichever Python.
fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(prefix.join("lib")).into_iter().flatten().flatten();
    let pythons =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"));
    let mut folders: Vec<_> = pythons.map(|entry| entry.path().join("site-packages")).collect();
    folders.sort();
    folders
}

/// Where the Python of the path looks for packages; nowhere, if there is none.
pub(super) fn python_path() -> Vec<PathBuf> {
    let script = "import sys; print(*sys.path, sep='\\n')";
    let mut python = Command::new("python3");
    let python = python.args(["-c", script]).stdin(Stdio::null()).stderr(Stdio::null());
    let said = python.output().map(|output| output.stdout).unwrap_or_default();
    let lines = String::from_utf8_lossy(&said).into_owned();
    // The first is empty: the working folder, in which nothing is looked for.
    lines.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let make = |path: &str| {
            fs::create_dir_all(root.join(path)).unwrap();
            root.join(path)
        };
        let in_venv = make("venv/lib/python3.12/site-packages/nvidia/cublas/lib");
        let in_conda = make("conda/lib/python3.11/site-packages/nvidia/cu13/lib");
        let of_user = make("user/nvidia/cuda_nvrtc/lib");
        make("venv/lib/other/site-packages/nvidia/cu13/lib");
        let variable = |name: &str| match name {
            "VIRTUAL_ENV" => Some(root.join("venv").into()),
            "CONDA_PREFIX" => Some(root.join("conda").into()),
            VARIABLE => Some(env::join_paths([root.join("user"), root.join("no/such")]).unwrap()),
            _ => None,
        };
        let named: Vec<_> = named_folders(&variable).into_iter().map(|of| of.path).collect();
        assert_eq!(named, [root.join("user")]);
        let python_path =
            || vec![root.join("user"), root.join("conda/lib/python3.11/site-packages")];
        let others = other_folders(&variable, python_path);
        let python = others.into_iter().filter(|of| of.place == Place::Python);
        let python: Vec<_> = python.map(|of| of.path).collect();
        assert_eq!(python, [in_venv, in_conda, of_user, root.join("conda/lib")]);
        assert!(other_folders(&|_| None, Vec::new).iter().all(|of| of.place == Place::Toolkit));
    }
}

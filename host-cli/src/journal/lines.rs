//! Append-only JSON lines, of which the last may be torn.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Hands every line to `each` and returns how many bytes they take: a last line without its line
/// feed, or that is no `T`, is left out. A missing file has no lines. Anything else that is no
/// `T`, or that `each` objects to, is an error naming the line.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    mut each: impl FnMut(T) -> Result<(), String>,
) -> Result<u64> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(Error::io("read", path, &source)),
    };
    let mut reader = BufReader::new(file);
    let (mut line, mut number, mut whole) = (Vec::new(), 0, 0);
    // The last line's fault, until another line shows that it was not the last.
    let mut torn: Option<String> = None;
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line);
        if bytes.map_err(|source| Error::io("read", path, &source))? == 0 {
            return Ok(whole);
        }
        if let Some(fault) = torn.take() {
            return Err(corrupt(path, number, &fault));
        }
        number += 1;
        if line.last() != Some(&b'\n') {
            torn = Some("it does not end".to_owned());
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(value) => {
                each(value).map_err(|fault| corrupt(path, number, &fault))?;
                whole += line.len() as u64;
            }
            Err(fault) => torn = Some(fault.to_string()),
        }
    }
}

/// [`read`], then cuts off a torn last line.
pub fn repair<T: DeserializeOwned>(
    path: &Path,
    each: impl FnMut(T) -> Result<(), String>,
) -> Result<()> {
    let whole = read(path, each)?;
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::io("write", path, &source)),
    };
    file.set_len(whole).map_err(|source| Error::io("write", path, &source))
}

fn corrupt(path: &Path, line: usize, fault: &str) -> Error {
    Error::new(format!("{}, line {line}: {fault}", path.display()))
        .help("take the line out (its sample is computed again), or start anew with another --out")
}

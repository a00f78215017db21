//! Downloads corpora and keeps only what has the pinned SHA-256.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

use super::pinned::{Download, Pinned};
use crate::{
    digest::{hex, sha256_hex},
    error::{Error, Result},
    files,
};

/// No corpus is larger; a download that goes on is stopped here.
const MOST_BYTES: u64 = 256 << 20;

/// What became of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there already, with the right hash.
    Kept,
    /// It was downloaded.
    New,
}

/// An agent that trusts what the operating system trusts.
pub fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("longseq/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// Brings one download into `folder`. A file that is there is left alone if its hash is right;
/// if it is another file, nothing is overwritten.
pub fn fetch(
    agent: &Agent,
    download: &Download,
    folder: &Path,
    bar: &ProgressBar,
) -> Result<Fetched> {
    if is_complete(download, folder)? {
        return Ok(Fetched::Kept);
    }
    let mut causes = Vec::new();
    for source in &download.sources {
        match get(agent, source, folder, bar) {
            Ok(file) => {
                return place(download, file, folder).map(|()| Fetched::New);
            }
            Err(cause) => causes.push(format!("{}: {cause}", source.url)),
        }
    }
    Err(Error::new(format!("cannot download {}\n  {}", download.file, causes.join("\n  ")))
        .help(by_hand(download, folder)))
}

/// How a person without network here gets the file.
fn by_hand(download: &Download, folder: &Path) -> String {
    let Some(Pinned { url, sha256 }) = download.sources.last() else { return String::new() };
    let what = if download.members.is_empty() {
        format!("save it as {}", folder.join(&download.file).display())
    } else {
        let names: Vec<&str> = download.members.iter().map(|(member, _)| name(member)).collect();
        format!("unzip {} into {}", names.join(", "), folder.display())
    };
    format!("where the network allows, get {url} (SHA-256 {sha256}) and {what}")
}

/// The files that a download leaves in the folder, with the hashes that are right.
fn targets<'a>(download: &'a Download, folder: &Path) -> Vec<(PathBuf, Vec<&'a str>)> {
    if download.members.is_empty() {
        let hashes = download.sources.iter().map(|source| source.sha256.as_str()).collect();
        return vec![(folder.join(&download.file), hashes)];
    }
    let target =
        |(member, sha256): &'a (String, String)| (folder.join(name(member)), vec![sha256.as_str()]);
    download.members.iter().map(target).collect()
}

fn name(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

fn is_complete(download: &Download, folder: &Path) -> Result<bool> {
    let mut complete = true;
    for (path, hashes) in targets(download, folder) {
        match fs::read(&path) {
            Ok(bytes) if hashes.contains(&sha256_hex(&bytes).as_str()) => {}
            Ok(_) => {
                let what = format!("{} is there, but is another file", path.display());
                return Err(Error::new(what).help("move it away, or choose another --dir"));
            }
            Err(source) if source.kind() == io::ErrorKind::NotFound => complete = false,
            Err(source) => return Err(Error::io("read", &path, &source)),
        }
    }
    Ok(complete)
}

/// Downloads to a file in `folder` that vanishes unless it is kept.
fn get(
    agent: &Agent,
    source: &Pinned,
    folder: &Path,
    bar: &ProgressBar,
) -> Result<tempfile::NamedTempFile, String> {
    let text = |cause: &dyn std::fmt::Display| cause.to_string();
    let mut response = agent.get(&source.url).call().map_err(|cause| text(&cause))?;
    bar.set_position(0);
    bar.set_length(response.body().content_length().unwrap_or(0));
    let mut body = response.body_mut().with_config().limit(MOST_BYTES).reader();
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|cause| text(&cause))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let count = body.read(&mut block).map_err(|cause| text(&cause))?;
        if count == 0 {
            break;
        }
        hash.update(&block[..count]);
        file.write_all(&block[..count]).map_err(|cause| text(&cause))?;
        bar.inc(count as u64);
    }
    let found = hex(&hash.finalize());
    if found == source.sha256 {
        Ok(file)
    } else {
        Err(format!("SHA-256 is {found}, expected {}; the file was thrown away", source.sha256))
    }
}

fn place(download: &Download, file: tempfile::NamedTempFile, folder: &Path) -> Result<()> {
    if download.members.is_empty() {
        let path = folder.join(&download.file);
        return files::persist(file, &path).map_err(|source| Error::io("write", &path, &source));
    }
    let corrupt = |cause: &dyn std::fmt::Display| {
        Error::new(format!("cannot unzip {}: {cause}", download.file))
    };
    let mut archive = zip::ZipArchive::new(file).map_err(|cause| corrupt(&cause))?;
    for (member, sha256) in &download.members {
        let mut bytes = Vec::new();
        let entry = archive.by_name(member).map_err(|cause| corrupt(&cause))?;
        entry.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|cause| corrupt(&cause))?;
        if sha256_hex(&bytes) != *sha256 {
            return Err(corrupt(&format!("{member} has another SHA-256 than {sha256}")));
        }
        let path = folder.join(name(member));
        files::write_whole(&path, &bytes)?;
    }
    Ok(())
}

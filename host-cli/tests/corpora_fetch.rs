//! `longseq corpora fetch`: what is kept, what is refused, and what is said without a network.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Cursor, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    thread,
};

use indicatif::ProgressBar;
use longseq::{
    corpora::{
        fetch::{Fetched, agent, fetch},
        pinned::{Download, Pinned, all},
    },
    digest::sha256_hex,
};

/// Serves files by path until the test ends; returns the address.
fn serve(files: HashMap<&'static str, Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = String::new();
            let mut reader = BufReader::new(&stream);
            reader.read_line(&mut request).expect("a request");
            let mut line = String::new();
            while reader.read_line(&mut line).expect("a header") > 2 {
                line.clear();
            }
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match files.get(path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b"no"[..]),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may be gone: that is its business.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    address
}

fn download(file: &str, sources: &[(String, &[u8])]) -> Download {
    let pinned =
        |(url, bytes): &(String, &[u8])| Pinned { url: url.clone(), sha256: sha256_hex(bytes) };
    Download {
        file: file.to_owned(),
        flag: "essays",
        sources: sources.iter().map(pinned).collect(),
        members: Vec::new(),
    }
}

fn fetch_to(download: &Download, folder: &Path) -> longseq::error::Result<Fetched> {
    fetch(&agent(), download, folder, &ProgressBar::hidden())
}

#[test]
fn right_file_is_kept_and_not_downloaded_again() {
    let body = vec![7; 200_000];
    let address = serve(HashMap::from([("/a", body.clone())]));
    let folder = tempfile::tempdir().expect("a folder");
    // The first address is gone, the second serves.
    let gone = (format!("{address}/gone"), &body[..]);
    let good = (format!("{address}/a"), &body[..]);
    assert_eq!(
        fetch_to(&download("a", &[gone, good]), folder.path()).expect("there"),
        Fetched::New
    );
    assert_eq!(fs::read(folder.path().join("a")).expect("the file"), body);
    let unreachable = download("a", &[("http://127.0.0.1:1/a".to_owned(), &body)]);
    assert_eq!(fetch_to(&unreachable, folder.path()).expect("there"), Fetched::Kept);
}

#[test]
fn wrong_hash_leaves_nothing() {
    let address = serve(HashMap::from([("/a", b"other".to_vec())]));
    let folder = tempfile::tempdir().expect("a folder");
    let error = fetch_to(&download("a", &[(format!("{address}/a"), b"pinned")]), folder.path())
        .expect_err("another file");
    let text = error.to_string();
    assert!(
        text.contains(&sha256_hex(b"other")) && text.contains(&sha256_hex(b"pinned")),
        "{text}"
    );
    assert!(text.contains("\nhelp: "), "{text}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn another_file_in_its_place_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a"), "mine").expect("a file");
    let wanted = download("a", &[("http://127.0.0.1:1/a".to_owned(), b"pinned")]);
    let error = fetch_to(&wanted, folder.path()).expect_err("another file").to_string();
    assert!(error.contains("is there, but is another file"), "{error}");
    assert_eq!(fs::read(folder.path().join("a")).expect("the file"), b"mine");
}

#[test]
fn word_lists_come_out_of_the_archive() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("x/assets/nounlist.txt", "tea\n"), ("x/other.py", "no\n")] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
        archive.write_all(text.as_bytes()).expect("its text");
    }
    let bytes = archive.finish().expect("an archive").into_inner();
    let address = serve(HashMap::from([("/w.whl", bytes.clone())]));
    let folder = tempfile::tempdir().expect("a folder");
    let mut words = download("w.whl", &[(format!("{address}/w.whl"), &bytes)]);
    words.members = vec![("x/assets/nounlist.txt".to_owned(), sha256_hex(b"tea\n"))];
    assert_eq!(fetch_to(&words, folder.path()).expect("there"), Fetched::New);
    let names: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["nounlist.txt"]);
    assert_eq!(fetch_to(&words, folder.path()).expect("there"), Fetched::Kept);
    words.members[0].1 = sha256_hex(b"coffee\n");
    fs::remove_file(folder.path().join("nounlist.txt")).expect("the file");
    let error = fetch_to(&words, folder.path()).expect_err("another member").to_string();
    assert!(error.contains("nounlist.txt has another SHA-256"), "{error}");
}

#[test]
fn without_a_network_every_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("new");
    let output = Command::new(env!("CARGO_BIN_EXE_longseq"))
        .args(["corpora", "fetch", "--dir"])
        .arg(&dir)
        // Nothing listens on port 1.
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .env_remove("NO_PROXY")
        .output()
        .expect("the program");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{text}");
    for download in all() {
        assert!(text.contains(&format!("cannot download {}", download.file)), "{text}");
        assert!(text.contains(&download.sources[0].url), "{text}");
    }
    assert!(text.contains("help: where the network allows, get "), "{text}");
    assert_eq!(fs::read_dir(&dir).expect("the folder").count(), 0);
}

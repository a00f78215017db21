//! The page in a real browser, where there is one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    browser::{self, Browser},
    longseq, made_up, text,
};

/// The page of a made-up study.
fn page(parent: &Path) -> PathBuf {
    let runs = made_up::runs(parent);
    let page = parent.join("report.html");
    let mut report = longseq("report");
    report.args(&runs).args(["--format", "html", "--out"]).arg(&page);
    let output = report.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one sample failed: {}", text(&output.stderr));
    page
}

/// What is wrong with the page as it is laid out, every `details` closed and opened.
const LOOK: &str = r#"(() => {
    const wide = () => {
        const root = document.documentElement, outside = [];
        for (const element of document.querySelectorAll("body *")) {
            const box = element.getBoundingClientRect();
            if (box.right > root.clientWidth + 1 && !element.closest(".scroll"))
                outside.push(element.tagName + "." + element.className);
        }
        return { over: root.scrollWidth - root.clientWidth, outside: outside.slice(0, 5) };
    };
    const closed = wide();
    const shut = document.querySelectorAll("details:not([open])");
    shut.forEach(details => details.open = true);
    const opened = wide();
    shut.forEach(details => details.open = false);
    const clipped = [...document.querySelectorAll("figure svg")].flatMap(svg => {
        const { width, height } = svg.viewBox.baseVal;
        return [...svg.querySelectorAll("text")].filter(text => {
            const box = text.getBBox();
            return box.width > 0 && (box.x < -1 || box.y < -1 ||
                box.x + box.width > width + 1 || box.y + box.height > height + 1);
        }).map(text => text.textContent);
    });
    const named = svg => svg.getAttribute("role") === "img" &&
        (svg.getAttribute("aria-labelledby") ?? "").split(" ").filter(id =>
            document.getElementById(id)?.textContent.trim()).length === 2;
    const figures = [...document.querySelectorAll("figure svg")];
    const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
    const links = [...document.querySelectorAll("a[href^='#']")];
    const shown = figures.filter(svg => svg.getBoundingClientRect().width > 0);
    return {
        closed, opened, clipped,
        width: innerWidth,
        figures: figures.length,
        unnamed: figures.filter(svg => !named(svg)).length,
        smallest: Math.min(...shown.map(svg => 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)),
        twice: ids.filter((id, at) => ids.indexOf(id) !== at),
        dead: links.filter(link => !document.getElementById(link.hash.slice(1))).length,
        scripts: document.scripts.length,
        paper: getComputedStyle(document.body).backgroundColor,
    };
})()"#;

#[test]
fn the_page_works_in_a_browser() {
    let Some(program) = browser::chromium() else {
        println!("skipped: no Chromium (install it, or name it with LONGSEQ_CHROMIUM)");
        return;
    };
    let folder = TempDir::new().unwrap();
    let page = page(folder.path());
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-html");
    fs::create_dir_all(&shots).unwrap();
    fs::copy(&page, shots.join("report.html")).unwrap();
    let mut browser = Browser::start(&program, folder.path());
    for width in [1280, 400] {
        for scheme in ["light", "dark"] {
            browser.open(&page, width, scheme);
            let seen = browser.evaluate(LOOK);
            let at = format!("{width} px, {scheme}: {seen}");
            assert_eq!(seen["width"], json!(width), "{at}");
            let fits = json!({ "over": 0, "outside": [] });
            assert_eq!((&seen["closed"], &seen["opened"]), (&fits, &fits), "{at}");
            assert_eq!(seen["clipped"], json!([]), "text of figures is cut off: {at}");
            assert!(seen["figures"].as_u64() >= Some(30), "{at}");
            assert_eq!(seen["unnamed"], json!(0), "{at}");
            assert!(seen["smallest"].as_f64() >= Some(9.0), "text of figures is too small: {at}");
            assert_eq!((&seen["twice"], &seen["dead"]), (&json!([]), &json!(0)), "{at}");
            assert_eq!(seen["scripts"], json!(0), "{at}");
            let dark = seen["paper"] != json!("rgb(255, 255, 255)");
            assert_eq!(dark, scheme == "dark", "{at}");
            images_have_names(&mut browser);
            nothing_went_wrong(&browser.events, &at);
            fs::write(shots.join(format!("{width}-{scheme}.png")), browser.screenshot()).unwrap();
        }
    }
    println!("screenshots: {}", shots.display());
}

/// As a screen reader is told.
fn images_have_names(browser: &mut Browser) {
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let images: Vec<&Value> = nodes
        .iter()
        .filter(|node| node["role"]["value"] == "image" && node["ignored"] == false)
        .collect();
    assert!(images.len() >= 30, "{} images", images.len());
    for image in images {
        let name = image["name"]["value"].as_str().unwrap_or_default();
        assert!(!name.is_empty(), "{image}");
    }
}

/// No error, and nothing asked for but the page.
fn nothing_went_wrong(events: &[Value], at: &str) {
    for event in events {
        let method = event["method"].as_str().unwrap_or_default();
        assert!(method != "Runtime.exceptionThrown", "{at}: {event}");
        let level = &event["params"]["entry"]["level"];
        assert!(method != "Log.entryAdded" || *level != json!("error"), "{at}: {event}");
        if method == "Network.requestWillBeSent" {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            assert!(url.starts_with("file:") || url.starts_with("data:"), "{at}: {url}");
        }
    }
}

//! Needles by depth beside tables 2 to 4.

use serde_json::json;
use tempfile::TempDir;

use super::{against, has_lines, json_of, right, run, runs::Run, text};

/// Every depth of a format at one length, with so many right at each.
fn deep(mut run: Run, format: &str, length: usize, rights: [usize; 7], reference: &str) -> Run {
    for (depth, right) in [0, 20, 40, 50, 60, 80, 100].into_iter().zip(rights) {
        run = run.answers(length, &format!("niah_{format}_{depth}"), 250, right, reference);
    }
    run
}

fn depth_tasks() -> Vec<String> {
    ["repeat_numbers", "essay_numbers", "essay_uuids"]
        .iter()
        .flat_map(|format| {
            [0, 20, 40, 50, 60, 80, 100].map(|depth| format!("niah_{format}_{depth}"))
        })
        .collect()
}

#[test]
fn depth_tables_carry_the_papers_slips() {
    let parent = TempDir::new().unwrap();
    let tasks = depth_tasks();
    let tasks: Vec<&str> = tasks.iter().map(String::as_str).collect();
    let mut run = run(&parent, "deep", "Mamba2Attention", &tasks, &[1024, 2048])
        .model("mamba2attn-2.7b")
        .answers(1024, "niah_essay_uuids_50", 250, right(26.8), "7654321");
    for (format, reference) in
        [("repeat_numbers", "1"), ("essay_numbers", "2"), ("essay_uuids", "7654321")]
    {
        run = deep(run, format, 2048, [100, 90, 75, 75, 75, 90, 110], reference);
    }
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &[
            "depth                ours                paper  difference",
            "0 %                  40.00 [36.6, 43.6]  40.27  -0.27",
            "20 %                 36.00 [32.7, 39.5]  36.53  -0.53",
            // 37.2 is printed, (39.6 + 30.8 + 63.2) / 3 follows from table 4.
            "100 %                44.00 [40.5, 47.6]  37.20  +6.80 !",
            "100 %, recomputed    44.00 [40.5, 47.6]  44.53  -0.53",
            "average              35.14 [33.9, 36.5]  35.26  -0.12",
            "average, recomputed  35.14 [33.9, 36.5]  34.00  +1.14",
            "100 %: the paper prints 37.20, the mean of the figures of table 4 is 44.53",
            "average: the paper prints 35.26, the mean of its own row is 34.00",
            "tables 2 and 3 are at 2048 and 4096 tokens: table 4 shows it",
            // Table 4.
            "niah_essay_numbers_0     40.00 [34.1, 46.2]  41.60  -1.60",
            "niah_repeat_numbers_100  44.00 [38.0, 50.2]  63.20  -19.20 !",
            "niah_essay_uuids_50      26.80 [21.7, 32.6]  26.80  +0.00",
        ],
    );
    assert!(!printed.contains("table 3,"), "nothing at 4096 tokens: {printed}");
    let json = json_of(&run, &[]);
    let (tables, figures) = (&json["tables"], &json["tables"][0]["figures"]);
    assert_eq!(tables[0]["figures"].as_array().unwrap().len(), 7 + 1 + 2);
    let slip = figures.as_array().unwrap().iter().find(|of| of["basis"] == "recomputed").unwrap();
    assert_eq!((&slip["depth"], &slip["table"]), (&json!(100), &json!(2)));
    let notes = json["notes"].to_string();
    assert!(notes.contains("as published, that is with 7-digit numbers"), "{notes}");
    assert!(notes.contains("how the published answers were decoded is not known"), "{notes}");
}

#[test]
fn uuids_that_were_corrected_are_said() {
    let parent = TempDir::new().unwrap();
    let run = run(&parent, "deep", "Mamba2", &["niah_essay_uuids_0"], &[1024]).answers(
        1024,
        "niah_essay_uuids_0",
        250,
        right(78.0),
        "c0ffee-01",
    );
    let json = json_of(&run, &[]);
    assert_eq!(json["tables"][0]["figures"][0]["published"], 78.0);
    assert!(json["notes"].to_string().contains("corrected, with UUIDs"), "{json}");
}

#[test]
fn tables_2_and_3_are_at_the_lengths_of_the_family() {
    let parent = TempDir::new().unwrap();
    let formats = ["repeat_numbers", "essay_numbers", "essay_uuids"];
    let tasks = formats.map(|format| format!("niah_{format}_20"));
    let tasks: Vec<&str> = tasks.iter().map(String::as_str).collect();
    // Table 2 and table 3 at depth 20, and how sure their lengths are.
    for (family, lengths, published, note) in [
        ("Mamba2", [2048, 4096], [31.47, 19.6], "table 4 shows it"),
        ("LLaMA", [4096, 8192], [99.6, 0.0], "from the zeros of table 3"),
        ("RecurrentGemma", [2048, 4096], [100.0, 0.0], "are taken to be at 2048 and 4096"),
        ("RWKV-6", [4096, 8192], [100.0, 99.6], "not settled"),
    ] {
        let mut run = run(&parent, family, family, &tasks, &[1024, 2048, 4096, 8192]);
        for task in &tasks {
            run = run.answers(lengths[0], task, 250, 100, "7654321");
        }
        // One format of three is no mean of three.
        run = run.answers(lengths[1], tasks[0], 250, 100, "7654321");
        let tables = json_of(&run, &[])["tables"].take();
        assert_eq!(tables.as_array().unwrap().len(), 2, "{family}");
        for (place, score) in [json!(40.0), json!(null)].into_iter().enumerate() {
            let [figure] = tables[place]["figures"].as_array().unwrap().as_slice() else {
                panic!("{family}: one depth, and no average: {tables}");
            };
            assert_eq!((&figure["length"], &figure["depth"]), (&json!(lengths[place]), &json!(20)));
            assert_eq!((&figure["score"], &figure["table"]), (&score, &json!(2 + place)));
            assert_eq!(figure["published"], json!(published[place]), "{family}");
            assert!(tables[place]["notes"].to_string().contains(note), "{family}: {tables}");
        }
    }
}

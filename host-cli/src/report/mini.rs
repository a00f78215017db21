//! What profile `mini` has in other sizes than RULER, said with every table that was made with it.

use std::fmt::Display;

use longseq_core::ruler::{
    needle::Kind,
    profile::Profile,
    sizes::{ByLength, Document, Noise, Repeats, Sizes},
};
use serde_json::{Value, json};

use super::{run::Run, tables::Titled};
use crate::table::Table;

/// What must be known of the scores.
pub const NOTE: &str =
    "profile mini: RULER's tasks scaled down; not comparable with RULER's figures";

/// Whether a run's prompts were of profile `mini`.
pub fn is_mini(run: &Run) -> bool {
    run.planned("/profile").and_then(Value::as_str) == Some(Profile::Mini.name())
}

/// Every size that differs, if a run was of profile `mini`.
pub fn titled(runs: &[Run]) -> Option<Titled> {
    let table = table();
    runs.iter().any(is_mini).then(|| Titled { title: NOTE.to_owned(), table })
}

/// The same to compute with; null without a run of profile `mini`.
pub fn json(runs: &[Run]) -> Value {
    let row = |row: &Vec<String>| json!({"size": row[0], "ruler": row[1], "mini": row[2]});
    match titled(runs) {
        Some(Titled { table, .. }) => {
            json!({"note": NOTE, "sizes": table.rows.iter().map(row).collect::<Vec<_>>()})
        }
        None => Value::Null,
    }
}

/// The sizes that differ, from core's table.
pub fn table() -> Table {
    let (ruler, mini) = (Profile::Ruler, Profile::Mini);
    let header = ["size", ruler.name(), mini.name()].map(str::to_owned).to_vec();
    let both = sizes(ruler.sizes()).into_iter().zip(sizes(mini.sizes()));
    let rows = both.map(|((what, ruler), (_, mini))| vec![what.to_owned(), ruler, mini]);
    Table { header, rows: rows.filter(|row| row[1] != row[2]).collect() }
}

/// Every size with its name. "least" is the smallest haystack, by which it grows too.
fn sizes(of: &Sizes) -> Vec<(&'static str, String)> {
    let Sizes { steps, needles, tracking, common, frequent, answers, .. } = of;
    let example = tracking.example.map(|example| example.tokens);
    let list = common.example.map(|of| by_length(&of, |(words, _)| words.to_string()));
    vec![
        ("niah: words of an essay, least", steps.essay.to_string()),
        ("niah: lines of noise or needles, least", by_length(&steps.lines, usize::to_string)),
        ("niah, vt: a line of noise", noise(of.noise).to_owned()),
        ("niah_multikey_1: keys", needles.keys.to_string()),
        ("niah_multivalue: values", needles.values.to_string()),
        ("niah_multiquery: keys, all asked for", needles.queries.to_string()),
        ("niah: hexadecimal digits of a UUID", uuid_digits(needles.uuids).to_string()),
        ("vt: lines of noise, least", by_length(&steps.tracking_lines, usize::to_string)),
        ("vt: statements of the chain", tracking.statements.to_string()),
        ("vt: tokens of the worked example, most", or_none(example)),
        ("cwe: words of the list, least", steps.words.to_string()),
        ("cwe: common words", common.words.to_string()),
        ("cwe: times that a common and another word appear", by_length(&common.list, times)),
        ("cwe: words of the worked example's list", or_none(list)),
        ("fwe: text grows by this part of the budget", format!("1/{}", frequent.steps)),
        ("fwe: the fourth word is always less frequent", yes_no(frequent.told).to_owned()),
        ("qa: documents, least", steps.documents.to_string()),
        ("qa: a document", document(of.document).to_owned()),
        ("niah: tokens to generate", answers.needle.to_string()),
        ("vt: tokens to generate", answers.tracking.to_string()),
        ("cwe: tokens to generate", answers.common.to_string()),
        ("fwe: tokens to generate", answers.frequent.to_string()),
        ("qa: tokens to generate", answers.question.to_string()),
    ]
}

fn by_length<T: PartialEq>(of: &ByLength<T>, text: impl Fn(&T) -> String) -> String {
    let (short, long) = (text(&of.short), text(&of.long));
    if of.short == of.long { short } else { format!("{short}; from 4096 tokens {long}") }
}

fn or_none(of: Option<impl Display>) -> String {
    of.map_or_else(|| "none".to_owned(), |of| of.to_string())
}

fn times(of: &Repeats) -> String {
    format!("{} and {}", of.common, of.other)
}

const fn yes_no(of: bool) -> &'static str {
    if of { "yes" } else { "no" }
}

const fn noise(of: Noise) -> &'static str {
    match of {
        Noise::Sentences => "five sentences",
        Noise::Sentence => "one sentence",
    }
}

const fn document(of: Document) -> &'static str {
    match of {
        Document::Paragraph => "a paragraph",
        Document::Sentence => "a sentence",
    }
}

const fn uuid_digits(of: Kind) -> usize {
    match of {
        Kind::ShortUuids => 12,
        Kind::Uuids | Kind::Numbers | Kind::Words => 32,
    }
}

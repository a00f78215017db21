//! Corpora in their published formats, and what is said of broken ones.

use std::{fs, path::PathBuf};

use longseq::{
    corpora::{Corpora, CorpusFiles},
    digest::sha256_hex,
    error::Result,
};
use longseq_core::ruler::{profile::Profile, sizes::Document, task::Task};

/// Corpora with one file of `content`, named by `place`.
struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    corpora: Corpora,
}

fn fixture(
    name: &str,
    content: &[u8],
    place: impl FnOnce(&mut CorpusFiles) -> &mut Option<PathBuf>,
) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("a file");
    let mut files = CorpusFiles::default();
    *place(&mut files) = Some(path.clone());
    Fixture { _folder: folder, path, corpora: Corpora::new(files) }
}

fn essays(name: &str, content: &[u8]) -> Fixture {
    fixture(name, content, |files| &mut files.essays)
}

fn squad(content: &str) -> Fixture {
    fixture("squad.json", content.as_bytes(), |files| &mut files.squad)
}

fn hotpotqa(content: &str) -> Fixture {
    fixture("hotpotqa.json", content.as_bytes(), |files| &mut files.hotpotqa)
}

fn english_words(content: &str) -> Fixture {
    fixture("english_words.json", content.as_bytes(), |files| &mut files.english_words)
}

/// The error names the file and says what to do.
fn expect_error<T>(fixture: &Fixture, outcome: Result<T>, what: &str) {
    let Err(error) = outcome else { panic!("{what}: no error") };
    let text = error.to_string();
    assert!(text.contains(&fixture.path.display().to_string()), "{text}");
    assert!(text.contains(what) && text.contains("\nhelp: "), "{what}: {text}");
}

#[test]
fn essays_are_json_or_text() {
    for (name, content) in
        [("a.json", r#"{"text": "\n One\t\u001ftwo. "}"#), ("a.txt", "\n One\t two. ")]
    {
        let fixture = essays(name, content.as_bytes());
        let essays = fixture.corpora.essays().expect("essays");
        // An empty word before the first space and after the last.
        assert_eq!(essays.words(), 4, "{name}");
        assert_eq!(essays.source().sha256, sha256_hex(content.as_bytes()));
        let task = Task::find(Profile::Ruler, "niah_single_2", false).expect("a task");
        assert_eq!(fixture.corpora.sources_of(&task.recipe), [essays.source()]);
    }
    let json: &[(&[u8], &str)] = &[
        (b"", "EOF"),
        (b"{\"text\": \"cut", "EOF"),
        (b"{\"words\": \"x\"}", "missing field `text`"),
        (b"{\"text\": \" \\n \"}", "no words"),
        (b"\xff\xfe", "not UTF-8"),
    ];
    for &(content, what) in json {
        let fixture = essays("a.json", content);
        expect_error(&fixture, fixture.corpora.essays(), what);
    }
    let fixture = essays("a.txt", &[b'a'; 70_000]);
    expect_error(&fixture, fixture.corpora.essays(), "a word of more than 65536 bytes");
    let fixture = essays("a.txt", b" ");
    expect_error(&fixture, fixture.corpora.essays(), "no words");
    fs::remove_file(&fixture.path).expect("the file");
    expect_error(&fixture, fixture.corpora.essays(), "cannot read");
}

#[test]
fn built_in_essays_are_long_enough() {
    let corpora = Corpora::default();
    let essays = corpora.essays().expect("built in");
    assert!(essays.words() >= 20_000, "{}", essays.words());
    assert_eq!(essays.source().origin, "built in");
}

#[test]
fn word_lists_keep_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = CorpusFiles { words: Some(folder.path().to_path_buf()), ..CorpusFiles::default() };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("nounlist.txt", "tea\nad hoc\r\nwet \u{a0}\nape");
    write("adjectivelist.txt", "blue\nblue-eyed\n");
    let error = Corpora::new(files.clone()).words().expect_err("no verbs").to_string();
    assert!(error.contains("verblist.txt") && error.contains("\nhelp: "), "{error}");
    write("verblist.txt", " \n");
    let error = Corpora::new(files.clone()).words().expect_err("no verbs").to_string();
    assert!(error.contains("verblist.txt") && error.contains("no word"), "{error}");
    write("verblist.txt", "go\n");
    let corpora = Corpora::new(files);
    let words = corpora.words().expect("words");
    assert_eq!(words.nouns(), ["tea", "ad hoc", "wet", "ape"]);
    assert_eq!(words.adjectives(), ["blue", "blue-eyed"]);
    assert_eq!(words.verbs(), ["go"]);
}

#[test]
fn english_words_are_values_in_file_order() {
    // As in Python, a key that comes again keeps its place and takes the last value.
    let fixture = english_words(r#"{"0": "b", "7": "a", "1": "c", "0": "d"}"#);
    assert_eq!(fixture.corpora.english_words().expect("words").words(), ["d", "a", "c"]);
    for (content, what) in
        [("[]", "object"), ("{}", "no words"), (r#"{"0": 1}"#, "string"), ("{} x", "trailing")]
    {
        let fixture = english_words(content);
        expect_error(&fixture, fixture.corpora.english_words(), what);
    }
}

#[test]
fn built_in_english_words_are_distinct() {
    let corpora = Corpora::default();
    let mut words = corpora.english_words().expect("built in").words();
    assert_eq!(words[..4], ["bababa", "zudenu", "zofogo", "zihati"]);
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert!(words.len() == count && count >= 400_000, "{count}");
}

#[test]
fn squad_keeps_answerable_questions() {
    let fixture = squad(
        r#"{"version": "v2.0", "data": [
            {"title": "T", "paragraphs": [
                {"context": "b", "qas": [
                    {"question": "q1", "id": "1", "answers": [{"text": "x", "answer_start": 0}, {"text": "x", "answer_start": 0}], "is_impossible": false},
                    {"question": "q2", "id": "2", "answers": [], "is_impossible": true}]},
                {"context": "a", "qas": []},
                {"context": "b", "qas": [{"question": "q3", "id": "3", "answers": [{"text": "y", "answer_start": 0}], "is_impossible": false}]}]},
            {"title": "U", "paragraphs": [{"context": "\u00e9", "qas": []}, {"context": "Z", "qas": []}]}]}"#,
    );
    fixture.corpora.squad().expect("questions").with_set(|set| {
        assert_eq!(set.documents, ["Z", "a", "b", "\u{e9}"]);
        let queries: Vec<_> = set.questions.iter().map(|question| question.query).collect();
        assert_eq!(queries, ["q1", "q3"]);
        assert_eq!(set.questions[0].answers, ["x", "x"]);
        assert_eq!((set.questions[0].context, set.questions[0].more), (&[2][..], &[1][..]));
    });
    let cases = [
        (r#"{"data": []}"#, "no question"),
        (r#"{"data": 3}"#, "invalid type"),
        (r#"{"data": [{"paragraphs": [{"context": "c"}]}]}"#, "missing field `qas`"),
        (
            r#"{"data": [{"paragraphs": [{"context": "c", "qas": [{"question": "q", "is_impossible": false, "answers": []}]}]}]}"#,
            "has no answers",
        ),
    ];
    for (content, what) in cases {
        let fixture = squad(content);
        expect_error(&fixture, fixture.corpora.squad(), what);
    }
}

/// Documents of one sentence, for profile `mini`.
#[test]
fn sentences_that_answer_are_a_questions_own() {
    let fixture = squad(
        r#"{"data": [{"paragraphs": [
            {"context": "\u00c9va rows. It rains here. It snows here.", "qas": [
                {"question": "q", "answers": [{"text": "snows", "answer_start": 29}], "is_impossible": false},
                {"question": "r", "answers": [{"text": "rows. It", "answer_start": 4}], "is_impossible": false}]},
            {"context": "Another one.", "qas": []}]}]}"#,
    );
    fixture.corpora.with_documents(Document::Sentence).squad().expect("questions").with_set(
        |set| {
            let text = |at: &u32| set.documents[*at as usize];
            let texts = |of: &[u32]| of.iter().map(text).collect::<Vec<_>>();
            let [first, second] = [set.questions[0], set.questions[1]];
            assert_eq!(texts(first.context), ["It snows here."]);
            assert_eq!(texts(first.more), ["\u{c9}va rows.", "It rains here.", "Another one."]);
            let whole = "\u{c9}va rows. It rains here. It snows here.";
            assert_eq!(texts(second.context), [whole], "an answer over two sentences");
        },
    );
    let fixture = hotpotqa(
        r#"[{"question": "q", "answer": "x", "supporting_facts": [["T", 1], ["U", 9]],
             "context": [["S", ["One.", " Two."]], ["T", ["Three.", " Four."]], ["U", ["Five."]]]}]"#,
    );
    let corpora = fixture.corpora.with_documents(Document::Sentence);
    corpora.hotpotqa().expect("questions").with_set(|set| {
        assert_eq!(set.documents, ["S\nOne.", "T\nFour.", "U\nFive."]);
        assert_eq!(set.questions[0].context, [1, 2]);
        assert_eq!(set.questions[0].more, [0]);
    });
}

#[test]
fn hotpotqa_documents_are_title_and_sentences() {
    let fixture = hotpotqa(
        r#"[{"_id": "1", "question": "q", "answer": "x", "type": "bridge", "supporting_facts": [],
             "context": [["T", ["One.", " Two."]], ["S", []]]},
            {"question": "r", "answer": "y", "context": [["T", ["One.", " Two."]]]}]"#,
    );
    fixture.corpora.hotpotqa().expect("questions").with_set(|set| {
        assert_eq!(set.documents, ["S\n", "T\nOne. Two."]);
        assert_eq!(set.questions[0].context, [1, 0]);
        assert_eq!(set.questions[1].context, [1]);
        assert_eq!(set.questions[1].answers, ["y"]);
        assert!(set.questions[1].more.is_empty());
    });
    for (content, what) in [
        ("[]", "no question"),
        (r#"[{"question": "q", "answer": "a", "context": []}]"#, "no document"),
        (r#"[{"question": "q"}]"#, "missing field `answer`"),
        (r#"[{"question": "q", "answer": "a", "context": [["T"]]}]"#, "tuple"),
        (r#"[{"question": "\ud800"}]"#, "hex escape"),
    ] {
        let fixture = hotpotqa(content);
        expect_error(&fixture, fixture.corpora.hotpotqa(), what);
    }
}

//! The built-in corpora have the shapes that their readers, and RULER's scripts, expect.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use longseq::corpora::{Corpora, CorpusFiles};
use serde::{Deserialize, de::DeserializeOwned};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-cli/corpora")
}

fn json<T: DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(folder().join(file)).expect("a corpus");
    serde_json::from_str(&text).expect("the published shape")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Squad {
    #[serde(rename = "version")]
    _version: String,
    data: Vec<Article>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paragraph {
    context: String,
    qas: Vec<Qa>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Qa {
    id: String,
    question: String,
    is_impossible: bool,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    text: String,
    answer_start: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hotpot {
    #[serde(rename = "_id")]
    id: String,
    question: String,
    answer: String,
    #[serde(rename = "type")]
    kind: String,
    level: String,
    supporting_facts: Vec<(String, usize)>,
    context: Vec<(String, Vec<String>)>,
}

/// Whether every item is there once only.
fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

/// Whether `answer` stands at code point `start`, with no letter or digit touching it.
fn stands_at(context: &str, answer: &Answer) -> bool {
    let context: Vec<char> = context.chars().collect();
    let text: Vec<char> = answer.text.chars().collect();
    let end = answer.answer_start + text.len();
    let free =
        |at: Option<usize>| at.and_then(|at| context.get(at)).is_none_or(|c| !c.is_alphanumeric());
    context.get(answer.answer_start..end) == Some(&text)
        && free(answer.answer_start.checked_sub(1))
        && free(Some(end))
}

#[test]
fn squad_answers_stand_in_their_paragraphs() {
    let squad: Squad = json("squad.json");
    assert!(distinct(squad.data.iter().map(|article| &article.title)));
    let paragraphs: Vec<&Paragraph> =
        squad.data.iter().flat_map(|article| &article.paragraphs).collect();
    assert!(paragraphs.len() >= 60 && distinct(paragraphs.iter().map(|p| &p.context)));
    let questions: Vec<&Qa> = paragraphs.iter().flat_map(|paragraph| &paragraph.qas).collect();
    assert!(distinct(questions.iter().map(|qa| &qa.id)));
    assert!(distinct(questions.iter().map(|qa| &qa.question)));
    assert!(questions.iter().filter(|qa| !qa.is_impossible).count() >= 60);
    assert!(questions.iter().any(|qa| qa.is_impossible));
    for paragraph in paragraphs {
        assert!(!paragraph.qas.is_empty(), "{}", paragraph.context);
        for qa in &paragraph.qas {
            assert_eq!(qa.is_impossible, qa.answers.is_empty(), "{}", qa.question);
            for answer in &qa.answers {
                assert!(stands_at(&paragraph.context, answer), "{}: {}", qa.question, answer.text);
            }
        }
    }
}

#[test]
fn two_documents_of_ten_answer_each_hotpotqa_question() {
    let questions: Vec<Hotpot> = json("hotpotqa.json");
    assert!(questions.len() >= 60);
    assert!(distinct(questions.iter().map(|question| &question.id)));
    assert!(distinct(questions.iter().map(|question| &question.question)));
    let mut documents: BTreeMap<&str, &[String]> = BTreeMap::new();
    for question in &questions {
        assert!(["bridge", "comparison"].contains(&&*question.kind));
        assert!(["easy", "medium", "hard"].contains(&&*question.level));
        let of_question: BTreeMap<&str, &[String]> =
            question.context.iter().map(|(title, sentences)| (&**title, &**sentences)).collect();
        assert_eq!(of_question.len(), 10, "{}", question.question);
        let facts: Vec<&str> = question
            .supporting_facts
            .iter()
            .map(|(title, sentence)| &*of_question[&**title][*sentence])
            .collect();
        assert!(distinct(question.supporting_facts.iter().map(|(title, _)| title)));
        assert_eq!(facts.len(), 2, "{}", question.question);
        let judged = ["yes", "no"].contains(&&*question.answer);
        let literal = facts.iter().any(|fact| fact.contains(&question.answer));
        assert!(judged || literal, "{}: {}", question.question, question.answer);
        for (title, sentences) in of_question {
            assert_eq!(*documents.entry(title).or_insert(sentences), sentences, "{title}");
        }
    }
    assert!(documents.len() >= 120);
    for (title, sentences) in documents {
        assert!((2..=4).contains(&sentences.len()), "{title}");
        let (first, rest) = sentences.split_first().expect("a sentence");
        assert!(!first.starts_with(' '), "{title}");
        assert!(rest.iter().all(|sentence| sentence.starts_with(' ')), "{title}");
    }
}

#[test]
fn word_lists_are_sorted_and_large_enough() {
    let corpora = Corpora::new(CorpusFiles::default());
    let words = corpora.words().expect("the built-in words");
    let lists = [(words.nouns(), 2_500), (words.adjectives(), 700), (words.verbs(), 900)];
    let mut union: BTreeSet<&str> = BTreeSet::new();
    for (list, least) in &lists {
        assert!(list.len() >= *least, "{} words", list.len());
        assert!(list.is_sorted_by(|a, b| a < b), "sorted, each word once");
        for word in list {
            let parts = || word.split('-');
            assert!(
                parts()
                    .all(|part| !part.is_empty()
                        && part.bytes().all(|byte| byte.is_ascii_lowercase())),
                "{word}"
            );
        }
        union.extend(list);
    }
    // cwe measures its first prompt with 4,096 words of these lists.
    assert!(union.len() >= 4_096, "{} words", union.len());
    let adjectives: BTreeSet<&str> = lists[1].0.iter().copied().collect();
    assert!(adjectives.contains("blue") && adjectives.contains("blue-eyed"));
}

#[test]
fn essays_are_long_enough() {
    let files = fs::read_dir(folder().join("essays")).expect("essays");
    let words: usize = files
        .map(|file| fs::read_to_string(file.expect("a file").path()).expect("an essay"))
        .map(|essay| essay.split_whitespace().count())
        .sum();
    assert!(words >= 20_000, "{words} words");
    let corpora = Corpora::new(CorpusFiles::default());
    // As RULER splits at spaces, the last line feed leaves an empty word.
    assert_eq!(corpora.essays().expect("the built-in essays").words(), words + 1);
}

#[test]
fn readers_find_what_is_built_in() {
    let corpora = Corpora::new(CorpusFiles::default());
    let squad: Squad = json("squad.json");
    let paragraphs = squad.data.iter().flat_map(|article| &article.paragraphs);
    let answerable =
        paragraphs.flat_map(|paragraph| &paragraph.qas).filter(|qa| !qa.is_impossible).count();
    assert_eq!(corpora.squad().expect("the built-in questions").len(), answerable);
    let hotpot: Vec<Hotpot> = json("hotpotqa.json");
    assert_eq!(corpora.hotpotqa().expect("the built-in questions").len(), hotpot.len());
}

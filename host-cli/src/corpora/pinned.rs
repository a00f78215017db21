//! Where RULER's corpora can be had, each with the SHA-256 of the file.

/// A file that others publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Name in the folder (of an archive: of the archive).
    pub file: String,
    /// Flag of `longseq generate` that takes it.
    pub flag: &'static str,
    /// Addresses, tried in order.
    pub sources: Vec<Pinned>,
    /// Members of a zip archive to keep in its place, with their SHA-256.
    pub members: Vec<(String, String)>,
}

/// An address and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// `https://…`
    pub url: String,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Essays: the fork of RULER that the paper used keeps the file that RULER's script collects.
/// English words: RULER's own. Questions: the publishers, and for HotpotQA the mirror that
/// RULER's script names (the same questions, written with other white space, hence another
/// hash). Words: version 2.2.0 of wonderwords, the newest when RULER appeared.
pub fn all() -> Vec<Download> {
    let one = |file: &str, flag, sources: &[(&str, &str)]| Download {
        file: file.to_owned(),
        flag,
        sources: sources
            .iter()
            .map(|&(url, sha256)| Pinned { url: url.to_owned(), sha256: sha256.to_owned() })
            .collect(),
        members: Vec::new(),
    };
    let essays = [(
        "https://raw.githubusercontent.com/jhuang265/RULER/d573689711893ae804232e95ec45940a57883387/scripts/data/synthetic/json/PaulGrahamEssays.json",
        "afb34e460df6830ee1365cd8865d75d5c1a2be2a13251ba1111c1228bbbfd556",
    )];
    let english_words = [(
        "https://media.githubusercontent.com/media/NVIDIA/RULER/c3f5e3b4f87f97e048793bb510a3a6b19a46bf3a/scripts/data/synthetic/json/english_words.json",
        "affcd6d45fdf3cc843d585c99c97ad615094e760e6c4756b654bab6c73bc2eca",
    )];
    let squad = [(
        "https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v2.0.json",
        "80a5225e94905956a6446d296ca1093975c4d3b3260f1d6c8f68bc2ab77182d8",
    )];
    let hotpotqa = [
        (
            "http://curtis.ml.cmu.edu/datasets/hotpot/hotpot_dev_distractor_v1.json",
            "4e9ecb5c8d3b719f624d66b60f8d56bf227f03914f5f0753d6fa1b359d7104ea",
        ),
        (
            "https://huggingface.co/datasets/namlh2004/hotpotqa/resolve/7e54db4656209750ff487f6fdf8e39a66dba136b/hotpot_dev_distractor_v1.json",
            "e3da074df24e8369009918aa5cdbdd254dadcde4c63f7569d36afd6f2268caa8",
        ),
    ];
    let wonderwords = [(
        "https://files.pythonhosted.org/packages/b4/a4/6a7705c6e17de71e45782a0284e06691f85350adb80b1dea9c027c07f024/wonderwords-2.2.0-py3-none-any.whl",
        "65fc665f1f5590e98f6d9259414ea036bf1b6dd83e51aa6ba44473c99ca92da1",
    )];
    let lists = [
        ("nounlist.txt", "0778f51872f2aa89e0745c0cc37471a13e3d2161a79fcfdc03b6390b10604a55"),
        ("adjectivelist.txt", "66814d46b7e292c83e839d12fe2fa083c8f66779b14b294e1be4e1342c5d4131"),
        ("verblist.txt", "9fbf5e4e69b8869aebd88e6d545312ff9f878a747327ede5f6dbbba5c27b08ad"),
    ];
    let members =
        lists.map(|(file, sha256)| (format!("wonderwords/assets/{file}"), sha256.to_owned()));
    vec![
        one("PaulGrahamEssays.json", "essays", &essays),
        Download { members: members.to_vec(), ..one("wonderwords.whl", "words", &wonderwords) },
        one("english_words.json", "english-words", &english_words),
        one("squad.json", "squad", &squad),
        one("hotpotqa.json", "hotpotqa", &hotpotqa),
    ]
}

//! Core's random draws against those of CPython 3.11 and NumPy 1.26
//! (`tests/fixtures/ruler/rng.json`; all of `ruler/rng.json` where `LONGSEQ_ORACLES` is set).

use std::{fs, path::Path};

use longseq_core::ruler::rng::{NumpyRandom, Random, sample_scratch};
use serde_json::Value;

fn vectors(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("vectors");
    serde_json::from_str(&text).expect("JSON")
}

fn list(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("a list").iter();
    items.map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
}

/// The number in the name of a vector, such as `getrandbits_33`.
fn number(name: &str, prefix: &str) -> Option<u64> {
    name.strip_prefix(prefix)?.parse().ok()
}

fn sample(random: &mut Random, end: usize, count: usize) -> Vec<u32> {
    let mut out = vec![0; count];
    let mut scratch = vec![u32::MAX; sample_scratch(end, count)];
    random.sample(end, &mut out, &mut scratch).expect("enough scratch");
    out
}

/// Draws a value as text; `None` for a vector that core has no draw for.
fn draw(random: &mut Random, name: &str) -> Option<String> {
    const UPPER: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letters = |letters: &[u8]| String::from_utf8(letters.to_vec()).expect("letters");
    Some(match name {
        "random_dec" => format!("{:?}", random.random()),
        "randint_1000000_9999999" => random.integer(1_000_000, 9_999_999).to_string(),
        "choices_upper_k5" => letters(&random.letters::<5>(UPPER)),
        "choices_upper_k3" => letters(&random.letters::<3>(UPPER)),
        "choices_lower_k6" => letters(&random.letters::<6>(b"abcdefghijklmnopqrstuvwxyz")),
        _ => match (number(name, "getrandbits_"), number(name, "choice_index_range")) {
            (Some(bits @ ..=128), _) => random.bits(bits as u32).to_string(),
            (_, Some(end)) => random.index(end as usize).to_string(),
            _ => return None,
        },
    })
}

fn check_python(seed: u64, vectors: &Value) -> usize {
    let mut checked = 0;
    for (name, expected) in vectors.as_object().expect("an object") {
        let mut random = Random::new(seed);
        if draw(&mut random.clone(), name).is_some() {
            let expected = list(expected);
            let drawn: Vec<_> = expected.iter().flat_map(|_| draw(&mut random, name)).collect();
            assert_eq!(drawn, expected, "seed {seed}, {name}");
            checked += 1;
        }
    }
    for case in vectors["sample"].as_array().expect("samples") {
        let Some(out) = case.get("out") else { continue };
        let mut random = Random::new(seed);
        let size = |key: &str| case[key].as_u64().expect("a size") as usize;
        let drawn = sample(&mut random, size("n"), size("k"));
        assert_eq!(abridged(&drawn, out), *out, "seed {seed}, sample {case}");
        assert_eq!(random.bits(32), next_word(case), "seed {seed}, after sample {case}");
        checked += 1;
    }
    for case in vectors["shuffle"].as_array().expect("shuffles") {
        let mut random = Random::new(seed);
        let mut items: Vec<u64> = (0..case["n"].as_u64().expect("a size")).collect();
        random.shuffle(&mut items);
        assert_eq!(serde_json::json!(items), case["out"], "seed {seed}");
        assert_eq!(random.bits(32), next_word(case), "seed {seed}, after shuffle {case}");
        checked += 1;
    }
    checked
}

/// `drawn` with the middle left out where `expected` has "..." for it.
fn abridged(drawn: &[u32], expected: &Value) -> Value {
    let expected = expected.as_array().expect("a list");
    let Some(head) = expected.iter().position(|item| item == "...") else {
        return serde_json::json!(drawn);
    };
    let tail = drawn.len() - (expected.len() - head - 1);
    let mut short = vec![Value::from("..."); expected.len()];
    for (place, item) in short[..head].iter_mut().zip(drawn) {
        *place = Value::from(*item);
    }
    for (place, item) in short[head + 1..].iter_mut().zip(&drawn[tail..]) {
        *place = Value::from(*item);
    }
    Value::from(short)
}

fn next_word(case: &Value) -> u128 {
    case["next_getrandbits32"].as_u64().expect("a word").into()
}

fn check_numpy(seed: u32, vectors: &Value) -> usize {
    let ranges = [
        ("randint_10000_99999", 10_000, 99_999),
        ("randint_0_1000000", 0, 1_000_000),
        ("randint_0_2", 0, 2),
    ];
    for (name, first, end) in ranges {
        let mut random = NumpyRandom::new(seed);
        let expected = list(&vectors[name]);
        let drawn: Vec<_> =
            expected.iter().map(|_| random.integer(first, end).to_string()).collect();
        assert_eq!(drawn, expected, "NumPy seed {seed}, {name}");
    }
    ranges.len()
}

fn check_file(path: &Path) -> usize {
    let vectors = vectors(path);
    let mut checked = 0;
    for (seed, vectors) in vectors["python_random"].as_object().expect("seeds") {
        // A generator's seed has 64 bits; RULER's is the run's seed, which has fewer.
        if let Ok(seed) = seed.parse() {
            checked += check_python(seed, vectors);
        }
    }
    for (seed, vectors) in vectors["numpy_legacy"].as_object().expect("seeds") {
        checked += check_numpy(seed.parse().expect("a seed"), vectors);
    }
    checked
}

#[test]
fn draws_are_those_of_python_and_numpy() {
    assert!(check_file(&longseq_tests::fixtures().join("ruler/rng.json")) > 150);
}

#[test]
fn draws_are_those_of_all_vectors() {
    let Some(oracles) = longseq_tests::oracles() else { return };
    assert!(check_file(&oracles.join("ruler/rng.json")) > 500);
}

/// A sample must say so, not run out, where its scratch is too short for either method.
#[test]
fn too_little_scratch_is_an_error() {
    for (end, count) in [(20, 4), (100, 4)] {
        let needed = sample_scratch(end, count);
        let mut scratch = vec![0; needed - 1];
        let error = Random::new(1).sample(end, &mut vec![0; count], &mut scratch).unwrap_err();
        assert_eq!((error.needed, error.given), (needed, needed - 1));
    }
}

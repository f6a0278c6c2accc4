//! Full text search as MongoDB's text index does it, for stores without one.
//!
//! Texts are cut into words, words are folded (case, accents) and stemmed, stop words do not count. A search is a list of
//! words of which one must occur, with phrases that must and words that must not.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use crate::error::{ErrorCode, ParseError, Result};
use crate::model::object::Object;
use crate::model::query::filter::TextSearch;
use crate::model::query::path::{Found, Path};
use crate::model::value::Value;

/// Maximum length of a search, in bytes.
const MAX_TERM: usize = 16 << 10;

/// A search, prepared once to be applied to many texts.
pub struct TextQuery {
    /// Stemmed words, folded, of which one must occur.
    words: HashSet<String>,
    /// The same words with case and accents, if these are compared.
    exact_words: HashSet<String>,
    /// Words that must not occur, in the form compared.
    unwanted: HashSet<String>,
    phrases: Vec<String>,
    unwanted_phrases: Vec<String>,
    fold: Fold,
    /// Words of rows are stemmed in the language of the index.
    stemmer: Stemmer,
}

impl std::fmt::Debug for TextQuery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TextQuery")
            .field("words", &self.words)
            .field("phrases", &self.phrases)
            .finish_non_exhaustive()
    }
}

/// The differences that a comparison ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fold {
    case: bool,
    accents: bool,
}

const FOLD_ALL: Fold = Fold { case: true, accents: true };

impl TextQuery {
    /// Prepares a search.
    ///
    /// # Errors
    /// 102 for an unknown language and for a search that is too long.
    pub fn new(search: &TextSearch) -> Result<Self> {
        let refused = |message: String| ParseError::new(ErrorCode::InvalidQuery, message);
        if search.term.len() > MAX_TERM {
            return Err(refused("text search is too long".into()));
        }
        let name = search.language.as_deref().unwrap_or("english");
        let language = Language::named(name).ok_or_else(|| {
            let shown: String = name.chars().take(100).collect();
            refused(format!("unsupported language: \"{shown}\" for text index version 3"))
        })?;
        let fold = Fold { case: !search.case_sensitive, accents: !search.diacritic_sensitive };
        let mut query = Self {
            words: HashSet::new(),
            exact_words: HashSet::new(),
            unwanted: HashSet::new(),
            phrases: Vec::new(),
            unwanted_phrases: Vec::new(),
            fold,
            stemmer: Stemmer::create(Algorithm::English),
        };
        for part in parts(&search.term) {
            let tokens = language.words(part.text);
            let stemmed =
                |fold: Fold| tokens.iter().map(move |word| language.stem(&folded(word, fold))).collect::<Vec<_>>();
            match (part.negated, part.phrase) {
                (false, phrase) => {
                    query.words.extend(stemmed(FOLD_ALL));
                    query.exact_words.extend(stemmed(fold));
                    if phrase {
                        query.phrases.push(folded(part.text, fold));
                    }
                }
                (true, true) => query.unwanted_phrases.push(folded(part.text, fold)),
                (true, false) => query.unwanted.extend(stemmed(fold)),
            }
        }
        Ok(query)
    }

    /// The score of a row whose text is at these paths; `None` when it does not match.
    #[must_use]
    pub fn score_row(&self, row: &Object, paths: &[Path]) -> Option<f64> {
        let mut texts: Vec<String> = Vec::new();
        for path in paths {
            path.any(row, true, &mut |found| {
                if let Found::Top(Value::String(text)) | Found::Inner(Value::String(text)) = found {
                    texts.push(text.clone());
                }
                false
            });
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.score(&texts)
    }

    /// The score of the texts of one row, by MongoDB's formula; `None` when they do not match.
    #[must_use]
    pub fn score(&self, texts: &[&str]) -> Option<f64> {
        let mut score = 0.0;
        let mut wanted = false;
        for text in texts {
            let words = Language::ENGLISH.words(text);
            let mut counts: HashMap<String, Count> = HashMap::new();
            let mut length = 0.0;
            for word in words {
                let plain = self.stemmer.stem(&folded(word, FOLD_ALL)).into_owned();
                let exact = if self.fold == FOLD_ALL {
                    None
                } else {
                    Some(self.stemmer.stem(&folded(word, self.fold)).into_owned())
                };
                let compared = exact.as_ref().unwrap_or(&plain);
                if self.unwanted.contains(compared) {
                    return None;
                }
                wanted |= self.exact_words.contains(compared);
                length += 1.0;
                if self.words.contains(&plain) {
                    counts.entry(plain).or_default().add();
                }
            }
            for (word, count) in counts {
                let coefficient = 0.5 * count.number / length + 0.5;
                let whole = text.len() == word.len() && text.eq_ignore_ascii_case(&word);
                score += count.frequency * coefficient * if whole { 1.1 } else { 1.0 };
            }
        }
        let contains = |phrase: &String| texts.iter().any(|text| folded(text, self.fold).contains(phrase.as_str()));
        let matches = wanted && self.phrases.iter().all(contains) && !self.unwanted_phrases.iter().any(contains);
        matches.then_some(score)
    }
}

/// How often a word occurs: each further occurrence counts half as much as the one before.
#[derive(Debug, Default)]
struct Count {
    number: f64,
    frequency: f64,
    next: f64,
}

impl Count {
    fn add(&mut self) {
        self.next = if self.number > 0.0 { self.next / 2.0 } else { 1.0 };
        self.number += 1.0;
        self.frequency += self.next;
    }
}

/// A word or phrase of a search.
#[derive(Debug)]
struct Part<'a> {
    text: &'a str,
    phrase: bool,
    negated: bool,
}

/// Cuts a search into phrases (in quotes) and what is between blanks; a hyphen before either negates it.
fn parts(term: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut negated_phrase = false;
    for piece in term.split('"') {
        if quoted {
            if !piece.trim().is_empty() {
                parts.push(Part { text: piece, phrase: true, negated: negated_phrase });
            }
        } else {
            // A hyphen right before the quote belongs to the phrase.
            negated_phrase = piece
                .strip_suffix('-')
                .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace));
            for word in piece.split_whitespace() {
                let (text, negated) = word.strip_prefix('-').map_or((word, false), |text| (text, true));
                if !text.is_empty() {
                    parts.push(Part { text, phrase: false, negated });
                }
            }
        }
        quoted = !quoted;
    }
    parts
}

/// A language of searches.
#[derive(Debug, Clone, Copy)]
struct Language {
    stemming: Option<Algorithm>,
}

impl Language {
    const ENGLISH: Self = Self { stemming: Some(Algorithm::English) };

    /// By name or two-letter code, in any case.
    fn named(name: &str) -> Option<Self> {
        let stemming = match name.to_ascii_lowercase().as_str() {
            "none" => None,
            "danish" | "da" => Some(Algorithm::Danish),
            "dutch" | "nl" => Some(Algorithm::Dutch),
            "english" | "en" => Some(Algorithm::English),
            "finnish" | "fi" => Some(Algorithm::Finnish),
            "french" | "fr" => Some(Algorithm::French),
            "german" | "de" => Some(Algorithm::German),
            "hungarian" | "hu" => Some(Algorithm::Hungarian),
            "italian" | "it" => Some(Algorithm::Italian),
            "norwegian" | "nb" => Some(Algorithm::Norwegian),
            "portuguese" | "pt" => Some(Algorithm::Portuguese),
            "romanian" | "ro" => Some(Algorithm::Romanian),
            "russian" | "ru" => Some(Algorithm::Russian),
            "spanish" | "es" => Some(Algorithm::Spanish),
            "swedish" | "sv" => Some(Algorithm::Swedish),
            "turkish" | "tr" => Some(Algorithm::Turkish),
            _ => return None,
        };
        Some(Self { stemming })
    }

    fn is_english(self) -> bool {
        matches!(self.stemming, Some(Algorithm::English))
    }

    /// The words of a text without stop words. An apostrophe is part of an English word.
    fn words(self, text: &str) -> Vec<&str> {
        let part_of_word = |letter: char| {
            letter.is_alphanumeric() || letter == '_' || is_accent(letter) || (letter == '\'' && self.is_english())
        };
        text.split(|letter| !part_of_word(letter)).filter(|word| !word.is_empty() && !self.is_stop_word(word)).collect()
    }

    fn is_stop_word(self, word: &str) -> bool {
        self.is_english() && STOP_WORDS.contains(&*word.to_lowercase())
    }

    fn stem(self, word: &str) -> String {
        self.stemming.map_or_else(|| word.to_owned(), |algorithm| Stemmer::create(algorithm).stem(word).into_owned())
    }
}

fn folded(text: &str, fold: Fold) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let plain = if fold.accents { without_accent(letter) } else { Some(letter) };
        let Some(plain) = plain else { continue };
        if fold.case { out.extend(plain.to_lowercase()) } else { out.push(plain) }
    }
    out
}

/// A combining accent.
const fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Ranges of letters with their bases, in the order of their codes. What has none stands for itself.
const BASES: [(char, char, &str); 2] = [
    ('\u{c0}', '\u{ff}', "AAAAAAÆCEEEEIIIIÐNOOOOO×ØUUUUYÞßaaaaaaæceeeeiiiiðnooooo÷øuuuuyþy"),
    (
        '\u{100}',
        '\u{17e}',
        "AaAaAaCcCcCcCcDdĐđEeEeEeEeEeGgGgGgGgHhĦħIiIiIiIiIıĲĳJjKkĸLlLlLlĿŀŁłNnNnNnŉŊŋOoOoOoŒœRrRrRrSsSsSsSsTtTtŦŧUuUuUuUuUuUuWwYyYZzZzZz",
    ),
];

/// The base of a Latin letter; nothing for a combining accent.
fn without_accent(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter);
    }
    if is_accent(letter) {
        return None;
    }
    for (first, last, bases) in BASES {
        if (first..=last).contains(&letter) {
            let at = u32::from(letter) - u32::from(first);
            return usize::try_from(at).ok().and_then(|at| bases.chars().nth(at)).or(Some(letter));
        }
    }
    Some(letter)
}

/// English stop words.
static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a about above after again against all am an and any are aren't as at be because been before being \
     below between both but by can't cannot could couldn't did didn't do does doesn't doing don't down \
     during each few for from further had hadn't has hasn't have haven't having he he'd he'll he's her \
     here here's hers herself him himself his how how's i i'd i'll i'm i've if in into is isn't it it's \
     its itself let's me more most mustn't my myself no nor not of off on once only or other ought our \
     ours ourselves out over own same shan't she she'd she'll she's should shouldn't so some such than \
     that that's the their theirs them themselves then there there's these they they'd they'll they're \
     they've this those through to too under until up very was wasn't we we'd we'll we're we've were \
     weren't what what's when when's where where's which while who who's whom why why's with won't would \
     wouldn't you you'd you'll you're you've your yours yourself yourselves"
        .split(' ')
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn search(term: &str) -> TextSearch {
        TextSearch { term: term.into(), language: None, case_sensitive: false, diacritic_sensitive: false }
    }

    fn score(search: &TextSearch, text: &str) -> Option<f64> {
        TextQuery::new(search).unwrap().score(&[text])
    }

    #[test]
    fn scores() {
        // As MongoDB 6.0 answers.
        for (term, text, expected) in [
            ("coffee", "coffee is nice", Some(0.7500)),
            ("coffee", "coffee coffee coffee", Some(1.7500)),
            ("coffee", "Coffee", Some(1.0000)),
            ("coffees", "my coffee", Some(1.0000)),
            ("the", "the the", None),
            ("tea coffee", "tea or coffee", Some(1.5000)),
            ("nice -coffee", "coffee is nice", None),
            ("nice -tea", "coffee is nice", Some(0.7500)),
            ("\"is nice\"", "coffee is nice", Some(0.7500)),
            ("\"nice is\"", "coffee is nice", None),
            ("coffee -\"is nice\"", "coffee is nice", None),
            ("-coffee", "tea", None),
            ("cafe", "Café", Some(1.0000)),
            ("running", "he runs", Some(1.0000)),
            ("don't", "I don't know", None),
            ("it's", "it's", None),
            ("john's", "john's car", Some(0.7500)),
            ("john", "john's car", Some(0.7500)),
            ("a_b", "x a_b y", Some(0.6667)),
            ("a-b", "x a-b y", Some(0.6667)),
            ("b", "x a-b y", Some(0.6667)),
            ("x.y", "x.y", Some(1.5000)),
            ("foo@bar", "foo@bar.com", Some(1.3333)),
            ("coffee", "coffee, coffee; tea", Some(1.2500)),
            ("the coffee", "coffee", Some(1.0000)),
            ("Straße", "strasse", None),
            ("naïve", "naive", Some(1.0000)),
            ("ø", "o", None),
            ("ł", "l", None),
            ("đ", "d", None),
            ("œ", "oe", None),
            ("ß", "ß", Some(1.1000)),
            ("日本", "日本 語", Some(0.7500)),
            ("100", "100 apples", Some(0.7500)),
            ("i̇", "i", None),
            ("don", "don't", None),
            ("\"coffee", "coffee", Some(1.0000)),
            ("\"coffee is\" tea", "coffee is nice", Some(0.7500)),
            ("tea", "\"tea\"", Some(1.0000)),
            ("pre-market", "pre market", Some(1.5000)),
        ] {
            let found = score(&search(term), text).map(|score| (score * 10_000.0).round() / 10_000.0);
            assert_eq!(found, expected, "{term} in {text}");
        }
    }

    #[test]
    fn sensitivity() {
        let sensitive = TextSearch { case_sensitive: true, ..search("COFFEE") };
        assert_eq!(score(&sensitive, "coffee is nice"), None);
        assert!(score(&sensitive, "COFFEE is nice").is_some());
        let sensitive = TextSearch { diacritic_sensitive: true, ..search("cafe") };
        assert_eq!(score(&sensitive, "a café"), None);
    }

    #[test]
    fn languages() {
        for (language, known) in [("en", true), ("German", true), ("none", true), ("xx", false)] {
            let search = TextSearch { language: Some(language.into()), ..search("x") };
            assert_eq!(TextQuery::new(&search).is_ok(), known, "{language}");
        }
    }
}

//! English plurals, as the names of find queries need them (`person` → `people`).

/// Words whose plural equals the singular.
const UNCOUNTABLE: [&str; 101] = [
    "adulthood",
    "advice",
    "agenda",
    "aid",
    "aircraft",
    "alcohol",
    "ammo",
    "analytics",
    "anime",
    "athletics",
    "audio",
    "bison",
    "blood",
    "bream",
    "buffalo",
    "butter",
    "carp",
    "cash",
    "chassis",
    "chess",
    "clothing",
    "cod",
    "commerce",
    "cooperation",
    "corps",
    "debris",
    "diabetes",
    "digestion",
    "elk",
    "energy",
    "equipment",
    "excretion",
    "expertise",
    "firmware",
    "flounder",
    "fun",
    "gallows",
    "garbage",
    "graffiti",
    "hardware",
    "headquarters",
    "health",
    "herpes",
    "highjinks",
    "homework",
    "housework",
    "information",
    "jeans",
    "justice",
    "kudos",
    "labour",
    "literature",
    "machinery",
    "mackerel",
    "mail",
    "manga",
    "media",
    "mews",
    "moose",
    "mud",
    "music",
    "news",
    "only",
    "personnel",
    "pike",
    "plankton",
    "pliers",
    "police",
    "pollution",
    "premises",
    "rain",
    "research",
    "rice",
    "salmon",
    "scissors",
    "series",
    "sewage",
    "shambles",
    "shrimp",
    "software",
    "species",
    "staff",
    "swine",
    "tennis",
    "traffic",
    "transportation",
    "trout",
    "tuna",
    "wealth",
    "welfare",
    "whiting",
    "wildebeest",
    "wildlife",
    "you",
    "pokemon",
    "pokémon",
    "deer",
    "fish",
    "measles",
    "pox",
    "sheep",
];

/// Endings of words whose plural equals the singular.
const UNCOUNTABLE_ENDINGS: [&str; 9] = ["pokemon", "pokémon", "deer", "fish", "measles", "ois", "ous", "pox", "sheep"];

/// Irregular plurals.
const IRREGULAR: [(&str, &str); 61] = [
    ("i", "we"),
    ("me", "us"),
    ("he", "they"),
    ("she", "they"),
    ("them", "them"),
    ("myself", "ourselves"),
    ("yourself", "yourselves"),
    ("itself", "themselves"),
    ("herself", "themselves"),
    ("himself", "themselves"),
    ("themself", "themselves"),
    ("is", "are"),
    ("was", "were"),
    ("has", "have"),
    ("this", "these"),
    ("that", "those"),
    ("echo", "echoes"),
    ("dingo", "dingoes"),
    ("volcano", "volcanoes"),
    ("tornado", "tornadoes"),
    ("torpedo", "torpedoes"),
    ("genus", "genera"),
    ("viscus", "viscera"),
    ("stigma", "stigmata"),
    ("stoma", "stomata"),
    ("dogma", "dogmata"),
    ("lemma", "lemmata"),
    ("schema", "schemata"),
    ("anathema", "anathemata"),
    ("ox", "oxen"),
    ("axe", "axes"),
    ("die", "dice"),
    ("yes", "yeses"),
    ("foot", "feet"),
    ("eave", "eaves"),
    ("goose", "geese"),
    ("tooth", "teeth"),
    ("quiz", "quizzes"),
    ("human", "humans"),
    ("proof", "proofs"),
    ("carve", "carves"),
    ("valve", "valves"),
    ("looey", "looies"),
    ("thief", "thieves"),
    ("groove", "grooves"),
    ("pickaxe", "pickaxes"),
    ("passerby", "passersby"),
    ("thou", "you"),
    ("person", "people"),
    ("people", "people"),
    ("child", "children"),
    ("children", "children"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("titmouse", "titmice"),
    ("mice", "mice"),
    ("lice", "lice"),
    ("man", "men"),
    ("men", "men"),
    ("woman", "women"),
    ("women", "women"),
];

/// Latin and Greek stems: (stems, singular or plural endings, plural ending).
const CLASSICAL: [(&[&str], &[&str], &str); 6] = [
    (&["matr", "cod", "mur", "sil", "vert", "ind", "append"], &["ix", "ex"], "ices"),
    (
        &[
            "apheli",
            "hyperbat",
            "periheli",
            "asyndet",
            "noumen",
            "phenomen",
            "criteri",
            "organ",
            "prolegomen",
            "hedr",
            "automat",
        ],
        &["a", "on"],
        "a",
    ),
    (
        &[
            "agend",
            "addend",
            "millenni",
            "dat",
            "extrem",
            "bacteri",
            "desiderat",
            "strat",
            "candelabr",
            "errat",
            "ov",
            "symposi",
            "curricul",
            "quor",
        ],
        &["a", "um"],
        "a",
    ),
    (&["seraph", "cherub"], &["im", ""], "im"),
    (&["alumn", "alg", "vertebr"], &["ae", "a"], "ae"),
    (
        &[
            "alumn", "syllab", "vir", "radi", "nucle", "fung", "cact", "stimul", "termin", "bacill", "foc", "uter",
            "loc", "strat",
        ],
        &["us", "i"],
        "i",
    ),
];

/// The plural of a word in any case (`gameScore` → `gameScores`).
#[must_use]
pub fn plural(word: &str) -> String {
    let lower = word.to_lowercase();
    if lower.len() != word.len() || word.is_empty() {
        return format!("{word}s");
    }
    if let Some((_, plural)) = IRREGULAR.iter().find(|(singular, _)| *singular == lower) {
        return with_case(word, plural);
    }
    if IRREGULAR.iter().any(|(_, plural)| *plural == lower) || is_uncountable(&lower) {
        return word.to_owned();
    }
    by_rule(word, &lower)
}

fn is_uncountable(lower: &str) -> bool {
    UNCOUNTABLE.contains(&lower)
        || UNCOUNTABLE_ENDINGS.iter().any(|ending| lower.ends_with(ending))
        || lower.strip_suffix("ese").is_some_and(|stem| !ends_in(stem, "aeiou") && !stem.is_empty())
}

fn ends_in(text: &str, letters: &str) -> bool {
    text.chars().next_back().is_some_and(|last| letters.contains(last))
}

/// `word` with its last `cut` bytes replaced.
fn swap(word: &str, cut: usize, ending: &str) -> String {
    let stem = word.get(..word.len().saturating_sub(cut)).unwrap_or(word);
    format!("{stem}{ending}")
}

fn by_rule(word: &str, lower: &str) -> String {
    let end = |suffix: &str| lower.ends_with(suffix);
    let any = |suffixes: &[&str]| suffixes.iter().any(|suffix| lower.ends_with(suffix));
    if any(&["man", "men"]) {
        let ending = word.get(word.len() - 3..).unwrap_or_default();
        return swap(word, 3, &with_case(ending, "men"));
    }
    if end("eaux") {
        return word.to_owned();
    }
    if end("child") {
        return format!("{word}ren");
    }
    if any(&["children", "people"]) {
        return word.to_owned();
    }
    if end("person") {
        return swap(word, 4, "ople");
    }
    if let Some(plural) = classical(word, lower, &CLASSICAL[..1]) {
        return plural;
    }
    if any(&["x", "ch", "ss", "sh", "zz"]) {
        return format!("{word}es");
    }
    if let Some(stem) = lower.strip_suffix("ey") {
        // `money` → `monies`, but `monkey` → `monkeys`.
        let mut letters = stem.chars().rev();
        if let (Some(third), Some(second), Some(first)) = (letters.next(), letters.next(), letters.next())
            && "ln".contains(third)
            && "ieo".contains(second)
            && !"ch".contains(first)
        {
            return swap(word, 2, "ies");
        }
    }
    if let Some(stem) = lower.strip_suffix('y')
        && (stem.ends_with("qu") || (!stem.is_empty() && !ends_in(stem, "aeiouy")))
    {
        return swap(word, 1, "ies");
    }
    if any(&["knife", "wife", "life"]) {
        return swap(word, 2, "ves");
    }
    if any(&["arf", "lf", "eaf", "eof", "oaf", "hoof"]) {
        return swap(word, 1, "ves");
    }
    if end("sis") {
        return swap(word, 3, "ses");
    }
    if let Some(plural) = classical(word, lower, &CLASSICAL[1..3]) {
        return plural;
    }
    if any(&["hero", "ato", "gro"]) {
        return format!("{word}es");
    }
    if let Some(plural) = classical(word, lower, &CLASSICAL[3..]) {
        return plural;
    }
    if any(&["ejas", "ias", "alas", "elas", "ilas", "olas", "ulas", "jas", "zas", "eas", "ras", "iam", "uam"])
        && !end("lias")
    {
        return word.to_owned();
    }
    if any(&["emu", "enu"]) {
        return format!("{word}s");
    }
    if any(&["emus", "enus"]) {
        return word.to_owned();
    }
    let other_us = lower.strip_suffix("us").is_some_and(|stem| !stem.is_empty() && !ends_in(stem, "aou"));
    if any(&["alias", "tlas", "tmas", "gas", "ris"]) || other_us {
        return format!("{word}es");
    }
    if any(&["axis", "testis"]) {
        return swap(word, 2, "es");
    }
    if end("s") { word.to_owned() } else { format!("{word}s") }
}

fn classical(word: &str, lower: &str, table: &[(&[&str], &[&str], &str)]) -> Option<String> {
    table.iter().find_map(|(stems, endings, plural)| {
        endings.iter().find_map(|ending| {
            let stem = lower.strip_suffix(ending)?;
            stems.iter().any(|known| stem.ends_with(known)).then(|| swap(word, ending.len(), plural))
        })
    })
}

/// Gives the replacement the case of the original: upper case, capitalised, or lower case.
fn with_case(word: &str, plural: &str) -> String {
    let capital = |text: &str| {
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    };
    if word == word.to_lowercase() {
        plural.to_owned()
    } else if word == word.to_uppercase() {
        plural.to_uppercase()
    } else if word.starts_with(char::is_uppercase) {
        capital(plural)
    } else {
        plural.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn plurals() {
        for (word, expected) in [
            ("gameScore", "gameScores"),
            ("person", "people"),
            ("category", "categories"),
            ("sheep", "sheep"),
            ("box", "boxes"),
            ("country", "countries"),
            ("child", "children"),
            ("mouse", "mice"),
            ("bus", "buses"),
            ("news", "news"),
            ("analysis", "analyses"),
            ("knife", "knives"),
            ("leaf", "leaves"),
            ("hero", "heroes"),
            ("photo", "photos"),
            ("datum", "data"),
            ("criterion", "criteria"),
            ("cactus", "cacti"),
            ("index", "indices"),
            ("status", "statuses"),
            ("day", "days"),
            ("money", "monies"),
            ("monkey", "monkeys"),
            ("man", "men"),
            ("postman", "postmen"),
            ("alias", "aliases"),
            ("users", "users"),
            ("class", "classes"),
            ("quiz", "quizzes"),
            ("schema", "schemata"),
            ("data", "data"),
            ("equipment", "equipment"),
            ("superCar", "superCars"),
            ("tomato", "tomatoes"),
            ("axis", "axes"),
            ("menu", "menus"),
        ] {
            assert_eq!(plural(word), expected, "{word}");
        }
    }
}

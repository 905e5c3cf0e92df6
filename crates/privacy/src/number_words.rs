//! How numbers are said in the languages that callers speak here.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language whose number words are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
    /// German.
    De,
    /// French.
    Fr,
    /// Portuguese.
    Pt,
}

impl Language {
    /// The language of a BCP 47 tag; None when its number words are not known.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Some(match primary.to_ascii_lowercase().as_str() {
            "en" => Self::En,
            "es" => Self::Es,
            "de" => Self::De,
            "fr" => Self::Fr,
            "pt" => Self::Pt,
            _ => return None,
        })
    }
}

/// What a word says of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Say {
    /// 0 to 9.
    Unit(u8),
    /// 10 to 19.
    Teen(u8),
    /// 20, 30 .. 90.
    Tens(u8),
    /// 21 to 99 in one word.
    Whole(u8),
    /// "hundred", after what it multiplies.
    Hundred,
    /// 100, 200 .. 900 in one word, as its first digit.
    Hundreds(u8),
    /// The next digit is said this many times.
    Times(u8),
}

/// A word, and whether it is more often another: an article, a sigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberWord {
    pub(crate) say: Say,
    pub(crate) is_weak: bool,
}

/// What a folded word says in `language`. When the language is not known, or is another one than
/// is spoken, what the word says in any of the others, unless it is a common word somewhere.
pub(crate) fn number_word(word: &str, language: Option<Language>) -> Option<NumberWord> {
    let told = WORDS.get(word)?;
    if let Some(of_language) = language.and_then(|language| told[language as usize]) {
        return Some(of_language);
    }
    let mut others = told.iter().flatten();
    let first = *others.next()?;
    let is_common = is_common_elsewhere(word) && language.is_some();
    (!first.is_weak && !is_common).then_some(first)
}

/// Number words of one language that mean something else in another.
fn is_common_elsewhere(word: &str) -> bool {
    matches!(
        word,
        "once" | "elf" | "seize" | "cent" | "dix" | "sept" | "six" | "tres" | "mil"
    )
}

type Told = [Option<NumberWord>; 5];

static WORDS: LazyLock<HashMap<String, Told>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (language, list) in [
        (Language::En, EN),
        (Language::Es, ES),
        (Language::De, DE),
        (Language::Fr, FR),
        (Language::Pt, PT),
    ] {
        for (word, say) in list {
            add(&mut words, language, word, *say);
        }
    }
    // German says the unit first, in one word: einundzwanzig.
    for (unit, value) in [
        ("ein", 1),
        ("zwei", 2),
        ("drei", 3),
        ("vier", 4),
        ("funf", 5),
        ("sechs", 6),
        ("sieben", 7),
        ("acht", 8),
        ("neun", 9),
    ] {
        for (word, say) in DE {
            if let Say::Tens(tens) = say {
                let whole = format!("{unit}und{word}");
                add(&mut words, Language::De, &whole, Say::Whole(tens + value));
            }
        }
        add(
            &mut words,
            Language::De,
            &format!("{unit}hundert"),
            Say::Hundreds(value),
        );
    }
    words
});

fn add(words: &mut HashMap<String, Told>, language: Language, word: &str, say: Say) {
    let is_weak = WEAK.contains(&(language, word));
    words.entry(word.to_owned()).or_default()[language as usize] =
        Some(NumberWord { say, is_weak });
}

/// Articles and sighs.
const WEAK: &[(Language, &str)] = &[
    (Language::En, "o"),
    (Language::En, "oh"),
    (Language::En, "ought"),
    (Language::Es, "un"),
    (Language::Es, "una"),
    (Language::De, "ein"),
    (Language::De, "eine"),
    (Language::Fr, "un"),
    (Language::Fr, "une"),
    (Language::Pt, "um"),
    (Language::Pt, "uma"),
    (Language::Pt, "meia"),
];

use Say::{Hundred, Hundreds, Teen, Tens, Times, Unit, Whole};

const EN: &[(&str, Say)] = &[
    ("zero", Unit(0)),
    ("oh", Unit(0)),
    ("o", Unit(0)),
    ("ought", Unit(0)),
    ("nought", Unit(0)),
    ("naught", Unit(0)),
    ("nil", Unit(0)),
    ("one", Unit(1)),
    ("two", Unit(2)),
    ("three", Unit(3)),
    ("four", Unit(4)),
    ("five", Unit(5)),
    ("six", Unit(6)),
    ("seven", Unit(7)),
    ("eight", Unit(8)),
    ("nine", Unit(9)),
    ("niner", Unit(9)),
    ("ten", Teen(10)),
    ("eleven", Teen(11)),
    ("twelve", Teen(12)),
    ("thirteen", Teen(13)),
    ("fourteen", Teen(14)),
    ("fifteen", Teen(15)),
    ("sixteen", Teen(16)),
    ("seventeen", Teen(17)),
    ("eighteen", Teen(18)),
    ("nineteen", Teen(19)),
    ("twenty", Tens(20)),
    ("thirty", Tens(30)),
    ("forty", Tens(40)),
    ("fourty", Tens(40)),
    ("fifty", Tens(50)),
    ("sixty", Tens(60)),
    ("seventy", Tens(70)),
    ("eighty", Tens(80)),
    ("ninety", Tens(90)),
    ("hundred", Hundred),
    ("double", Times(2)),
    ("triple", Times(3)),
    ("treble", Times(3)),
    ("quadruple", Times(4)),
];

const ES: &[(&str, Say)] = &[
    ("cero", Unit(0)),
    ("uno", Unit(1)),
    ("una", Unit(1)),
    ("un", Unit(1)),
    ("dos", Unit(2)),
    ("tres", Unit(3)),
    ("cuatro", Unit(4)),
    ("cinco", Unit(5)),
    ("seis", Unit(6)),
    ("siete", Unit(7)),
    ("ocho", Unit(8)),
    ("nueve", Unit(9)),
    ("diez", Teen(10)),
    ("once", Teen(11)),
    ("doce", Teen(12)),
    ("trece", Teen(13)),
    ("catorce", Teen(14)),
    ("quince", Teen(15)),
    ("dieciseis", Teen(16)),
    ("diecisiete", Teen(17)),
    ("dieciocho", Teen(18)),
    ("diecinueve", Teen(19)),
    ("veinte", Tens(20)),
    ("veintiuno", Whole(21)),
    ("veintiun", Whole(21)),
    ("veintidos", Whole(22)),
    ("veintitres", Whole(23)),
    ("veinticuatro", Whole(24)),
    ("veinticinco", Whole(25)),
    ("veintiseis", Whole(26)),
    ("veintisiete", Whole(27)),
    ("veintiocho", Whole(28)),
    ("veintinueve", Whole(29)),
    ("treinta", Tens(30)),
    ("cuarenta", Tens(40)),
    ("cincuenta", Tens(50)),
    ("sesenta", Tens(60)),
    ("setenta", Tens(70)),
    ("ochenta", Tens(80)),
    ("noventa", Tens(90)),
    ("cien", Hundreds(1)),
    ("ciento", Hundreds(1)),
    ("doscientos", Hundreds(2)),
    ("trescientos", Hundreds(3)),
    ("cuatrocientos", Hundreds(4)),
    ("quinientos", Hundreds(5)),
    ("seiscientos", Hundreds(6)),
    ("setecientos", Hundreds(7)),
    ("ochocientos", Hundreds(8)),
    ("novecientos", Hundreds(9)),
    ("doble", Times(2)),
    ("triple", Times(3)),
];

const DE: &[(&str, Say)] = &[
    ("null", Unit(0)),
    ("eins", Unit(1)),
    ("ein", Unit(1)),
    ("eine", Unit(1)),
    ("zwei", Unit(2)),
    ("zwo", Unit(2)),
    ("drei", Unit(3)),
    ("vier", Unit(4)),
    ("funf", Unit(5)),
    ("fuenf", Unit(5)),
    ("sechs", Unit(6)),
    ("sieben", Unit(7)),
    ("acht", Unit(8)),
    ("neun", Unit(9)),
    ("zehn", Teen(10)),
    ("elf", Teen(11)),
    ("zwolf", Teen(12)),
    ("zwoelf", Teen(12)),
    ("dreizehn", Teen(13)),
    ("vierzehn", Teen(14)),
    ("funfzehn", Teen(15)),
    ("sechzehn", Teen(16)),
    ("siebzehn", Teen(17)),
    ("achtzehn", Teen(18)),
    ("neunzehn", Teen(19)),
    ("zwanzig", Tens(20)),
    ("dreissig", Tens(30)),
    ("vierzig", Tens(40)),
    ("funfzig", Tens(50)),
    ("sechzig", Tens(60)),
    ("siebzig", Tens(70)),
    ("achtzig", Tens(80)),
    ("neunzig", Tens(90)),
    ("hundert", Hundreds(1)),
    ("doppel", Times(2)),
    ("doppelte", Times(2)),
    ("zweimal", Times(2)),
    ("dreimal", Times(3)),
];

const FR: &[(&str, Say)] = &[
    ("zero", Unit(0)),
    ("un", Unit(1)),
    ("une", Unit(1)),
    ("deux", Unit(2)),
    ("trois", Unit(3)),
    ("quatre", Unit(4)),
    ("cinq", Unit(5)),
    ("six", Unit(6)),
    ("sept", Unit(7)),
    ("huit", Unit(8)),
    ("neuf", Unit(9)),
    ("dix", Teen(10)),
    ("onze", Teen(11)),
    ("douze", Teen(12)),
    ("treize", Teen(13)),
    ("quatorze", Teen(14)),
    ("quinze", Teen(15)),
    ("seize", Teen(16)),
    ("vingt", Tens(20)),
    ("vingts", Tens(20)),
    ("trente", Tens(30)),
    ("quarante", Tens(40)),
    ("cinquante", Tens(50)),
    ("soixante", Tens(60)),
    ("septante", Tens(70)),
    ("huitante", Tens(80)),
    ("octante", Tens(80)),
    ("nonante", Tens(90)),
    ("cent", Hundred),
    ("cents", Hundred),
    ("double", Times(2)),
    ("triple", Times(3)),
];

const PT: &[(&str, Say)] = &[
    ("zero", Unit(0)),
    ("um", Unit(1)),
    ("uma", Unit(1)),
    ("dois", Unit(2)),
    ("duas", Unit(2)),
    ("tres", Unit(3)),
    ("quatro", Unit(4)),
    ("cinco", Unit(5)),
    ("seis", Unit(6)),
    ("meia", Unit(6)),
    ("sete", Unit(7)),
    ("oito", Unit(8)),
    ("nove", Unit(9)),
    ("dez", Teen(10)),
    ("onze", Teen(11)),
    ("doze", Teen(12)),
    ("treze", Teen(13)),
    ("catorze", Teen(14)),
    ("quatorze", Teen(14)),
    ("quinze", Teen(15)),
    ("dezasseis", Teen(16)),
    ("dezesseis", Teen(16)),
    ("dezassete", Teen(17)),
    ("dezessete", Teen(17)),
    ("dezoito", Teen(18)),
    ("dezanove", Teen(19)),
    ("dezenove", Teen(19)),
    ("vinte", Tens(20)),
    ("trinta", Tens(30)),
    ("quarenta", Tens(40)),
    ("cinquenta", Tens(50)),
    ("sessenta", Tens(60)),
    ("setenta", Tens(70)),
    ("oitenta", Tens(80)),
    ("noventa", Tens(90)),
    ("cem", Hundreds(1)),
    ("cento", Hundreds(1)),
    ("duzentos", Hundreds(2)),
    ("trezentos", Hundreds(3)),
    ("quatrocentos", Hundreds(4)),
    ("quinhentos", Hundreds(5)),
    ("seiscentos", Hundreds(6)),
    ("setecentos", Hundreds(7)),
    ("oitocentos", Hundreds(8)),
    ("novecentos", Hundreds(9)),
    ("duplo", Times(2)),
    ("dobro", Times(2)),
    ("triplo", Times(3)),
];

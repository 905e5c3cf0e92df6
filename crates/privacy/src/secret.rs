//! Passwords after the words that name them, and keys by their form.

use std::ops::Range;

use crate::cue::{Cue, CueKind};
use crate::kind::{Found, Kind};
use crate::reading::{Token, What};

/// The beginnings of keys that vendors hand out, and how much follows at least.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-", 16),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("pk_live_", 10),
    ("whsec_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xapp-", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("SG.", 20),
    ("hf_", 20),
    ("npm_", 20),
    ("pypi-", 20),
    ("dop_v1_", 20),
    ("shpat_", 20),
    ("eyJ", 30), // a JWT: {" in base64
];

/// The shortest bearer token that is one by its length, in characters.
const BEARER_MIN: usize = 12;

/// The longest spoken password, in words.
const WORDS_MAX: usize = 8;

/// Everything of the kind in a text. `asked` is what the text answers.
pub(crate) fn secrets(
    text: &str,
    tokens: &[Token],
    cues: &[Cue],
    asked: Option<CueKind>,
) -> Vec<Found> {
    let mut found = keys(text);
    let mut done = 0;
    for cue in cues {
        // A phrase inside of what is masked says nothing more, and is not searched twice.
        if tokens[cue.start].place.start < done {
            continue;
        }
        let kind = match cue.kind {
            CueKind::Password => Kind::Password,
            CueKind::Key => Kind::AccessKey,
            CueKind::Pin => Kind::Pin,
            CueKind::OneTime => Kind::OneTimeCode,
            _ => continue,
        };
        let is_spoken = matches!(cue.kind, CueKind::Password | CueKind::Key);
        let place = labeled(text, tokens, cue)
            .or_else(|| is_spoken.then(|| said(text, tokens, cue)).flatten());
        if let Some(place) = place {
            done = place.end;
            found.push(Found::new(kind, place.start, place.end));
        }
    }
    if asked == Some(CueKind::Password) && found.is_empty() {
        found.extend(answer(text, tokens).map(|at| Found::new(Kind::Password, at.start, at.end)));
    }
    found
}

/// Characters of which keys are made.
fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'~')
}

/// Keys by their form, wherever they stand.
fn keys(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let mut after_bearer = false;
    while at < bytes.len() {
        if !is_key_byte(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_key_byte(bytes[at]) {
            at += 1;
        }
        let mut end = at;
        while at < bytes.len() && bytes[at] == b'=' {
            at += 1;
            end = at;
        }
        let piece = text[start..end].trim_end_matches('.');
        let end = start + piece.len();
        let is_key = PREFIXES.iter().any(|(prefix, length)| {
            piece
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.len() >= *length)
        });
        let is_bearer = after_bearer && is_token(piece);
        if is_key || is_bearer {
            found.push(Found::new(Kind::AccessKey, start, end));
        }
        after_bearer = ["bearer", "basic"]
            .iter()
            .any(|word| piece.eq_ignore_ascii_case(word));
    }
    found.extend(private_key(text));
    found.extend(user_and_password(text));
    found
}

/// What follows "Bearer" and is no word.
fn is_token(piece: &str) -> bool {
    let has_digit = piece.bytes().any(|byte| byte.is_ascii_digit());
    piece.len() >= BEARER_MIN && (has_digit || piece.bytes().any(|byte| byte.is_ascii_uppercase()))
}

/// A private key in PEM, to its end or that of the text.
fn private_key(text: &str) -> Option<Found> {
    let head = text.find("PRIVATE KEY-----")?;
    let start = text[..head].rfind("-----BEGIN")?;
    let body = head + "PRIVATE KEY-----".len();
    let end = text[body..]
        .find("PRIVATE KEY-----")
        .map_or(text.len(), |end| body + end + "PRIVATE KEY-----".len());
    Some(Found::new(Kind::AccessKey, start, end))
}

/// `https://user:password@host`: the user and the password.
fn user_and_password(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        let end = text[start..]
            .find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '"' | '?'))
            .map_or(text.len(), |end| start + end);
        if let Some(at) = text[start..end].rfind('@')
            && text[start..start + at].contains(':')
        {
            found.push(Found::new(Kind::Password, start, start + at));
        }
        from = end.max(start);
    }
    found
}

/// `password: x`, `"api_key": "x"`, `token=x`: the value behind a label.
fn labeled(text: &str, tokens: &[Token], cue: &Cue) -> Option<Range<usize>> {
    let label_end = tokens[cue.end - 1].place.end;
    let rest = &text[label_end..];
    let sign = rest.trim_start_matches(['"', '\'', '\\', ' ']);
    let after = sign.strip_prefix([':', '='])?;
    let value = after.trim_start_matches([' ', '\\']);
    let mut start = text.len() - value.len();
    let quote = value
        .chars()
        .next()
        .filter(|letter| matches!(letter, '"' | '\''));
    let length = if let Some(quote) = quote {
        start += 1;
        quoted_length(&value[1..], quote)
    } else {
        let length = value
            .find(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '&' | '}'))
            .unwrap_or(value.len());
        if is_no_value(value.get(..length).unwrap_or("")) || !has_value(&value[..length]) {
            return None;
        }
        // A PIN has digits; a word behind "PIN:" is none.
        let is_word = value[..length]
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic());
        if is_word && matches!(cue.kind, CueKind::Pin | CueKind::OneTime) {
            return None;
        }
        length
    };
    let value = &text[start..start + length];
    let is_empty = value.is_empty() || value.starts_with('[') || value.bytes().all(|b| b == b'*');
    // "Authorization: Bearer x" and the like are found as keys.
    let is_scheme = ["bearer", "basic"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    (!is_empty && !is_scheme).then(|| start..start + length)
}

fn has_value(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// To the closing quote, or the end.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if letter == '\\' {
            is_escaped = true;
            // The quote of JSON inside of JSON ends with its escape.
            if text[at + 1..].starts_with(quote) {
                return at;
            }
        } else if letter == quote {
            return at;
        }
    }
    text.len()
}

/// "My password is x": the words after a form of "to be", to the end of the clause.
fn said(text: &str, tokens: &[Token], cue: &Cue) -> Option<Range<usize>> {
    const IS: &[&str] = &[
        "is", "s", "es", "ist", "lautet", "est", "e", "sera", "equals",
    ];
    /// "My password for the portal is ..": words up to the form of "to be".
    const BETWEEN_MAX: usize = 6;
    let after = &tokens[cue.end..];
    let is_clause = |from: usize, to: usize| !ends_clause(&text[from..to]);
    // "La clave es" has its own in it.
    let ends_with_is = tokens[cue.end - 1].folded() == "es" && cue.end - cue.start > 1;
    let is_at = if ends_with_is {
        Some(0)
    } else {
        after
            .iter()
            .take(BETWEEN_MAX)
            .position(|token| IS.contains(&token.folded()))
            .map(|at| at + 1)
    };
    let Some(at) = is_at.filter(|at| {
        let from = tokens[cue.end - 1].place.end;
        after
            .get(*at)
            .is_some_and(|token| is_clause(from, token.place.start))
    }) else {
        // Without it only what is no word: "password hunter2".
        let next = after.first()?;
        let touches = text[tokens[cue.end - 1].place.end..next.place.start]
            .chars()
            .all(|letter| matches!(letter, ' ' | '"' | '\''));
        return (matches!(next.what, What::Mixed(_)) && touches).then(|| word_around(text, next));
    };
    let value = &after[at..];
    if value
        .first()
        .is_none_or(|token| is_no_value(token.folded()))
    {
        return None;
    }
    clause(text, value)
}

/// The whole text, when it is short enough to be the password that was asked for.
fn answer(text: &str, tokens: &[Token]) -> Option<Range<usize>> {
    const INTROS: &[&str] = &[
        "it", "s", "is", "its", "yes", "yeah", "sure", "okay", "ok", "um", "uh", "es", "si", "ja",
        "das", "ist", "c", "est", "oui", "sim", "e", "so", "my", "password", "the", "well",
    ];
    let skip = tokens
        .iter()
        .take_while(|token| INTROS.contains(&token.folded()))
        .count();
    let value = &tokens[skip..];
    let first = value.first()?;
    if value.len() > WORDS_MAX || is_no_value(first.folded()) || text.trim_end().ends_with('?') {
        return None;
    }
    clause(text, value)
}

/// From the first of the tokens to the end of its clause, or of as many words as a password has.
fn clause(text: &str, tokens: &[Token]) -> Option<Range<usize>> {
    let first = tokens.first()?;
    let mut end = first.place.end;
    for pair in tokens.windows(2).take(WORDS_MAX - 1) {
        if ends_clause(&text[pair[0].place.end..pair[1].place.start]) {
            break;
        }
        end = pair[1].place.end;
    }
    let last = tokens.iter().rfind(|token| token.place.end == end)?;
    Some(word_around(text, first).start..word_around(text, last).end)
}

/// True when a sentence or a part of one ends between two words.
fn ends_clause(between: &str) -> bool {
    let mut letters = between.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_mark = matches!(letter, ',' | ';' | '.' | '?' | '!' | '\n' | '}');
        if is_mark && letters.peek().is_none_or(|next| next.is_whitespace()) {
            return true;
        }
    }
    false
}

/// A word with the marks that touch it, as passwords have them: `p@ss!word`.
fn word_around(text: &str, token: &Token) -> Range<usize> {
    let is_part = |letter: char| {
        !letter.is_whitespace() && !matches!(letter, '"' | '\'' | ',' | ';' | '(' | ')' | '}' | ':')
    };
    let start = text[..token.place.start]
        .char_indices()
        .rev()
        .take_while(|(_, letter)| is_part(*letter))
        .last()
        .map_or(token.place.start, |(at, _)| at);
    let rest = &text[token.place.end..];
    let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    let after = rest[..length].trim_end_matches(['.', '?', '!']);
    start..token.place.end + after.len()
}

/// Words with which something is said of a password, and not the password.
fn is_no_value(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "",
        "a",
        "about",
        "active",
        "again",
        "already",
        "also",
        "always",
        "an",
        "and",
        "any",
        "at",
        "being",
        "blocked",
        "broken",
        "case",
        "changed",
        "confidential",
        "correct",
        "different",
        "disabled",
        "enough",
        "exactly",
        "expired",
        "false",
        "fine",
        "for",
        "from",
        "gone",
        "good",
        "hidden",
        "i",
        "if",
        "in",
        "incorrect",
        "invalid",
        "it",
        "just",
        "less",
        "like",
        "locked",
        "long",
        "lost",
        "missing",
        "more",
        "my",
        "needed",
        "never",
        "no",
        "none",
        "not",
        "nothing",
        "now",
        "null",
        "of",
        "ok",
        "okay",
        "old",
        "on",
        "only",
        "or",
        "our",
        "out",
        "please",
        "private",
        "required",
        "reset",
        "right",
        "safe",
        "same",
        "saved",
        "secret",
        "sent",
        "set",
        "short",
        "so",
        "something",
        "still",
        "strong",
        "stored",
        "that",
        "the",
        "there",
        "this",
        "to",
        "too",
        "true",
        "undefined",
        "unknown",
        "used",
        "very",
        "weak",
        "what",
        "when",
        "where",
        "which",
        "with",
        "working",
        "wrong",
        "you",
        "your",
        "yours",
        "yes",
        "sorry",
        "can",
        "could",
        "do",
        "don",
        "dont",
        "why",
        "we",
        "they",
        "forgotten",
        "forgot",
        // Spanish
        "ahora",
        "al",
        "bloqueada",
        "caducada",
        "caducado",
        "con",
        "correcta",
        "correcto",
        "de",
        "del",
        "el",
        "en",
        "erronea",
        "esta",
        "incorrecta",
        "incorrecto",
        "invalida",
        "la",
        "lo",
        "los",
        "mi",
        "muy",
        "nada",
        "nueva",
        "obligatoria",
        "para",
        "por",
        "que",
        "segura",
        "su",
        "tu",
        "un",
        "una",
        "valida",
        "perdon",
        // German
        "abgelaufen",
        "aber",
        "auch",
        "das",
        "dem",
        "den",
        "der",
        "die",
        "ein",
        "eine",
        "einem",
        "falsch",
        "fur",
        "gesperrt",
        "gultig",
        "ich",
        "immer",
        "ist",
        "jetzt",
        "kein",
        "mein",
        "nicht",
        "noch",
        "nur",
        "richtig",
        "schon",
        "sehr",
        "sicher",
        "ungultig",
        "vergessen",
        "weg",
        "wichtig",
        "zu",
        "bitte",
        // French
        "avec",
        "bloque",
        "ce",
        "dans",
        "est",
        "expire",
        "faux",
        "il",
        "incorrect",
        "je",
        "le",
        "les",
        "mon",
        "ne",
        "non",
        "obligatoire",
        "pas",
        "plus",
        "pour",
        "perdu",
        "sur",
        "toujours",
        "tres",
        "trop",
        "une",
        "valide",
        "votre",
        "oublie",
        "pardon",
        // Portuguese
        "agora",
        "bloqueada",
        "com",
        "correta",
        "da",
        "do",
        "errada",
        "expirada",
        "expirou",
        "incorreta",
        "invalida",
        "isso",
        "mais",
        "meu",
        "minha",
        "muito",
        "na",
        "nao",
        "o",
        "os",
        "obrigatoria",
        "segura",
        "sua",
        "uma",
        "desculpe",
        "oui",
        "si",
        "sim",
        "ja",
        "nein",
    ];
    let word = crate::fold::fold(word);
    WORDS.contains(&word.as_str())
        || word.ends_with("ing") && word.len() > 5
        || word.ends_with("ed") && word.len() > 5
}

#[cfg(test)]
mod tests;

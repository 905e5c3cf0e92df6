//! The form of a playbook's file: every key, what it may hold, and what it means.
//!
//! The reader in the hub, the JSON Schema and the page for operators are all made from this one
//! description; the values are those of [`holdfast_domain::playbook`], whose spelling a test holds
//! it to. Deliberately absent: rules between keys, which are the reader's.

mod act;
mod tables;
mod words;

pub use tables::PLAYBOOK;

/// The largest file in bytes: the largest that ships has 10 kB, and forty languages instead of
/// five would make it 80.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// How deep tables and lists may lie in one another; a whole playbook needs seven.
pub const DEPTH_MAX: usize = 12;

/// A table with known keys.
#[derive(Debug)]
pub struct TableForm {
    /// What it is, with its article: `a stage`.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its keys, in the order in which people read them.
    pub fields: &'static [Field],
}

/// A key and what may stand behind it.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What may stand there.
    pub form: Form,
    /// The file is not whole without it.
    pub is_required: bool,
    /// What it means: a sentence or two.
    pub doc: &'static str,
}

/// What may stand at a place.
#[derive(Debug)]
pub enum Form {
    /// Text of some kind.
    Text(TextForm),
    /// A whole number.
    Number(NumberForm),
    /// true or false.
    Flag,
    /// One word of a closed list.
    Words(&'static [Word]),
    /// A list.
    List(ListForm),
    /// A table with known keys.
    Table(&'static TableForm),
    /// A table whose keys are names.
    Map(MapForm),
    /// A table whose other keys follow from one word in it.
    Tagged(&'static TaggedForm),
    /// A word, or a table with exactly one of some keys.
    Choice(ChoiceForm),
}

/// What kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// A name within the file: `a-z`, `0-9` and `-`, a letter first.
    Id,
    /// A language: BCP 47, like `en` or `pt-BR`.
    Language,
    /// One line for people.
    Line,
    /// A sentence that a caller hears, with places for values that can be spoken.
    Spoken,
    /// A message for people, with places for values.
    Message,
}

/// Text.
#[derive(Debug, Clone, Copy)]
pub struct TextForm {
    /// What kind.
    pub kind: TextKind,
    /// The most characters.
    pub chars_max: usize,
}

/// A whole number.
#[derive(Debug, Clone, Copy)]
pub struct NumberForm {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
    /// What is counted.
    pub unit: &'static str,
}

/// A word of a closed list.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// As it stands in the file.
    pub word: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A list.
#[derive(Debug, Clone, Copy)]
pub struct ListForm {
    /// What stands in it.
    pub of: &'static Form,
    /// The fewest.
    pub min: usize,
    /// The most.
    pub max: usize,
}

/// A table whose keys are names.
#[derive(Debug, Clone, Copy)]
pub struct MapForm {
    /// The kind of its keys.
    pub key: TextForm,
    /// What stands behind each.
    pub of: &'static Form,
    /// The most.
    pub max: usize,
}

/// A table whose other keys follow from one word in it.
#[derive(Debug)]
pub struct TaggedForm {
    /// What it is, with its article: `an action`.
    pub name: &'static str,
    /// The key of the word.
    pub tag: &'static str,
    /// The words, each with its keys.
    pub variants: &'static [Variant],
}

/// One of the tables that a tag chooses.
#[derive(Debug)]
pub struct Variant {
    /// The word behind the tag.
    pub word: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its other keys.
    pub fields: &'static [Field],
}

/// A word, or a table with exactly one of some keys.
#[derive(Debug, Clone, Copy)]
pub struct ChoiceForm {
    /// The words.
    pub words: &'static [Word],
    /// The keys.
    pub keyed: &'static [Field],
}

impl TextKind {
    /// True if the text is of this kind, its length apart. Templates are read elsewhere.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Id => {
                text.starts_with(|first: char| first.is_ascii_lowercase())
                    && text.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
                    })
            }
            Self::Language => {
                let mut parts = text.split('-');
                let primary = parts.next().unwrap_or_default();
                let is_word = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
                (2..=3).contains(&primary.len())
                    && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
                    && parts.all(|part| (2..=8).contains(&part.len()) && is_word(part))
            }
            Self::Line | Self::Spoken => {
                !text.trim().is_empty() && !text.contains(char::is_control)
            }
            Self::Message => {
                !text.trim().is_empty()
                    && !text.contains(|letter: char| letter.is_control() && letter != '\n')
            }
        }
    }

    /// What a text of this kind is, for people.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Id => "a name: small letters a to z, digits and hyphens, a letter first",
            Self::Language => "a language tag like en, de or pt-BR",
            Self::Line => "one line of text",
            Self::Spoken => "one spoken sentence",
            Self::Message => "a message",
        }
    }
}

impl Form {
    /// What may stand here, for people: `a number from 1 to 100 (percent)`.
    pub fn told(&self) -> String {
        match self {
            Self::Text(text) => format!(
                "{}, at most {} characters",
                text.kind.told(),
                text.chars_max
            ),
            Self::Number(number) => format!(
                "a whole number from {} to {} ({})",
                number.min, number.max, number.unit
            ),
            Self::Flag => "true or false".to_owned(),
            Self::Words(words) => format!("one of {}", quoted_words(words)),
            Self::List(list) => format!(
                "a list of {} to {}, each {}",
                list.min,
                list.max,
                list.of.told()
            ),
            Self::Table(table) => format!("a table: {}", table.name),
            Self::Map(map) => format!("a table whose keys are each {}", map.key.kind.told()),
            Self::Tagged(tagged) => format!("a table with {}: {}", tagged.tag, tagged.name),
            Self::Choice(choice) => {
                let keys: Vec<String> = choice
                    .keyed
                    .iter()
                    .map(|field| format!("{{ {} = .. }}", field.key))
                    .collect();
                format!("{} or {}", quoted_words(choice.words), keys.join(" or "))
            }
        }
    }
}

fn quoted_words(words: &[Word]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("{:?}", word.word))
        .collect();
    words.join(", ")
}

/// A key that must be there.
const fn field(key: &'static str, form: Form, doc: &'static str) -> Field {
    Field {
        key,
        form,
        is_required: true,
        doc,
    }
}

/// A key that may be left out.
const fn optional(key: &'static str, form: Form, doc: &'static str) -> Field {
    Field {
        key,
        form,
        is_required: false,
        doc,
    }
}

const fn text(kind: TextKind, chars_max: usize) -> Form {
    Form::Text(TextForm { kind, chars_max })
}

const fn number(min: u32, max: u32, unit: &'static str) -> Form {
    Form::Number(NumberForm { min, max, unit })
}

const fn list(of: &'static Form, min: usize, max: usize) -> Form {
    Form::List(ListForm { of, min, max })
}

#[cfg(test)]
mod tests;

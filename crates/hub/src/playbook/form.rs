//! Holds a file to the form of a playbook, place by place.

use holdfast_domain::playbook::{Placeholder, Template, TemplateError};
use holdfast_protocol::playbook::{
    ChoiceForm, Field, Form, MapForm, NumberForm, TaggedForm, TextForm, TextKind, Word,
};
use toml::de::{DeTable, DeValue};

use super::fault::{FaultKind, FormFault, SentenceFault};
use super::place::{Value, told};
use super::words::{nearest, quoted};

/// What was found, each at its byte.
pub(super) type Found = Vec<(usize, FaultKind)>;

/// One walk over a file.
pub(super) struct Walk<'t> {
    /// The file, for places within a text.
    text: &'t str,
    pub(super) found: Found,
}

impl<'t> Walk<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    fn fault(&mut self, byte: usize, kind: impl Into<FaultKind>) {
        self.found.push((byte, kind.into()));
    }

    /// A table with known keys; `byte` is where it stands. `tag`: a key that was read already.
    pub(super) fn table(
        &mut self,
        table: &DeTable<'_>,
        byte: usize,
        fields: &'static [Field],
        inside: &'static str,
        tag: Option<&str>,
    ) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if tag == Some(name) {
                continue;
            }
            if let Some(field) = fields.iter().find(|field| field.key == name) {
                self.value(value, &field.form, field.key);
            } else {
                let keys: Vec<&str> = fields.iter().map(|field| field.key).collect();
                self.fault(
                    key.span().start,
                    FormFault::UnknownKey {
                        key: name.to_owned(),
                        inside,
                        nearest: nearest(name, keys.iter().copied()).map(str::to_owned),
                        keys: keys.join(", "),
                    },
                );
            }
        }
        for field in fields.iter().filter(|field| field.is_required) {
            if !table.contains_key(field.key) {
                self.fault(
                    byte,
                    FormFault::MissingKey {
                        key: field.key,
                        inside,
                        doc: field.doc,
                        is: field.form.told(),
                    },
                );
            }
        }
    }

    /// A value; `key` names it in messages.
    fn value(&mut self, value: &Value<'_>, form: &'static Form, key: &str) {
        let byte = value.span().start;
        match (form, value.get_ref()) {
            (Form::Text(form), DeValue::String(text)) => self.text(text, value, *form, key),
            (Form::Number(form), DeValue::Integer(_) | DeValue::Float(_)) => {
                self.number(value, *form, key);
            }
            (Form::Flag, DeValue::Boolean(_)) => {}
            (Form::Words(words), DeValue::String(text)) => self.word(text, byte, words, key),
            (Form::List(form), DeValue::Array(list)) => {
                if !(form.min..=form.max).contains(&list.len()) {
                    self.fault(
                        byte,
                        FormFault::WrongCount {
                            key: key.to_owned(),
                            found: list.len(),
                            min: form.min,
                            max: form.max,
                        },
                    );
                }
                // What is over the limit is not told one by one.
                for entry in list.iter().take(form.max) {
                    self.value(entry, form.of, key);
                }
            }
            (Form::Table(form), DeValue::Table(table)) => {
                self.table(table, byte, form.fields, form.name, None);
            }
            (Form::Map(form), DeValue::Table(table)) => self.map(table, byte, *form, key),
            (Form::Tagged(form), DeValue::Table(table)) => self.tagged(table, byte, form),
            (Form::Choice(form), DeValue::String(text)) => {
                self.choice_word(text, byte, *form, key);
            }
            (Form::Choice(form), DeValue::Table(table)) => {
                self.choice_table(table, byte, *form, key);
            }
            (form, found) => self.fault(
                byte,
                FormFault::WrongType {
                    key: key.to_owned(),
                    found: told(found),
                    expected: form.told(),
                },
            ),
        }
    }

    fn number(&mut self, value: &Value<'_>, form: NumberForm, key: &str) {
        let (found, number) = match value.get_ref() {
            DeValue::Integer(integer) => (
                integer.to_string(),
                i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            ),
            other => (told(other).to_owned(), None),
        };
        let range = i64::from(form.min)..=i64::from(form.max);
        if !number.is_some_and(|number| range.contains(&number)) {
            self.fault(
                value.span().start,
                FormFault::OutOfRange {
                    key: key.to_owned(),
                    found: quoted(&found).trim_matches('"').to_owned(),
                    expected: Form::Number(form).told(),
                },
            );
        }
    }

    fn text(&mut self, text: &str, value: &Value<'_>, form: TextForm, key: &str) {
        let byte = value.span().start;
        let chars = text.chars().count();
        if chars > form.chars_max {
            self.fault(
                byte,
                FormFault::TooLong {
                    key: key.to_owned(),
                    chars,
                    chars_max: form.chars_max,
                },
            );
        } else if !form.kind.fits(text) {
            self.fault(
                byte,
                FormFault::WrongText {
                    key: key.to_owned(),
                    text: text.to_owned(),
                    expected: Form::Text(form).told(),
                },
            );
        } else if matches!(form.kind, TextKind::Spoken | TextKind::Message) {
            self.template(text, value, form.kind == TextKind::Spoken);
        }
    }

    /// A sentence with places for values: every fault in it, not only the first.
    fn template(&mut self, text: &str, value: &Value<'_>, is_spoken: bool) {
        let mut rest = text;
        // Everything before a fault is right, so the search goes on behind it.
        loop {
            match Template::parse(rest) {
                Ok(template) => {
                    if is_spoken {
                        self.unspoken(&template, value);
                    }
                    return;
                }
                Err(error) => {
                    let (at, after, kind) = match error {
                        TemplateError::Unclosed { at } | TemplateError::Unopened { at } => {
                            (at, at + 1, SentenceFault::OpenBrace)
                        }
                        TemplateError::Unknown { at, word } => {
                            let after = at + word.len() + 1;
                            let near = nearest(&word, known(is_spoken));
                            let kind = SentenceFault::UnknownPlaceholder {
                                nearest: near.map(str::to_owned),
                                known: known_told(is_spoken),
                                word,
                            };
                            (at, after, kind)
                        }
                    };
                    // What stands before the fault may still hold what is not spoken.
                    let whole = rest[..at].trim_end_matches('{');
                    if is_spoken && let Ok(template) = Template::parse(whole) {
                        self.unspoken(&template, value);
                    }
                    let byte = self.byte_in(value, text, text.len() - rest.len() + at);
                    self.fault(byte, kind);
                    rest = &rest[after..];
                }
            }
        }
    }

    fn unspoken(&mut self, template: &Template, value: &Value<'_>) {
        for placeholder in template.placeholders().filter(|value| !value.is_spoken()) {
            let word = placeholder.as_str();
            let byte = self.byte_of_word(value, word);
            self.fault(
                byte,
                SentenceFault::UnspokenPlaceholder {
                    word: word.to_owned(),
                    known: known_told(true),
                },
            );
        }
    }

    /// Where a byte of a text stands in the file. With escapes in it, where the text begins.
    fn byte_in(&self, value: &Value<'_>, text: &str, at: usize) -> usize {
        let span = value.span();
        let raw = self.text.get(span.clone()).unwrap_or_default();
        raw.find(text)
            .filter(|_| !text.is_empty())
            .map_or(span.start, |begin| span.start + begin + at)
    }

    fn byte_of_word(&self, value: &Value<'_>, word: &str) -> usize {
        let span = value.span();
        let raw = self.text.get(span.clone()).unwrap_or_default();
        raw.find(&format!("{{{word}}}"))
            .map_or(span.start, |begin| span.start + begin + 1)
    }

    fn word(&mut self, text: &str, byte: usize, words: &'static [Word], key: &str) {
        if words.iter().all(|word| word.word != text) {
            self.unknown_word(text, byte, words.iter().map(|word| word.word), key);
        }
    }

    fn unknown_word(
        &mut self,
        text: &str,
        byte: usize,
        words: impl Iterator<Item = &'static str> + Clone,
        key: &str,
    ) {
        let told: Vec<String> = words.clone().map(|word| format!("\"{word}\"")).collect();
        self.fault(
            byte,
            FormFault::UnknownWord {
                key: key.to_owned(),
                word: text.to_owned(),
                nearest: nearest(text, words).map(str::to_owned),
                words: told.join(", "),
            },
        );
    }

    fn map(&mut self, table: &DeTable<'_>, byte: usize, form: MapForm, key: &str) {
        if table.len() > form.max {
            self.fault(
                byte,
                FormFault::WrongCount {
                    key: key.to_owned(),
                    found: table.len(),
                    min: 0,
                    max: form.max,
                },
            );
        }
        for (name, value) in table.iter().take(form.max) {
            let text: &str = name.get_ref();
            if text.chars().count() > form.key.chars_max || !form.key.kind.fits(text) {
                self.fault(
                    name.span().start,
                    FormFault::WrongText {
                        key: format!("a key of {key}"),
                        text: text.to_owned(),
                        expected: Form::Text(form.key).told(),
                    },
                );
            } else {
                self.value(value, form.of, &format!("{key}.{text}"));
            }
        }
    }

    fn tagged(&mut self, table: &DeTable<'_>, byte: usize, form: &'static TaggedForm) {
        let words = form.variants.iter().map(|variant| variant.word);
        let Some(tag) = table.get(form.tag) else {
            let told: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
            self.fault(
                byte,
                FormFault::MissingKey {
                    key: form.tag,
                    inside: form.name,
                    doc: "It says which kind is meant.",
                    is: format!("one of {}", told.join(", ")),
                },
            );
            return;
        };
        let DeValue::String(word) = tag.get_ref() else {
            self.fault(
                tag.span().start,
                FormFault::WrongType {
                    key: form.tag.to_owned(),
                    found: told(tag.get_ref()),
                    expected: "a word in quotation marks".to_owned(),
                },
            );
            return;
        };
        match form.variants.iter().find(|variant| variant.word == word) {
            Some(variant) => {
                self.table(table, byte, variant.fields, variant.word, Some(form.tag));
            }
            None => self.unknown_word(word, tag.span().start, words, form.tag),
        }
    }

    fn choice_word(&mut self, text: &str, byte: usize, form: ChoiceForm, key: &str) {
        if form.words.iter().any(|word| word.word == text) {
            return;
        }
        if form.keyed.iter().any(|field| field.key == text) {
            let expected = Form::Choice(form).told();
            let key = key.to_owned();
            return self.fault(byte, FormFault::NotOneKey { key, expected });
        }
        self.unknown_word(text, byte, form.words.iter().map(|word| word.word), key);
    }

    fn choice_table(&mut self, table: &DeTable<'_>, byte: usize, form: ChoiceForm, key: &str) {
        let mut entries = table.iter();
        if let (Some((name, value)), None) = (entries.next(), entries.next())
            && let Some(field) = form.keyed.iter().find(|field| name.get_ref() == field.key)
        {
            return self.value(value, &field.form, field.key);
        }
        self.fault(
            byte,
            FormFault::NotOneKey {
                key: key.to_owned(),
                expected: Form::Choice(form).told(),
            },
        );
    }
}

/// The values that a sentence may have.
fn known(is_spoken: bool) -> impl Iterator<Item = &'static str> {
    Placeholder::ALL
        .into_iter()
        .filter(move |value| value.is_spoken() || !is_spoken)
        .map(Placeholder::as_str)
}

fn known_told(is_spoken: bool) -> String {
    let told: Vec<String> = known(is_spoken).map(|word| format!("{{{word}}}")).collect();
    told.join(", ")
}

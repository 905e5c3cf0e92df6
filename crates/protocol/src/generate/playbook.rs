//! Writes what bridge authors and operators read of a playbook's file, from the form of it.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};

use crate::playbook::{Field, Form, PLAYBOOK, TableForm, TaggedForm, TextKind, Word};

/// The name of the file that [`playbook_schema`] writes.
pub const PLAYBOOK_SCHEMA_FILE: &str = "playbook.schema.json";
/// The page whose reference [`playbook_page`] writes.
pub const PLAYBOOK_PAGE: &str = "playbooks.md";

/// Between these lines of the page stands what is generated.
const BEGIN: &str = "<!-- generated from here: cargo xtask generate -->";
const END: &str = "<!-- generated to here -->";

/// Writes the JSON Schema of a playbook's file into `folder`, which must exist.
pub fn playbook_schema(folder: &Path) -> io::Result<()> {
    let mut schema = Map::from_iter([
        (
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title".to_owned(), json!("A playbook")),
    ]);
    if let Value::Object(root) = table(PLAYBOOK.fields, PLAYBOOK.doc, None) {
        schema.extend(root);
    }
    let schema = Value::Object(schema);
    fs::write(folder.join(PLAYBOOK_SCHEMA_FILE), format!("{schema:#}\n"))
}

/// Writes the reference of all keys into the page in `folder`, between its two marks.
pub fn playbook_page(folder: &Path) -> io::Result<()> {
    let path = folder.join(PLAYBOOK_PAGE);
    let page = fs::read_to_string(&path)?;
    let parts = page
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return Err(io::Error::other(format!(
            "{} has lost its marks: {BEGIN} and {END}",
            path.display()
        )));
    };
    let reference = reference();
    fs::write(
        path,
        format!("{before}{BEGIN}\n\n{reference}\n{END}{after}"),
    )
}

// === schema ===

fn table(fields: &[Field], doc: &str, tag: Option<(&str, &str)>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some((tag, word)) = tag {
        properties.insert(tag.to_owned(), json!({ "const": word }));
        required.push(tag);
    }
    for field in fields {
        let mut schema = schema_of(&field.form);
        schema["description"] = json!(field.doc);
        properties.insert(field.key.to_owned(), schema);
        if field.is_required {
            required.push(field.key);
        }
    }
    json!({
        "type": "object",
        "description": doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn schema_of(form: &Form) -> Value {
    match form {
        Form::Text(text) => {
            let mut schema = json!({
                "type": "string", "minLength": 1, "maxLength": text.chars_max,
            });
            if let Some(pattern) = pattern(text.kind) {
                schema["pattern"] = json!(pattern);
            }
            schema
        }
        Form::Number(number) => {
            json!({ "type": "integer", "minimum": number.min, "maximum": number.max })
        }
        Form::Flag => json!({ "type": "boolean" }),
        Form::Words(words) => words_schema(words),
        Form::List(list) => json!({
            "type": "array",
            "items": schema_of(list.of),
            "minItems": list.min,
            "maxItems": list.max,
        }),
        Form::Table(form) => table(form.fields, form.doc, None),
        Form::Map(map) => json!({
            "type": "object",
            "propertyNames": schema_of(&Form::Text(map.key)),
            "additionalProperties": schema_of(map.of),
            "maxProperties": map.max,
        }),
        Form::Tagged(tagged) => {
            let variants = tagged.variants.iter().map(|variant| {
                table(
                    variant.fields,
                    variant.doc,
                    Some((tagged.tag, variant.word)),
                )
            });
            json!({ "oneOf": variants.collect::<Vec<_>>() })
        }
        Form::Choice(choice) => {
            let mut ways = vec![words_schema(choice.words)];
            for field in choice.keyed {
                let mut properties = Map::new();
                properties.insert(field.key.to_owned(), schema_of(&field.form));
                ways.push(json!({
                    "type": "object",
                    "description": field.doc,
                    "properties": properties,
                    "required": [field.key],
                    "additionalProperties": false,
                }));
            }
            json!({ "oneOf": ways })
        }
    }
}

fn words_schema(words: &[Word]) -> Value {
    let words: Vec<&str> = words.iter().map(|word| word.word).collect();
    json!({ "type": "string", "enum": words })
}

const fn pattern(kind: TextKind) -> Option<&'static str> {
    match kind {
        TextKind::Id => Some("^[a-z][a-z0-9-]*$"),
        TextKind::Language => Some("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
        TextKind::Line | TextKind::Spoken => Some("^[^\\u0000-\\u001f\\u007f]*$"),
        TextKind::Message => None,
    }
}

// === page ===

/// Everything that a file can say, table by table.
fn reference() -> String {
    let mut sections = Sections::default();
    sections.table("The file", &PLAYBOOK);
    while let Some((title, next)) = sections.ahead.pop() {
        match next {
            Next::Table(form) => sections.table(&title, form),
            Next::Tagged(form) => sections.tagged(&title, form),
        }
    }
    sections.text.trim_end().to_owned() + "\n"
}

/// A table that was named and is explained later.
enum Next {
    Table(&'static TableForm),
    Tagged(&'static TaggedForm),
}

#[derive(Default)]
struct Sections {
    text: String,
    /// Explained next, the last one first.
    ahead: Vec<(String, Next)>,
    /// What is explained once and named in two places.
    told: Vec<&'static str>,
}

impl Sections {
    fn table(&mut self, title: &str, form: &'static TableForm) {
        self.line(&format!("### {title}\n\n{}\n", form.doc));
        self.keys(title, form.fields);
    }

    fn tagged(&mut self, title: &str, form: &'static TaggedForm) {
        if self.told.contains(&form.name) {
            return;
        }
        self.told.push(form.name);
        self.line(&format!("### {title}\n"));
        for variant in form.variants {
            self.line(&format!(
                "`{} = \"{}\"`: {}\n",
                form.tag, variant.word, variant.doc
            ));
            if !variant.fields.is_empty() {
                self.keys(title, variant.fields);
            }
        }
    }

    fn keys(&mut self, title: &str, fields: &'static [Field]) {
        self.line("| Key | Is | Means |\n|---|---|---|");
        let mut found = Vec::new();
        for field in fields {
            let need = if field.is_required { "" } else { "optional: " };
            let is = told(&field.form).replace('|', "\\|");
            let words = words_told(&field.form);
            self.line(&format!(
                "| `{}` | {need}{is} | {}{words} |",
                field.key, field.doc
            ));
            let inside = if title == "The file" {
                format!("`{}`", field.key)
            } else {
                format!("{title}, `{}`", field.key)
            };
            found.extend(below(&field.form).map(|next| (inside, next)));
        }
        self.line("");
        self.ahead.extend(found.into_iter().rev());
    }

    fn line(&mut self, text: &str) {
        // A string only grows.
        let _ = writeln!(self.text, "{text}");
    }
}

/// The table that stands at this place, or in the list or map at this place.
fn below(form: &'static Form) -> Option<Next> {
    match form {
        Form::Table(form) => Some(Next::Table(form)),
        Form::Tagged(form) => Some(Next::Tagged(form)),
        Form::List(list) => below(list.of),
        Form::Map(map) => below(map.of),
        Form::Text(_) | Form::Number(_) | Form::Flag | Form::Words(_) | Form::Choice(_) => None,
    }
}

fn told(form: &Form) -> String {
    match form {
        Form::Words(words) => told_words(words),
        Form::List(list) => {
            format!("list of {} to {}: {}", list.min, list.max, told(list.of))
        }
        Form::Table(_) => "table, below".to_owned(),
        Form::Tagged(tagged) => format!("table with `{}`, below", tagged.tag),
        Form::Map(map) => format!("table: {} = {}", map.key.kind.told(), told(map.of)),
        Form::Choice(choice) => {
            let keyed = choice
                .keyed
                .iter()
                .map(|field| format!("`{{ {} = .. }}` ({})", field.key, told(&field.form)));
            let ways: Vec<String> = std::iter::once(told_words(choice.words))
                .chain(keyed)
                .collect();
            ways.join(", or ")
        }
        Form::Text(_) | Form::Number(_) | Form::Flag => form.told(),
    }
}

fn told_words(words: &[Word]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("`\"{}\"`", word.word))
        .collect();
    words.join(", ")
}

/// What each word and each keyed way means.
fn words_told(form: &Form) -> String {
    let (words, keyed): (&[Word], &[Field]) = match form {
        Form::Words(words) => (words, &[]),
        Form::Choice(choice) => (choice.words, choice.keyed),
        Form::List(list) => return words_told(list.of),
        Form::Text(_)
        | Form::Number(_)
        | Form::Flag
        | Form::Table(_)
        | Form::Map(_)
        | Form::Tagged(_) => (&[], &[]),
    };
    let mut text = String::new();
    for word in words {
        // A string only grows.
        let _ = write!(text, "<br>`{}`: {}", word.word, word.doc);
    }
    for field in keyed {
        let _ = write!(text, "<br>`{}`: {}", field.key, field.doc);
    }
    text
}

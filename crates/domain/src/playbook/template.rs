//! Sentences with places for values: `Your wait is about {wait_minutes} minutes.`

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A sentence, already taken apart. As text it is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Template {
    parts: Vec<TemplatePart>,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// As it is.
    Text(String),
    /// A value in its place.
    Value(Placeholder),
}

/// The values that a sentence can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placeholder {
    /// The predicted wait for a human, in whole minutes, at least 1.
    WaitMinutes,
    /// Minutes within which a callback is promised.
    CallbackMinutes,
    /// The playbook's title.
    Title,
    /// The playbook's owner.
    Owner,
    /// The layer, in words.
    Layer,
    /// The cause in a sentence, or that none is known.
    Cause,
    /// When the cause was first seen, as a time of day with its zone.
    Since,
    /// Live calls in scope.
    CallsInScope,
    /// Of them those that fail now.
    CallsFailing,
    /// Calls that the run has touched.
    CallsTouched,
    /// Of them those that are proven well again.
    CallsProven,
    /// Human agents who are free.
    HumansFree,
    /// Callbacks that were promised.
    CallbacksPromised,
    /// The stage that runs, from 1.
    Stage,
    /// How many stages there are.
    Stages,
    /// Minutes until the next message.
    NextUpdateMinutes,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// A brace that opens at this byte is never closed.
    Unclosed {
        /// The byte.
        at: usize,
    },
    /// A brace closes at this byte that was never opened.
    Unopened {
        /// The byte.
        at: usize,
    },
    /// No value has this name.
    Unknown {
        /// The byte of its first letter.
        at: usize,
        /// What stands between the braces.
        word: String,
    },
}

impl Placeholder {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 16] = [
        Self::WaitMinutes,
        Self::CallbackMinutes,
        Self::Title,
        Self::Owner,
        Self::Layer,
        Self::Cause,
        Self::Since,
        Self::CallsInScope,
        Self::CallsFailing,
        Self::CallsTouched,
        Self::CallsProven,
        Self::HumansFree,
        Self::CallbacksPromised,
        Self::Stage,
        Self::Stages,
        Self::NextUpdateMinutes,
    ];

    /// The name between the braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitMinutes => "wait_minutes",
            Self::CallbackMinutes => "callback_minutes",
            Self::Title => "title",
            Self::Owner => "owner",
            Self::Layer => "layer",
            Self::Cause => "cause",
            Self::Since => "since",
            Self::CallsInScope => "calls_in_scope",
            Self::CallsFailing => "calls_failing",
            Self::CallsTouched => "calls_touched",
            Self::CallsProven => "calls_proven",
            Self::HumansFree => "humans_free",
            Self::CallbacksPromised => "callbacks_promised",
            Self::Stage => "stage",
            Self::Stages => "stages",
            Self::NextUpdateMinutes => "next_update_minutes",
        }
    }

    /// The value of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == name)
    }

    /// True for what a caller may hear. The rest is about the business, or has no spoken form in
    /// the caller's language.
    pub const fn is_spoken(self) -> bool {
        matches!(self, Self::WaitMinutes | Self::CallbackMinutes)
    }
}

impl Template {
    /// Takes a text apart. Braces have no other use than to hold a name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut from = 0;
        while let Some(found) = text[from..].find(['{', '}']) {
            let open = from + found;
            if text[open..].starts_with('}') {
                return Err(TemplateError::Unopened { at: open });
            }
            let Some(end) = text[open + 1..].find(['{', '}']) else {
                return Err(TemplateError::Unclosed { at: open });
            };
            let close = open + 1 + end;
            if text[close..].starts_with('{') {
                return Err(TemplateError::Unclosed { at: open });
            }
            let word = &text[open + 1..close];
            let Some(value) = Placeholder::from_name(word) else {
                return Err(TemplateError::Unknown {
                    at: open + 1,
                    word: word.to_owned(),
                });
            };
            push_text(&mut parts, &text[from..open]);
            parts.push(TemplatePart::Value(value));
            from = close + 1;
        }
        push_text(&mut parts, &text[from..]);
        Ok(Self { parts })
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// The values that it has places for, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Value(value) => Some(*value),
            TemplatePart::Text(_) => None,
        })
    }

    /// The sentence with its values.
    pub fn fill(&self, value: impl Fn(Placeholder) -> String) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                TemplatePart::Text(text) => text.clone(),
                TemplatePart::Value(placeholder) => value(*placeholder),
            })
            .collect()
    }
}

fn push_text(parts: &mut Vec<TemplatePart>, text: &str) {
    if !text.is_empty() {
        parts.push(TemplatePart::Text(text.to_owned()));
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.fill(|value| format!("{{{}}}", value.as_str()))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed { .. } => f.write_str("a brace { is not closed"),
            Self::Unopened { .. } => f.write_str("a brace } closes nothing"),
            Self::Unknown { word, .. } => write!(f, "there is no value {{{word}}}"),
        }
    }
}

impl std::error::Error for TemplateError {}

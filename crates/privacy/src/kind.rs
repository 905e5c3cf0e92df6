//! What is found, and the mark that stands for it.

/// What kind of sensitive thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The number of a payment card.
    Card,
    /// The three or four digits that prove that a card is at hand.
    CardCode,
    /// An IBAN, or an account or routing number that was named as a bank's.
    BankAccount,
    /// A number by which a state or an authority knows a person.
    Identity,
    /// A PIN.
    Pin,
    /// A code that holds once.
    OneTimeCode,
    /// A password.
    Password,
    /// What lets a program in: an API key, a bearer token, a JWT, a private key.
    AccessKey,
    /// A number that is still being said, so that nobody knows yet what it will be. Only guesses of
    /// a transcript hold it; the final words say what it is.
    Unfinished,
}

impl Kind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; 9] = [
        Self::Card,
        Self::CardCode,
        Self::BankAccount,
        Self::Identity,
        Self::Pin,
        Self::OneTimeCode,
        Self::Password,
        Self::AccessKey,
        Self::Unfinished,
    ];

    /// The words between the brackets of its mark.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Card => "card number",
            Self::CardCode => "card code",
            Self::BankAccount => "bank account",
            Self::Identity => "identity number",
            Self::Pin => "PIN",
            Self::OneTimeCode => "one-time code",
            Self::Password => "password",
            Self::AccessKey => "access key",
            Self::Unfinished => "number",
        }
    }
}

/// A sensitive span of a text, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes of the text.
    pub start: usize,
    /// Where it ends, in bytes of the text.
    pub end: usize,
    /// The last four digits of a card whose whole number was heard.
    pub last_four: Option<[u8; 4]>,
}

impl Found {
    pub(crate) const fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self {
            kind,
            start,
            end,
            last_four: None,
        }
    }

    /// What stands in its place: `[card ending 1111]`, `[identity number]`.
    pub fn mark(&self) -> String {
        match self.last_four {
            Some(digits) => format!("[card ending {}]", String::from_utf8_lossy(&digits)),
            None => format!("[{}]", self.kind.words()),
        }
    }
}

/// The text with a mark in the place of each span. `found` is in order and does not overlap.
pub(crate) fn replace(text: &str, found: &[Found]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    let mut place = JsonPlace::of(text);
    for span in found {
        masked.push_str(&text[done..span.start]);
        // A bare number of JSON becomes a string, so that JSON stays JSON.
        let is_bare = place.is_bare_at(text, span.start);
        if is_bare {
            masked.push('"');
        }
        masked.push_str(&span.mark());
        if is_bare {
            masked.push('"');
        }
        done = span.end;
    }
    masked.push_str(&text[done..]);
    masked
}

/// Follows whether a place of a JSON text is inside of a string.
struct JsonPlace {
    is_json: bool,
    at: usize,
    in_string: bool,
    escaped: bool,
}

impl JsonPlace {
    fn of(text: &str) -> Self {
        let text = text.trim_ascii();
        let is_object = text.starts_with('{') && text.ends_with('}');
        let is_array = text.starts_with("[{") && text.ends_with(']');
        Self {
            is_json: (is_object || is_array) && text.contains('"'),
            at: 0,
            in_string: false,
            escaped: false,
        }
    }

    /// Places are asked for in order, so that the text is walked once.
    fn is_bare_at(&mut self, text: &str, place: usize) -> bool {
        if !self.is_json {
            return false;
        }
        for byte in &text.as_bytes()[self.at..place] {
            if self.escaped {
                self.escaped = false;
            } else if *byte == b'\\' && self.in_string {
                self.escaped = true;
            } else if *byte == b'"' {
                self.in_string = !self.in_string;
            }
        }
        self.at = place;
        !self.in_string
    }
}

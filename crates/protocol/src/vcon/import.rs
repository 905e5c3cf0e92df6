//! Reads a vCon from whoever sent it.

use holdfast_domain::{HandoffCard, Timestamp};
use serde_json::{Map, Value};

use super::{CARD_TYPE, SYNTAX, VENDOR};
use crate::wire::{Moment, check_depth};

/// The largest file, in bytes: a call of an hour has some 200 KB of words.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The deepest nesting: a card in an analysis needs eight.
const DEPTH_MAX: usize = 32;

/// The most parties, dialogs or analyses.
const ITEMS_MAX: usize = 10_000;

/// What was read, as plain values. No text of it holds anything that looks like markup.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its id.
    pub uuid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is about.
    pub subject: Option<String>,
    /// The names of the parties; None where it has none.
    pub parties: Vec<Option<String>>,
    /// What was said, in the file's order.
    pub words: Vec<ImportedWords>,
    /// How handoffs that reached nobody ended.
    pub dispositions: Vec<String>,
    /// The card, if it holds one of ours.
    pub card: Option<Box<HandoffCard>>,
}

/// One utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedWords {
    /// The place of the speaker among the parties; None when the file does not say.
    pub party: Option<usize>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// Why a vCon is refused. Nothing of it was used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VconError {
    /// It is larger than anything that a call makes.
    #[error("read the vCon: it has {bytes} bytes, over {BYTES_MAX}; export fewer calls at once")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is nested deeper than a vCon is.
    #[error("read the vCon: it is nested deeper than {DEPTH_MAX} levels; it is damaged or hostile")]
    TooDeep,
    /// It is no JSON object.
    #[error("read the vCon: it is not one JSON object; choose a file that ends in .vcon")]
    NotJson,
    /// It is signed or encrypted.
    #[error("read the vCon: it is signed or encrypted; take it out of its envelope first")]
    Sealed,
    /// Something in it has another form than the draft gives it.
    #[error("read the vCon: {place} {why}; ask its sender for a file of syntax {SYNTAX}")]
    Form {
        /// Where.
        place: String,
        /// What is wrong there.
        why: &'static str,
    },
    /// Something in it points where nothing is, or in a circle.
    #[error("read the vCon: {place} points to {why}; ask its sender for a whole file")]
    Reference {
        /// Where.
        place: String,
        /// To what.
        why: &'static str,
    },
    /// A text in it could be taken for markup.
    #[error("read the vCon: {place} holds markup or hidden characters; nothing of it is shown")]
    Markup {
        /// Where.
        place: String,
    },
    /// The card in it cannot be true.
    #[error("read the vCon: its card cannot be true ({why}); ask its sender for a new one")]
    Card {
        /// Why.
        why: &'static str,
    },
}

/// Reads a vCon, or says why not.
pub fn import(text: &str) -> Result<Imported, VconError> {
    if text.len() > BYTES_MAX {
        return Err(VconError::TooLarge { bytes: text.len() });
    }
    check_depth(text, DEPTH_MAX).map_err(|_| VconError::TooDeep)?;
    let Ok(Value::Object(vcon)) = serde_json::from_str(text) else {
        return Err(VconError::NotJson);
    };
    if ["signatures", "payload", "ciphertext", "recipients"]
        .iter()
        .any(|key| vcon.contains_key(*key))
    {
        return Err(VconError::Sealed);
    }
    check_texts(&vcon)?;
    if vcon.get("vcon").is_some_and(|version| version != SYNTAX) {
        return Err(form("vcon", "is another version"));
    }
    let parties = items(&vcon, "parties")?;
    let dialog = items(&vcon, "dialog")?;
    let analysis = items(&vcon, "analysis")?;
    let uuid = string(&vcon, "uuid", "")?.ok_or_else(|| form("uuid", "is missing"))?;
    if !is_uuid(&uuid) {
        return Err(form("uuid", "is no UUID"));
    }
    for relation in ["amended", "redacted"] {
        let named = vcon.get(relation).and_then(|other| other.get("uuid"));
        if named.is_some_and(|other| *other == uuid) {
            return Err(reference(relation, "the vCon itself"));
        }
    }
    let mut imported = Imported {
        uuid,
        created_at: moment(&vcon, "created_at", "")?,
        subject: string(&vcon, "subject", "")?,
        parties: Vec::new(),
        words: Vec::new(),
        dispositions: Vec::new(),
        card: None,
    };
    for (at, party) in parties.iter().enumerate() {
        let name = string(party, "name", &format!("parties[{at}]"))?;
        imported.parties.push(name);
    }
    for at in 0..dialog.len() {
        read_dialog(&dialog, at, parties.len(), &mut imported)?;
    }
    for (at, one) in analysis.iter().enumerate() {
        read_analysis(one, at, dialog.len(), &mut imported)?;
    }
    Ok(imported)
}

fn form(place: impl Into<String>, why: &'static str) -> VconError {
    VconError::Form {
        place: place.into(),
        why,
    }
}

fn reference(place: impl Into<String>, why: &'static str) -> VconError {
    VconError::Reference {
        place: place.into(),
        why,
    }
}

/// The place of a key, for words.
fn inside(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

fn items<'a>(
    vcon: &'a Map<String, Value>,
    key: &str,
) -> Result<Vec<&'a Map<String, Value>>, VconError> {
    let Some(value) = vcon.get(key) else {
        return Ok(Vec::new());
    };
    let list = value.as_array().ok_or_else(|| form(key, "is no array"))?;
    if list.len() > ITEMS_MAX {
        return Err(form(key, "has more items than a call makes"));
    }
    list.iter()
        .enumerate()
        .map(|(at, item)| {
            item.as_object()
                .ok_or_else(|| form(format!("{key}[{at}]"), "is no object"))
        })
        .collect()
}

fn string(from: &Map<String, Value>, key: &str, place: &str) -> Result<Option<String>, VconError> {
    match from.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(form(inside(place, key), "is no string")),
    }
}

fn moment(from: &Map<String, Value>, key: &str, place: &str) -> Result<Timestamp, VconError> {
    let value = from
        .get(key)
        .ok_or_else(|| form(inside(place, key), "is missing"))?;
    let moment: Moment = serde_json::from_value(value.clone())
        .map_err(|_| form(inside(place, key), "is no moment of RFC 3339"))?;
    Ok(moment.0)
}

/// One index or several, each below `limit`.
fn places(
    from: &Map<String, Value>,
    key: &str,
    place: &str,
    limit: usize,
) -> Result<Vec<usize>, VconError> {
    let index = |value: &Value| {
        let index = value
            .as_u64()
            .ok_or_else(|| form(inside(place, key), "is no index"))?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index < limit)
            .ok_or_else(|| reference(inside(place, key), "what is not there"))
    };
    match from.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(index).collect(),
        Some(value) => Ok(vec![index(value)?]),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What a dialog of these types must not have.
const CONTENT: &[&str] = &[
    "body",
    "url",
    "encoding",
    "content_hash",
    "mediatype",
    "filename",
];

fn read_dialog(
    all: &[&Map<String, Value>],
    at: usize,
    n_parties: usize,
    imported: &mut Imported,
) -> Result<(), VconError> {
    let dialog = all[at];
    let place = format!("dialog[{at}]");
    let start = moment(dialog, "start", &place)?;
    let kind = string(dialog, "type", &place)?;
    places(dialog, "parties", &place, n_parties)?;
    let speaker = places(dialog, "originator", &place, n_parties)?;
    let has = |keys: &[&str]| keys.iter().any(|key| dialog.contains_key(*key));
    match kind.as_deref() {
        Some("text") => {
            if let Some(text) = plain_body(dialog, &place)? {
                imported.words.push(ImportedWords {
                    party: speaker.first().copied(),
                    at: start,
                    text,
                });
            }
        }
        Some("incomplete") => {
            let how = string(dialog, "disposition", &place)?
                .filter(|how| DISPOSITIONS.contains(&how.as_str()))
                .ok_or_else(|| form(inside(&place, "disposition"), "is none of the draft's"))?;
            if has(CONTENT) {
                return Err(form(place, "has content and is incomplete"));
            }
            imported.dispositions.push(how);
        }
        Some("transfer") => {
            if has(CONTENT) || has(&["parties", "originator"]) {
                return Err(form(place, "is a transfer and has parties or content"));
            }
            for role in ["transferee", "transferor", "transfer_target"] {
                places(dialog, role, &place, n_parties)?;
            }
            for role in ["original", "consultation", "target_dialog"] {
                let meant = places(dialog, role, &place, all.len())?;
                let is_transfer = |place: &usize| all[*place].get("type") == dialog.get("type");
                if meant.iter().any(is_transfer) {
                    return Err(reference(inside(&place, role), "a transfer, in a circle"));
                }
            }
        }
        // What they hold is sound, which is not imported.
        Some("recording" | "recording-set") => {}
        Some(_) | None => return Err(form(inside(&place, "type"), "is none of the draft's")),
    }
    Ok(())
}

const DISPOSITIONS: &[&str] = &[
    "no-answer",
    "congestion",
    "failed",
    "busy",
    "hung-up",
    "voicemail-no-message",
];

/// The text of an inline body; None when it is empty or stored elsewhere.
fn plain_body(from: &Map<String, Value>, place: &str) -> Result<Option<String>, VconError> {
    let Some(body) = string(from, "body", place)?.filter(|body| !body.is_empty()) else {
        return Ok(None);
    };
    match string(from, "encoding", place)?.as_deref() {
        Some("none") => {}
        Some(_) => {
            return Err(form(
                inside(place, "encoding"),
                "is not none for plain text",
            ));
        }
        None => return Err(form(inside(place, "encoding"), "is missing beside a body")),
    }
    let media = string(from, "mediatype", place)?;
    if media.is_some_and(|media| !media.starts_with("text/plain")) {
        return Err(form(inside(place, "mediatype"), "is not plain text"));
    }
    Ok(Some(body))
}

fn read_analysis(
    one: &Map<String, Value>,
    at: usize,
    n_dialog: usize,
    imported: &mut Imported,
) -> Result<(), VconError> {
    let place = format!("analysis[{at}]");
    let kind =
        string(one, "type", &place)?.ok_or_else(|| form(inside(&place, "type"), "is missing"))?;
    let vendor = string(one, "vendor", &place)?
        .ok_or_else(|| form(inside(&place, "vendor"), "is missing"))?;
    places(one, "dialog", &place, n_dialog)?;
    if kind != CARD_TYPE || vendor != VENDOR {
        return Ok(());
    }
    if string(one, "encoding", &place)?.as_deref() != Some("json") {
        return Err(form(inside(&place, "encoding"), "is not json for a card"));
    }
    let body = one.get("body").cloned().unwrap_or_default();
    let card: HandoffCard = serde_json::from_value(body)
        .map_err(|_| form(inside(&place, "body"), "is no handoff card"))?;
    check_card(&card)?;
    imported.card = Some(Box::new(card));
    Ok(())
}

/// A card that points past itself, or holds numbers that nothing measures, is no card.
fn check_card(card: &HandoffCard) -> Result<(), VconError> {
    let turns = card.slots.iter().map(|slot| slot.turn);
    let mut turns = turns.chain(card.promises.iter().map(|promise| promise.turn));
    let mut times = card
        .tools
        .iter()
        .map(|tool| tool.at)
        .chain(card.last_turns.iter().map(|turn| turn.at))
        .chain(card.failure.iter().map(|failure| failure.at))
        .chain(card.identity.iter().filter_map(|identity| identity.at));
    let why = if turns.any(|turn| turn == Some(0)) {
        "a value comes from turn 0, and turns count from 1"
    } else if times.any(|at| at > card.as_of) {
        "something in it is newer than the card"
    } else if card.silence_ms < 0 {
        "the silence is less than none"
    } else if card.slots.iter().any(|slot| {
        slot.confidence
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
    }) {
        "a confidence is not between 0 and 1"
    } else if card
        .sentiment
        .iter()
        .any(|mood| !(-1.0..=1.0).contains(mood))
    {
        "a sentiment is not between -1 and 1"
    } else {
        return Ok(());
    };
    Err(VconError::Card { why })
}

/// Every text and every key, wherever it stands: the depth is bounded by now.
fn check_texts(vcon: &Map<String, Value>) -> Result<(), VconError> {
    let mut open: Vec<(String, &Value)> = vcon
        .iter()
        .map(|(key, value)| (key.clone(), value))
        .collect();
    if vcon.keys().any(|key| is_markup(key)) {
        return Err(VconError::Markup {
            place: "a key".to_owned(),
        });
    }
    while let Some((place, value)) = open.pop() {
        match value {
            Value::String(text) if is_markup(text) => return Err(VconError::Markup { place }),
            Value::Array(list) => open.extend(list.iter().map(|item| (place.clone(), item))),
            Value::Object(map) => {
                if map.keys().any(|key| is_markup(key)) {
                    return Err(VconError::Markup { place });
                }
                open.extend(map.values().map(|item| (place.clone(), item)));
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
    Ok(())
}

/// A tag, an address that runs a script, or a character that hides or turns what is read.
fn is_markup(text: &str) -> bool {
    let has_tag = text.match_indices('<').any(|(at, _)| {
        text[at + 1..]
            .chars()
            .next()
            .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
    });
    let has_hidden = text.chars().any(|letter| {
        matches!(letter, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    let lower = text.trim_start().get(..11).map(str::to_ascii_lowercase);
    let has_script = lower
        .is_some_and(|start| start.starts_with("javascript:") || start.starts_with("vbscript:"));
    has_tag || has_hidden || has_script
}

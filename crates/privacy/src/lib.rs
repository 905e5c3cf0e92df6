//! Finds card numbers, identity numbers and credentials in what is said and written on a call, and
//! puts a mark in their place.
//!
//! The hub passes every free text of a fact through a [`Conversations`] before it writes the text
//! down or shows it to anybody, so that what must not be kept is nowhere kept. Whatever is found is
//! found by what numbers carry in themselves (check digits, issuers, grouping) and by the words
//! around them, in the languages that callers speak; a number that is said in pieces, over several
//! turns, is found because a [`Conversation`] remembers how its last words ended.
//!
//! - The last four digits of a card whose whole number was heard are kept in its mark: the agent
//!   needs them to speak of the card, and the rules of the card industry allow to show them. Of
//!   every other kind nothing is kept, because there the last digits prove who somebody is.
//! - In doubt a number stays: a masked order number makes the caller repeat it. In doubt about a
//!   number that somebody calls a card's or a person's, it goes.
//! - Guesses of a transcript hold back a number that is still being said.
//!
//! Deliberately absent: IO, a clock, and names, addresses, phone numbers and dates of birth, which
//! the people on the call need and which the rights of the reader protect.

#![deny(missing_docs)]

mod card;
mod checksum;
mod conversation;
mod conversations;
mod cue;
mod fact;
mod find;
mod fold;
mod identity;
mod kind;
mod number_words;
mod reading;
mod secret;

pub use conversation::{Conversation, Masked};
pub use conversations::Conversations;
pub use kind::{Found, Kind};
pub use number_words::Language;

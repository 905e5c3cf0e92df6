//! Who may come in: bearer tokens, of which the hub keeps only the hashes.
//!
//! A token carries 256 random bits, so that a plain SHA-256 of it cannot be guessed back and needs
//! neither salt nor a slow hash. Deliberately absent: passwords, sessions, expiry.

use std::fmt;
use std::str::FromStr;

use holdfast_protocol::console::{Identity, Role};
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// A bearer token in clear. It never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The SHA-256 of a token, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

/// One token that the hub accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// Who it belongs to: a person's name (also the agent's id) or a bridge's.
    pub name: String,
    /// What its owner may do.
    pub roles: Vec<Role>,
    /// Its hash.
    pub hash: TokenHash,
}

/// Why a text is no hash of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token's hash is 64 hexadecimal digits; make one with `holdfast-hub token NAME --role ROLE`"
)]
pub struct BadTokenHash;

/// All tokens that the hub accepts.
#[derive(Debug)]
pub(crate) struct TokenTable(Vec<TokenEntry>);

impl Token {
    /// A new token of 256 random bits.
    pub fn random() -> Self {
        let mut bits = [0_u8; 32];
        rand::rng().fill_bytes(&mut bits);
        Self(hex::encode(bits))
    }

    /// Wraps a token; white space around it (a file's last newline) is dropped.
    pub fn new(token: impl AsRef<str>) -> Self {
        Self(token.as_ref().trim().to_owned())
    }

    /// The token itself, for the one place that sends or shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the hub keeps of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The entry that lets this token in.
    pub fn entry(&self, name: impl Into<String>, roles: &[Role]) -> TokenEntry {
        TokenEntry {
            name: name.into(),
            roles: roles.to_vec(),
            hash: self.hash(),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for TokenHash {
    type Err = BadTokenHash;

    fn from_str(text: &str) -> Result<Self, BadTokenHash> {
        let mut hash = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut hash).map_err(|_| BadTokenHash)?;
        Ok(Self(hash))
    }
}

impl TokenTable {
    pub(crate) fn new(entries: Vec<TokenEntry>) -> Self {
        Self(entries)
    }

    /// Whose token it is. Every entry is compared in full, so that the time tells nothing.
    pub(crate) fn identify(&self, presented: &str) -> Option<Identity> {
        let presented = Token::new(presented).hash();
        let mut found = None;
        for entry in &self.0 {
            let same: Choice = entry.hash.0.ct_eq(&presented.0);
            if bool::from(same) && found.is_none() {
                found = Some(entry);
            }
        }
        found.map(|entry| Identity {
            name: entry.name.clone(),
            roles: entry.roles.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_token_is_let_in_under_its_own_name() {
        let ana = Token::random();
        let bot = Token::random();
        let table = TokenTable::new(vec![
            ana.entry("ana", &[Role::Supervisor]),
            bot.entry("bot", &[Role::Bridge]),
        ]);
        assert_eq!(table.identify(ana.reveal()).unwrap().name, "ana");
        assert_eq!(table.identify(bot.reveal()).unwrap().roles, [Role::Bridge]);
        for wrong in ["", "x", &ana.hash().to_string(), &ana.reveal()[1..]] {
            assert_eq!(table.identify(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn tokens_differ_and_never_show() {
        let token = Token::random();
        assert_ne!(token, Token::random());
        assert_eq!(token.reveal().len(), 64);
        assert!(!format!("{token:?}").contains(token.reveal()));
    }

    #[test]
    fn hashes_are_read_back_and_checked() {
        // The SHA-256 of "abc", from FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Token::new("abc\n").hash().to_string(), abc);
        assert_eq!(abc.parse(), Ok(Token::new("abc").hash()));
        for bad in ["", "abc", &abc[1..], &abc.replace('b', "g")] {
            assert_eq!(bad.parse::<TokenHash>(), Err(BadTokenHash), "{bad:?}");
        }
    }
}

//! How a call is named outside of Holdfast: in a link, and in a SIP header.

use holdfast_domain::{CallId, HandoffId};
use sha2::{Digest as _, Sha256};

/// What a link to a call begins with.
const CALL: &str = "holdfast://call/";

/// Says which form of key follows, so that another can come.
const FORM: &str = "01";

/// How much of the hash is in a key, in bytes: two handoffs of a life share one less often than
/// any disk fails.
const KEY_BYTES: usize = 16;

/// The most characters that every telephone network passes on in User-to-User.
pub const USER_TO_USER_MAX: usize = 128;

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is another program's, or names something else than a call.
    #[error("open the link: it does not begin with {CALL}; copy it whole from Holdfast")]
    NotOurs,
    /// What follows can be no call's id.
    #[error("open the link: what it names can be no call; copy it whole from Holdfast")]
    NoCall,
}

/// The link that opens a call: `holdfast://call/ID`.
pub fn link(call: &CallId) -> String {
    format!("{CALL}{call}")
}

/// The call that a link opens.
pub fn call_of(link: &str) -> Result<CallId, LinkError> {
    let id = link.strip_prefix(CALL).ok_or(LinkError::NotOurs)?;
    if CallId::is_valid(id) {
        Ok(CallId::new(id))
    } else {
        Err(LinkError::NoCall)
    }
}

/// The value of SIP's User-to-User header for a handoff, as RFC 7433 writes it: a key in
/// hexadecimal. The card does not travel with it: whoever gets the call asks for it with the key.
///
/// The key is no secret and gives no right.
pub fn user_to_user(handoff: &HandoffId) -> String {
    let hash = Sha256::digest(handoff.as_str());
    let mut text = FORM.to_owned();
    for byte in &hash[..KEY_BYTES] {
        for half in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text.push_str(";encoding=hex");
    text
}

/// True when a header's value names this handoff, however its hexadecimal is written.
pub fn names(header: &str, handoff: &HandoffId) -> bool {
    let expected = user_to_user(handoff);
    let key = |value: &str| {
        let key = value.split(';').next().unwrap_or_default().trim();
        key.to_ascii_lowercase()
    };
    header.len() <= USER_TO_USER_MAX && key(header) == key(&expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_the_call_that_it_names_and_nothing_else() {
        let call = CallId::new("sim-1:call.7");
        assert_eq!(link(&call), "holdfast://call/sim-1:call.7");
        assert_eq!(call_of(&link(&call)), Ok(call));
        for (link, error) in [
            ("https://call/1", LinkError::NotOurs),
            ("holdfast://run/1", LinkError::NotOurs),
            ("HOLDFAST://call/1", LinkError::NotOurs),
            ("holdfast://call/", LinkError::NoCall),
            ("holdfast://call/a/../b", LinkError::NoCall),
            ("holdfast://call/a?x=<script>", LinkError::NoCall),
            ("holdfast://call/a%20b", LinkError::NoCall),
        ] {
            assert_eq!(call_of(link), Err(error), "{link}");
        }
    }

    #[test]
    fn a_key_fits_its_header_whatever_the_id_is() {
        for id in ["h", &"h".repeat(10_000)] {
            let handoff = HandoffId::new(id);
            let value = user_to_user(&handoff);
            assert!(value.len() <= USER_TO_USER_MAX, "{value}");
            assert!(value.is_ascii() && !value.contains(' '));
            assert!(names(&value, &handoff));
            assert!(names(
                &value.replace("encoding", "purpose=x;encoding"),
                &handoff
            ));
            assert!(names(&value.to_ascii_uppercase(), &handoff));
            assert!(!names(&value, &HandoffId::new("other")));
        }
        assert!(!names("", &HandoffId::new("h")));
    }
}

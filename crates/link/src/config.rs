//! How a link is set up.

use std::fmt;
use std::time::Duration;

/// What a link needs to know.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// `ws://HOST:PORT/v1/console` or `.../v1/bridge`.
    pub url: String,
    /// Sent as `Authorization: Bearer`. None when the owner puts it into its hello.
    pub token: Option<Token>,
    /// The largest frame that is read, in bytes; one of `holdfast_protocol::limits`.
    pub frame_bytes_max: usize,
    /// Seeds the jitter of the backoff, so that many consoles do not come back in step.
    pub seed: u64,
    /// Deadlines and intervals.
    pub timing: Timing,
}

impl LinkConfig {
    /// A link to `url` with the default timing.
    pub fn new(url: impl Into<String>, token: Option<Token>, frame_bytes_max: usize) -> Self {
        Self {
            url: url.into(),
            token,
            frame_bytes_max,
            seed: 0,
            timing: Timing::default(),
        }
    }

    /// The same link with its own jitter.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// Deadlines and intervals of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long one attempt may take, TCP and WebSocket together.
    pub connect_max: Duration,
    /// How often the link pings. A peer that beats makes pings redundant but harmless.
    pub ping_every: Duration,
    /// Silence after which a connection counts as dead; three pings are unanswered by then.
    pub silence_max: Duration,
    /// How long the peer may not take a frame.
    pub write_max: Duration,
    /// The first wait before a new attempt; it doubles with each that fails.
    pub backoff_first: Duration,
    /// The longest wait before a new attempt.
    pub backoff_max: Duration,
    /// How long a connection must have been live before the backoff starts anew.
    pub live_min: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_max: Duration::from_secs(5),
            ping_every: Duration::from_secs(2),
            silence_max: Duration::from_secs(6),
            write_max: Duration::from_secs(6),
            backoff_first: Duration::from_millis(200),
            backoff_max: Duration::from_secs(5),
            live_min: Duration::from_secs(2),
        }
    }
}

/// A bearer token. It never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a token; white space around it (a file's last newline) is dropped.
    pub fn new(token: impl AsRef<str>) -> Self {
        Self(token.as_ref().trim().to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let token = Token::new("  secret-1\n");
        assert_eq!(token.reveal(), "secret-1");
        let config = LinkConfig::new("ws://localhost:1/v1/bridge", Some(token), 1024);
        assert!(!format!("{config:?}").contains("secret"));
    }
}

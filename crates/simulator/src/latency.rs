//! Durations as they are in the field: a typical value, and a long tail to the right.

use holdfast_domain::DurationMs;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A log-normal duration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Latency {
    /// Half of the draws are below, in milliseconds.
    pub(crate) median_ms: f64,
    /// The spread: the 99th percentile is `exp(2.33 * sigma)` times the median.
    pub(crate) sigma: f64,
}

/// Speech recognition, from the end of speech to the final transcript. The 99th percentile is 0.4 s.
pub(crate) const ASR_FINAL: Latency = Latency::new(210.0, 0.28);
/// The language model's first token; 99th percentile 0.7 s.
pub(crate) const LLM_TOKEN: Latency = Latency::new(340.0, 0.3);
/// From the first token to a sentence that can be spoken.
pub(crate) const LLM_SENTENCE: Latency = Latency::new(120.0, 0.3);
/// Speech synthesis, first audio; 99th percentile 0.3 s.
pub(crate) const TTS_AUDIO: Latency = Latency::new(150.0, 0.3);
/// A tool that reads.
pub(crate) const TOOL_READ: Latency = Latency::new(650.0, 0.4);
/// A tool that changes the outside world.
pub(crate) const TOOL_WRITE: Latency = Latency::new(950.0, 0.4);
/// A caller who thinks before they answer.
pub(crate) const CALLER_PAUSE: Latency = Latency::new(1_100.0, 0.55);
/// The platform carries out a command that touches no media.
pub(crate) const COMMAND: Latency = Latency::new(60.0, 0.35);
/// A human agent's phone rings, and they pick up.
pub(crate) const HUMAN_ANSWERS: Latency = Latency::new(2_600.0, 0.4);

impl Latency {
    pub(crate) const fn new(median_ms: f64, sigma: f64) -> Self {
        Self { median_ms, sigma }
    }

    /// One duration, at least a millisecond.
    pub(crate) fn draw(self, rng: &mut ChaCha8Rng) -> DurationMs {
        // The sum of twelve uniform numbers less six is close to a standard normal one. Sixteen
        // bits of each are enough for milliseconds, so that three draws give all twelve.
        let sum: u64 = (0..3)
            .map(|_| rng.random::<u64>())
            .map(|bits| (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum::<u64>())
            .sum();
        let normal = sum as f64 / 65_535.0 - 6.0;
        ((self.median_ms * (normal * self.sigma).exp()) as DurationMs).max(1)
    }
}

/// How long it takes to say `text`, in milliseconds.
pub(crate) fn speaking_ms(text: &str, chars_per_sec: f64) -> DurationMs {
    let chars = text.chars().count().max(4) as f64;
    (chars / chars_per_sec * 1_000.0) as DurationMs
}

/// How fast the synthetic voice speaks.
pub(crate) const AGENT_CHARS_PER_SEC: f64 = 16.0;
/// How fast callers and human agents speak.
pub(crate) const CALLER_CHARS_PER_SEC: f64 = 14.0;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn draws_have_their_median_and_a_long_tail() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draws: Vec<_> = (0..10_000).map(|_| LLM_TOKEN.draw(&mut rng)).collect();
        draws.sort_unstable();
        assert!((320..360).contains(&draws[5_000]), "{}", draws[5_000]);
        assert!((600..800).contains(&draws[9_900]), "{}", draws[9_900]);
    }

    #[test]
    fn longer_texts_take_longer() {
        assert_eq!(speaking_ms(&"x".repeat(160), AGENT_CHARS_PER_SEC), 10_000);
        assert!(speaking_ms("", AGENT_CHARS_PER_SEC) > 0);
    }
}

//! Sentences for people: plain, exact, short, the caller's experience first.
//!
//! Nothing here repeats what a platform wrote in free text: it may hold personal data.

use holdfast_domain::{DurationMs, ExcludedReason, Layer};

/// A layer's name on screen.
pub(crate) const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Asr => "ASR",
        Layer::Llm => "LLM",
        Layer::Tools => "tools",
        Layer::Tts => "TTS",
        Layer::Orchestration => "dialogue",
        Layer::Network => "network",
        Layer::Infrastructure => "infrastructure",
    }
}

/// A duration: `6.1 s`, `5 s`, from two minutes on `2 min`.
pub(crate) fn seconds(ms: DurationMs) -> String {
    let ms = ms.max(0);
    if ms >= 120_000 {
        format!("{} min", ms / 60_000)
    } else if ms % 1_000 < 50 {
        format!("{} s", ms / 1_000)
    } else {
        format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
    }
}

/// What a service did, from the type of its error.
pub(crate) fn error(error_type: &str) -> String {
    if let Some(code) = error_type.strip_prefix("http_") {
        return format!("answered {}", clip(code, 20));
    }
    match error_type {
        "rate_limited" => "turned us away: rate limited".to_owned(),
        "timeout" => "timed out".to_owned(),
        "connection_refused" => "refused the connection".to_owned(),
        other => format!("failed ({})", clip(other, 40)),
    }
}

/// Why a call is left alone, of one call or of several.
pub(crate) const fn reason(reason: ExcludedReason, is_one: bool) -> &'static str {
    match (reason, is_one) {
        (ExcludedReason::NotLive, true) => "is over",
        (ExcludedReason::NotLive, false) => "are over",
        (ExcludedReason::WithHuman, true) => "is with a human",
        (ExcludedReason::WithHuman, false) => "are with humans",
        (ExcludedReason::ProtectedMoment, true) => "is in a payment, an identity check or a write",
        (ExcludedReason::ProtectedMoment, false) => {
            "are in a payment, an identity check or a write"
        }
        (ExcludedReason::NotCapable, true) => "is on a platform that cannot do it",
        (ExcludedReason::NotCapable, false) => "are on platforms that cannot do it",
        (ExcludedReason::NoTarget, true) => "has nothing to switch to",
        (ExcludedReason::NoTarget, false) => "have nothing to switch to",
        (ExcludedReason::AlreadySo, true) => "is already so",
        (ExcludedReason::AlreadySo, false) => "are already so",
        (ExcludedReason::Busy, true) => "has a command or a handoff under way",
        (ExcludedReason::Busy, false) => "have a command or a handoff under way",
        (ExcludedReason::StaleFeed, true) => "is not heard now",
        (ExcludedReason::StaleFeed, false) => "are not heard now",
    }
}

/// At most `max` characters; a cut is marked.
pub(crate) fn clip(text: &str, max: usize) -> String {
    if text.char_indices().nth(max).is_none() {
        return text.to_owned();
    }
    let end = text
        .char_indices()
        .nth(max.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    format!("{}…", &text[..end])
}

/// One language's sentences.
struct Language {
    /// The first part of the BCP 47 tag.
    tag: &'static str,
    /// What the caller hears before a human takes over.
    transfer: &'static str,
    /// The human's first sentence; `{ask}` is the caller's request.
    say_first: &'static str,
    /// The same when the request is not known.
    say_first_plain: &'static str,
}

/// Languages that we have words in; others fall back to the first.
const LANGUAGES: [Language; 7] = [
    Language {
        tag: "en",
        transfer: "One moment, please. I am connecting you with a colleague who has your details.",
        say_first: "I have your request here: “{ask}”. Sorry for the wait.",
        say_first_plain: "I have taken over your call. Sorry for the wait.",
    },
    Language {
        tag: "es",
        transfer: "Un momento, por favor. Le comunico con un compañero que ya tiene sus datos.",
        say_first: "Tengo aquí su solicitud: «{ask}». Disculpe la espera.",
        say_first_plain: "Ahora le atiendo yo. Disculpe la espera.",
    },
    Language {
        tag: "de",
        transfer: "Einen Moment bitte. Ich verbinde Sie mit einer Kollegin oder einem Kollegen; \
                   Ihre Angaben liegen dort vor.",
        say_first: "Ihr Anliegen liegt mir vor: „{ask}“. Entschuldigen Sie die Wartezeit.",
        say_first_plain: "Ich habe Ihr Gespräch übernommen. Entschuldigen Sie die Wartezeit.",
    },
    Language {
        tag: "fr",
        transfer: "Un instant, s’il vous plaît. Je vous mets en relation avec un collègue qui a \
                   vos informations.",
        say_first: "J’ai votre demande sous les yeux : « {ask} ». Désolé pour l’attente.",
        say_first_plain: "Je prends le relais de votre appel. Désolé pour l’attente.",
    },
    Language {
        tag: "pt",
        transfer: "Um momento, por favor. Vou passar a chamada a um colega que já tem os seus \
                   dados.",
        say_first: "Tenho aqui o seu pedido: “{ask}”. Desculpe a espera.",
        say_first_plain: "Sou eu que continuo a sua chamada. Desculpe a espera.",
    },
    Language {
        tag: "it",
        transfer: "Un momento, per favore. La metto in contatto con un collega che ha già i suoi \
                   dati.",
        say_first: "Ho qui la sua richiesta: «{ask}». Mi scusi per l’attesa.",
        say_first_plain: "Ora la seguo io. Mi scusi per l’attesa.",
    },
    Language {
        tag: "nl",
        transfer: "Een ogenblik alstublieft. Ik verbind u door met een collega die uw gegevens \
                   heeft.",
        say_first: "Ik heb uw vraag hier: “{ask}”. Excuses voor het wachten.",
        say_first_plain: "Ik neem uw gesprek over. Excuses voor het wachten.",
    },
];

fn language(tag: &str) -> &'static Language {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES
        .iter()
        .find(|language| language.tag.eq_ignore_ascii_case(primary))
        .unwrap_or(&LANGUAGES[0])
}

/// What the caller hears before a human takes over, in the caller's language (BCP 47).
pub(crate) fn transfer_announcement(tag: &str) -> &'static str {
    language(tag).transfer
}

/// The human's first sentence.
pub(crate) fn say_first(tag: &str, customer: Option<&str>, ask: Option<&str>) -> String {
    let language = language(tag);
    let sentence = match ask {
        Some(ask) => language
            .say_first
            .replace("{ask}", ask.trim_end_matches(['.', ' '])),
        None => language.say_first_plain.to_owned(),
    };
    let Some(name) = customer else {
        return sentence;
    };
    // After the name the sentence goes on in lower case, where the language writes so.
    if matches!(language.tag, "en" | "de") {
        return format!("{name}, {sentence}");
    }
    let mut rest = sentence.chars();
    let first = rest.next().into_iter().flat_map(char::to_lowercase);
    format!("{name}, {}{}", first.collect::<String>(), rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(seconds(6_100), "6.1 s");
        assert_eq!(seconds(5_000), "5 s");
        assert_eq!(seconds(5_020), "5 s");
        assert_eq!(seconds(-4), "0 s");
        assert_eq!(seconds(180_000), "3 min");
    }

    #[test]
    fn errors_become_words() {
        assert_eq!(error("http_503"), "answered 503");
        assert_eq!(error("timeout"), "timed out");
        assert_eq!(error("weird"), "failed (weird)");
    }

    #[test]
    fn text_is_cut_at_characters_and_marked() {
        assert_eq!(clip("año nuevo", 4), "año…");
        assert_eq!(clip("año", 3), "año");
    }

    #[test]
    fn callers_hear_their_language_or_english() {
        assert!(transfer_announcement("es-MX").starts_with("Un momento"));
        assert!(transfer_announcement("DE").starts_with("Einen Moment"));
        assert_eq!(transfer_announcement("xx"), transfer_announcement("en-GB"));
        assert_eq!(
            say_first("en", Some("Maria"), Some("A refund.")),
            "Maria, I have your request here: “A refund”. Sorry for the wait."
        );
        assert!(say_first("es-MX", Some("Ana"), None).starts_with("Ana, ahora le atiendo"));
        assert!(say_first("nl", None, None).starts_with("Ik neem"));
    }
}

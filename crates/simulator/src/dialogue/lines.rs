//! The sentences of one language, as its file holds them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Everything that is said in one language. Each list holds wordings of the same thing, unless it
/// says otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    /// BCP 47 tag.
    pub(crate) tag: String,
    /// The company's name.
    pub(crate) brand: String,
    /// The AI's first sentence, in which it says what it is.
    pub(crate) greeting: Vec<String>,
    /// The caller hears nothing.
    pub(crate) are_you_there: Vec<String>,
    /// The caller says it again; `{line}` is what they said.
    pub(crate) repeat: Vec<String>,
    /// The caller heard half a sentence.
    pub(crate) cut_out: Vec<String>,
    /// The AI, before a late answer.
    pub(crate) sorry_wait: Vec<String>,
    /// The AI, before it uses a tool.
    pub(crate) filler: Vec<String>,
    /// The AI, when a tool cannot be used.
    pub(crate) no_tool: Vec<String>,
    /// The AI did not understand.
    pub(crate) reprompt: Vec<String>,
    /// The caller asks for a human.
    pub(crate) wants_human: Vec<String>,
    /// The AI, on that.
    pub(crate) connecting: Vec<String>,
    /// The AI, when nobody picked up.
    pub(crate) no_human: Vec<String>,
    /// The human agent's sentences, in order.
    pub(crate) human: Vec<String>,
    /// The caller's answers to them, in order; one fewer.
    pub(crate) to_human: Vec<String>,
    /// The caller's last words.
    pub(crate) thanks: Vec<String>,
    /// The AI's last words.
    pub(crate) goodbye: Vec<String>,
    pub(crate) first: Vec<String>,
    pub(crate) last: Vec<String>,
    pub(crate) cities: Vec<String>,
    /// Days of the week, as an adverb where the language has one.
    pub(crate) days: Vec<String>,
    pub(crate) months: Vec<String>,
    pub(crate) products: Vec<String>,
    pub(crate) shops: Vec<String>,
    /// How an amount is said; `{n}` is the number.
    pub(crate) amount: String,
    /// How a date of birth is said: `{d}`, `{m}`, `{y}`.
    pub(crate) birth: String,
    plots: BTreeMap<String, PlotLines>,
}

/// The sentences of one plot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlotLines {
    pub(crate) ask: String,
    pub(crate) summary: String,
    pub(crate) promise: String,
    pub(crate) beats: Vec<BeatLines>,
}

/// The sentences of one beat.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeatLines {
    /// Wordings of what the caller says.
    pub(crate) caller: Vec<String>,
    pub(crate) agent: String,
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    [
        include_str!("../../lines/en.toml"),
        include_str!("../../lines/es.toml"),
        include_str!("../../lines/de.toml"),
        include_str!("../../lines/fr.toml"),
        include_str!("../../lines/pt.toml"),
    ]
    .into_iter()
    .map(|text| toml::from_str(text).expect("the shipped lines are whole: a test reads them all"))
    .collect()
});

impl Language {
    /// Every language; English first.
    pub(crate) fn all() -> &'static [Self] {
        &LANGUAGES
    }

    /// The sentences of a plot.
    pub(crate) fn plot(&self, key: &str) -> &PlotLines {
        self.plots
            .get(key)
            .expect("every language has every plot: a test reads them all")
    }
}

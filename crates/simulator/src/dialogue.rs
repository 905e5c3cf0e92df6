//! What callers and agents say: plots in Rust, sentences in `lines/*.toml`, values drawn from a
//! seed.

mod lines;
mod plots;

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub(crate) use lines::{Language, PlotLines};
pub(crate) use plots::{Beat, PLOTS, Plot, Tool};

/// The versions of each flow that are live side by side, where there are several.
pub(crate) const FLOW_VERSIONS: u8 = 2;

/// One call's dialogue: a plot in a language, with its names, dates and amounts.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) plot: &'static Plot,
    pub(crate) language: &'static Language,
    lines: &'static PlotLines,
    values: BTreeMap<&'static str, String>,
    /// Which wording the caller uses for each beat.
    wordings: Vec<usize>,
}

impl Story {
    /// A story that nobody has heard with exactly these values.
    pub(crate) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let plot = &PLOTS[rng.random_range(0..PLOTS.len())];
        let languages = Language::all();
        // Half of the calls are in the first language, the rest is spread over the others.
        let language = if rng.random_bool(0.5) {
            &languages[0]
        } else {
            &languages[rng.random_range(1..languages.len())]
        };
        let lines = language.plot(plot.key);
        let wordings = lines
            .beats
            .iter()
            .map(|beat| rng.random_range(0..beat.caller.len()))
            .collect();
        Self {
            plot,
            language,
            lines,
            values: draw_values(language, rng),
            wordings,
        }
    }

    /// How many beats the plot has; the goodbye comes after them.
    pub(crate) fn beats(&self) -> usize {
        self.plot.beats.len()
    }

    /// What the caller says in a beat.
    pub(crate) fn caller_line(&self, beat: usize) -> String {
        self.render(&self.lines.beats[beat].caller[self.wordings[beat]])
    }

    /// What the agent answers in a beat.
    pub(crate) fn agent_line(&self, beat: usize) -> String {
        self.render(&self.lines.beats[beat].agent)
    }

    /// The caller's request in one line.
    pub(crate) fn ask(&self) -> String {
        self.render(&self.lines.ask)
    }

    /// The conversation in short, once it is under way.
    pub(crate) fn summary(&self) -> String {
        self.render(&self.lines.summary)
    }

    /// What the agent promises.
    pub(crate) fn promise(&self) -> String {
        self.render(&self.lines.promise)
    }

    /// One of several wordings, with its places filled.
    pub(crate) fn pick(&self, wordings: &[String], rng: &mut ChaCha8Rng) -> String {
        self.render(&wordings[rng.random_range(0..wordings.len())])
    }

    /// A value by its name; empty if there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A template with its places filled. Braces that enclose no name of a value stay.
    pub(crate) fn render(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let value = after
                .find('}')
                .and_then(|close| Some((close, self.values.get(&after[..close])?)));
            if let Some((close, value)) = value {
                text.push_str(value);
                rest = &after[close + 1..];
            } else {
                text.push('{');
                rest = after;
            }
        }
        text.push_str(rest);
        text
    }
}

/// True if some plot uses this tool.
pub(crate) fn knows_tool(name: &str) -> bool {
    tools_of_plots().any(|tool| tool.name == name)
}

/// Every queue.
pub(crate) fn queues() -> Vec<&'static str> {
    PLOTS.iter().map(|plot| plot.queue).collect()
}

/// Every dialogue flow with each of its versions, where there are several.
pub(crate) fn flows() -> Vec<String> {
    let versions = |plot: &Plot| (1..=FLOW_VERSIONS).map(|version| version_of(plot.flow, version));
    PLOTS
        .iter()
        .flat_map(|plot| versions(plot).collect::<Vec<_>>())
        .collect()
}

/// The name of one version of a flow.
pub(crate) fn version_of(flow: &str, version: u8) -> String {
    format!("{flow}/v{version}")
}

/// True if some plot is served by this queue.
pub(crate) fn knows_queue(name: &str) -> bool {
    PLOTS.iter().any(|plot| plot.queue == name)
}

impl Plot {
    /// The names of the tools that a call of this plot has, each once.
    pub(crate) fn tools(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .beats
            .iter()
            .filter_map(|beat| Some(beat.tool.as_ref()?.name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn tools_of_plots() -> impl Iterator<Item = &'static Tool> {
    PLOTS
        .iter()
        .flat_map(|plot| plot.beats)
        .filter_map(|beat| beat.tool.as_ref())
}

fn draw_values(language: &Language, rng: &mut ChaCha8Rng) -> BTreeMap<&'static str, String> {
    let pick =
        |from: &[String], rng: &mut ChaCha8Rng| from[rng.random_range(0..from.len())].clone();
    let first = pick(&language.first, rng);
    let last = pick(&language.last, rng);
    let month = pick(&language.months, rng);
    let day = rng.random_range(0..language.days.len());
    let day2 = (day + rng.random_range(1..language.days.len())) % language.days.len();
    let amount = format!(
        "{}.{:02}",
        rng.random_range(9..240),
        rng.random_range(0..100)
    );
    let letters: String = (0..6)
        .map(|_| char::from(b"ABCDEFGHJKLMNPQRSTUVWXYZ"[rng.random_range(0..24)]))
        .collect();
    let born = language
        .birth
        .replace("{d}", &rng.random_range(1..29).to_string())
        .replace("{m}", &pick(&language.months, rng))
        .replace("{y}", &rng.random_range(1944..2006).to_string());
    BTreeMap::from([
        ("customer", format!("{first} {last}")),
        ("first", first),
        ("last", last),
        ("neighbor", pick(&language.last, rng)),
        ("doctor", pick(&language.last, rng)),
        ("city", pick(&language.cities, rng)),
        ("day", language.days[day].clone()),
        ("day2", language.days[day2].clone()),
        ("month", month),
        ("product", pick(&language.products, rng)),
        ("shop", pick(&language.shops, rng)),
        ("brand", language.brand.clone()),
        ("amount", language.amount.replace("{n}", &amount)),
        (
            "account",
            format!("{}", rng.random_range(10_000_000..99_999_999)),
        ),
        ("order", format!("{}", rng.random_range(100_000..999_999))),
        ("booking", letters),
        ("ref", format!("R-{}", rng.random_range(10_000..99_999))),
        ("last4", format!("{:04}", rng.random_range(0..10_000))),
        ("code", format!("{:06}", rng.random_range(0..1_000_000))),
        (
            "time",
            format!(
                "{}:{:02}",
                rng.random_range(8..18),
                rng.random_range(0..12) * 5
            ),
        ),
        ("dob", born),
    ])
}

#[cfg(test)]
mod tests;

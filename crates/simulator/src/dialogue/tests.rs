use std::collections::BTreeSet;

use rand::SeedableRng;

use super::*;

#[test]
fn every_language_has_every_plot_with_every_beat() {
    let tags: Vec<_> = Language::all().iter().map(|l| l.tag.as_str()).collect();
    assert_eq!(tags, ["en", "es", "de", "fr", "pt"]);
    for language in Language::all() {
        for plot in &PLOTS {
            let lines = language.plot(plot.key);
            assert_eq!(
                lines.beats.len(),
                plot.beats.len(),
                "{} {}",
                language.tag,
                plot.key
            );
            for beat in &lines.beats {
                assert!(!beat.caller.is_empty() && !beat.agent.is_empty());
            }
        }
        assert_eq!(language.human.len(), language.to_human.len() + 1);
        for wordings in [
            &language.greeting,
            &language.are_you_there,
            &language.repeat,
            &language.cut_out,
            &language.sorry_wait,
            &language.filler,
            &language.no_tool,
            &language.reprompt,
            &language.wants_human,
            &language.connecting,
            &language.no_human,
            &language.thanks,
            &language.goodbye,
            &language.first,
            &language.last,
            &language.cities,
            &language.months,
            &language.products,
            &language.shops,
        ] {
            assert!(!wordings.is_empty(), "{}", language.tag);
        }
        assert!(language.days.len() > 1, "{}", language.tag);
    }
}

#[test]
fn no_sentence_keeps_an_open_place() {
    for seed in 0..400 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let story = Story::draw(&mut rng);
        let mut said = vec![story.ask(), story.summary(), story.promise()];
        for beat in 0..story.beats() {
            said.push(story.caller_line(beat));
            said.push(story.agent_line(beat));
        }
        for text in said {
            assert!(!text.contains(['{', '}']), "{text}");
        }
        for beat in story.plot.beats {
            for slot in beat.slots {
                assert!(!story.value(slot).is_empty(), "{slot}");
            }
            let Some(tool) = &beat.tool else { continue };
            for json in [tool.args, tool.result] {
                let json = story.render(json);
                let parsed: Result<serde_json::Value, _> = serde_json::from_str(&json);
                assert!(parsed.is_ok(), "{}: {json}", tool.name);
            }
        }
    }
}

#[test]
fn what_is_spoken_names_what_was_drawn() {
    // A caller who fills a slot says its value.
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let story = Story::draw(&mut rng);
        for (i, beat) in story.plot.beats.iter().enumerate() {
            let line = story.caller_line(i);
            for slot in beat.slots {
                assert!(
                    line.contains(story.value(slot)),
                    "{slot} is not in {line:?}"
                );
            }
        }
    }
}

#[test]
fn tools_and_queues_are_known_by_name() {
    assert!(knows_tool("track_order") && knows_tool("payments.capture"));
    assert!(!knows_tool("teapot"));
    assert!(knows_queue("billing") && !knows_queue("nowhere"));
    let queues: BTreeSet<_> = PLOTS.iter().map(|plot| plot.queue).collect();
    assert_eq!(queues.len(), PLOTS.len());
    let promises: usize = PLOTS
        .iter()
        .map(|plot| plot.beats.iter().filter(|beat| beat.promise).count())
        .sum();
    assert_eq!(promises, PLOTS.len(), "each plot makes its one promise");
}

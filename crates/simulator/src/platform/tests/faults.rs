//! Every fault shows in its own way, is felt by callers, and is over when it is stopped.

use std::collections::BTreeMap;

use holdfast_domain::fact::{LatencyMetric, Speaker};

use super::*;

/// What is told by a platform on which one fault is injected for two minutes, and after it.
struct Story {
    during: Vec<Output>,
    after: Vec<Output>,
}

fn drill(fault: &str, scope: &FaultScope) -> Story {
    let mut platform = platform(3, 60);
    let id = platform.start_fault(fault, scope).unwrap();
    let mut during = run(&mut platform, 120_000);
    assert_eq!(active(&during).map(Vec::len), Some(1));
    let stop = Command::StopFault { id: Some(id) };
    let frame = commands::frame("stop", None, stop, platform.now);
    let stopped = platform.command(&frame, platform.now);
    assert_eq!(active(&stopped).map(Vec::len), Some(0));
    // Callers that were left in the lurch need a while to be served again.
    during.extend(stopped);
    during.extend(run(&mut platform, 60_000));
    let after = run(&mut platform, 120_000);
    let mut checks = WellFormed::default();
    checks.read_all(&during);
    checks.read_all(&after);
    Story { during, after }
}

impl Story {
    /// During the fault `shows` happens, and after it nothing of the kind.
    fn shows(&self, at_least: usize, shows: impl Fn(&Fact<'static>) -> bool) -> &Self {
        let during = count(&self.during, &shows);
        assert!(during >= at_least, "only {during} times during the fault");
        assert_eq!(count(&self.after, &shows), 0, "still after the fault");
        self
    }

    /// Callers hang up during the fault and not after it.
    fn loses_callers(&self) -> &Self {
        self.shows(
            1,
            |fact| matches!(fact, Fact::CallEnded { reason, .. } if reason == "the caller hung up"),
        )
    }

    /// Calls go on well after the fault.
    fn recovers(&self) -> &Self {
        let answers = count(&self.after, |f| matches!(f, Fact::TurnLatency { .. }));
        assert!(answers > 200, "only {answers} answers after the fault");
        self
    }
}

fn llm_error(wanted: &'static str) -> impl Fn(&Fact<'static>) -> bool {
    move |fact| {
        matches!(fact, Fact::ServiceError { error_type, service, .. }
            if error_type == wanted && (service.contains("large") || service.contains("medium")))
    }
}

/// Facts of each call, in order.
fn by_call(outputs: &[Output]) -> BTreeMap<CallId, Vec<&Fact<'static>>> {
    let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events(outputs) {
        if let Some(call) = &event.call {
            calls.entry(call.clone()).or_default().push(&event.fact);
        }
    }
    calls
}

/// How often a caller speaks and the next that is heard of the agent or the caller is the caller,
/// without `between` having happened.
fn left_alone(outputs: &[Output], between: fn(&Fact<'static>) -> bool) -> usize {
    by_call(outputs)
        .values()
        .map(|facts| {
            let mut spoke = false;
            let mut seen = false;
            let mut times = 0;
            for fact in facts {
                match fact {
                    Fact::SpeechStopped {
                        actor: Speaker::Caller,
                    } => {
                        spoke = true;
                        seen = false;
                    }
                    Fact::SpeechStarted {
                        actor: Speaker::Agent,
                    } => {
                        spoke = false;
                    }
                    Fact::SpeechStarted {
                        actor: Speaker::Caller,
                    } => {
                        times += usize::from(spoke && !seen);
                    }
                    fact => seen |= between(fact),
                }
            }
            times
        })
        .sum()
}

fn everywhere() -> FaultScope {
    FaultScope::default()
}

#[test]
fn llm_503() {
    drill("llm_503", &everywhere())
        .shows(100, llm_error("http_503"))
        .loses_callers()
        .recovers();
}

#[test]
fn llm_rate_limited() {
    drill("llm_rate_limited", &everywhere())
        .shows(100, llm_error("rate_limited"))
        .loses_callers()
        .recovers();
}

#[test]
fn llm_hang() {
    let story = drill("llm_hang", &everywhere());
    story.loses_callers().recovers();
    // Asked, and never a word or an error.
    let asked = count(&story.during, |f| {
        matches!(f, Fact::LlmResponseStarted { .. })
    });
    let ended = count(&story.during, |f| {
        matches!(f, Fact::LlmResponseEnded { .. })
    });
    assert!(asked > ended + 50, "{asked} asked, {ended} ended");
    assert_eq!(
        count(&story.during, |f| matches!(f, Fact::ServiceError { .. })),
        0
    );
}

#[test]
fn llm_empty() {
    drill("llm_empty", &everywhere())
        .shows(50, |fact| {
            matches!(
                fact,
                Fact::LlmResponseEnded {
                    chars: 0,
                    tool_calls: 0,
                    ..
                }
            )
        })
        .loses_callers()
        .recovers();
}

#[test]
fn llm_slow() {
    drill("llm_slow", &everywhere())
        .shows(
            50,
            |fact| matches!(fact, Fact::TurnLatency { total_ms } if *total_ms > 3_500),
        )
        .recovers();
}

#[test]
fn asr_silent() {
    let story = drill("asr_silent", &everywhere());
    story.loses_callers().recovers();
    let heard = |fact: &Fact<'static>| {
        matches!(
            fact,
            Fact::TranscriptFinal {
                role: UtteranceRole::Caller,
                ..
            }
        )
    };
    let during = left_alone(&story.during, heard);
    assert!(during > 50, "{during}");
    assert_eq!(left_alone(&story.after, heard), 0);
    assert_eq!(
        count(&story.during, |f| matches!(f, Fact::ServiceError { .. })),
        0
    );
}

#[test]
fn asr_error() {
    drill("asr_error", &everywhere())
        .shows(50, |fact| {
            matches!(fact, Fact::ServiceError { service, .. }
                if service.contains("hear") || service.contains("scribe"))
        })
        .loses_callers()
        .recovers();
}

#[test]
fn tts_silent() {
    let story = drill("tts_silent", &everywhere());
    story.loses_callers().recovers();
    let asked = count(&story.during, |f| matches!(f, Fact::TtsStarted { .. }));
    let heard = count(&story.during, |f| {
        matches!(
            f,
            Fact::SpeechStarted {
                actor: Speaker::Agent
            }
        )
    });
    assert!(asked > heard + 50, "{asked} texts, {heard} heard");
}

#[test]
fn tts_error() {
    drill("tts_error", &everywhere())
        .shows(50, |fact| {
            matches!(fact, Fact::ServiceError { service, .. }
                if service.contains("voice") || service.contains("speak"))
        })
        .loses_callers()
        .recovers();
}

#[test]
fn tts_truncated() {
    drill("tts_truncated", &everywhere())
        .shows(50, |fact| {
            matches!(
                fact,
                Fact::TranscriptFinal {
                    role: UtteranceRole::Agent,
                    interrupted: false,
                    unspoken: Some(_),
                    ..
                }
            )
        })
        .recovers();
}

#[test]
fn tool_timeout() {
    drill("tool_timeout", &everywhere())
        .shows(20, |fact| {
            matches!(
                fact,
                Fact::ToolTimedOut {
                    deadline_ms: Some(10_000),
                    ..
                }
            )
        })
        .recovers();
}

#[test]
fn tool_error() {
    let story = drill("tool_error", &everywhere());
    story
        .shows(20, |fact| matches!(fact, Fact::ToolFailed { .. }))
        .recovers();
    // The AI is honest about it: no promise is made on a tool that failed.
    let promises = events(&story.during)
        .filter(|event| (20_000..120_000).contains(&event.at.since(MORNING)))
        .filter(|event| matches!(&event.fact, Fact::CallUpdated(news) if news.promises.is_some()));
    assert_eq!(promises.count(), 0);
}

#[test]
fn one_tool() {
    let scope = FaultScope {
        tool: Some("payments.capture".to_owned()),
        ..everywhere()
    };
    let story = drill("tool_error", &scope);
    let failed = |f: &Fact<'static>| matches!(f, Fact::ToolFailed { .. });
    story.shows(3, failed);
    assert!(
        facts(&story.during)
            .filter(|fact| failed(fact))
            .all(|fact| {
                matches!(fact, Fact::ToolFailed { tool, .. } if tool.name == "payments.capture")
            })
    );
}

#[test]
fn network_drop() {
    let story = drill("network_drop", &everywhere());
    story
        .shows(20, |fact| {
            matches!(fact, Fact::TransportDisconnected { .. })
        })
        .recovers();
    let back = count(&story.during, |f| {
        matches!(f, Fact::TransportReconnected { .. })
    });
    let lost = count(&story.during, |f| {
        matches!(f, Fact::CallEnded { reason, ended_by: EndedBy::Platform }
            if reason == "the connection was lost")
    });
    assert!(back > 5 && lost > 5, "{back} came back, {lost} did not");
}

#[test]
fn network_poor() {
    drill("network_poor", &everywhere())
        .shows(100, |fact| {
            matches!(fact, Fact::TransportQuality { loss, rtt_ms, .. }
                if *loss > 0.05 && *rtt_ms > 300.0)
        })
        .recovers();
}

#[test]
fn region_down() {
    let scope = FaultScope {
        region: Some("eu-west".to_owned()),
        ..everywhere()
    };
    let story = drill("region_down", &scope);
    story
        .shows(50, |fact| {
            matches!(fact, Fact::ServiceError { error_type, usable: Some(false), .. }
                if error_type == "connection_refused")
        })
        .recovers();
    let errors = facts(&story.during).filter_map(|fact| match fact {
        Fact::ServiceError { service, .. } => Some(service.as_ref()),
        _ => None,
    });
    assert!(
        errors
            .into_iter()
            .all(|service| service.ends_with("@eu-west"))
    );
    let change = |wanted: bool| {
        count(
            &story.during,
            |f| matches!(f, Fact::ServiceAvailabilityChanged { available, .. } if *available == wanted),
        )
    };
    assert!(change(false) > 50 && change(true) > 50);
}

#[test]
fn orchestration_stall() {
    drill("orchestration_stall", &everywhere())
        .shows(
            50,
            |fact| matches!(fact, Fact::PipelineStalled { secs } if *secs >= 5.0),
        )
        .loses_callers()
        .recovers();
}

#[test]
fn worker_lost() {
    let story = drill("worker_lost", &everywhere());
    story
        .shows(20, |fact| matches!(fact, Fact::WorkerLost { .. }))
        .recovers();
    assert!(
        count(&story.during, |f| matches!(
            f,
            Fact::WorkerRegistered { .. }
        )) > 10
    );
}

#[test]
fn vendors_die() {
    let llm = drill("llm_dead", &everywhere());
    llm.loses_callers().recovers();
    let ended = count(&llm.during, |f| matches!(f, Fact::LlmResponseEnded { .. }));
    let asked = count(&llm.during, |f| {
        matches!(f, Fact::LlmResponseStarted { .. })
    });
    assert!(asked > ended + 50, "{asked} asked, {ended} ended");
    for story in [
        drill("asr_dead", &everywhere()),
        drill("tts_dead", &everywhere()),
    ] {
        story.loses_callers().recovers();
        assert_eq!(
            count(&story.during, |f| matches!(f, Fact::ServiceError { .. })),
            0
        );
    }
}

#[test]
fn llm_sluggish() {
    let story = drill("llm_sluggish", &everywhere());
    story.recovers();
    let late = |outputs: &[Output]| {
        count(
            outputs,
            |f| matches!(f, Fact::ServiceLatency { metric: LatencyMetric::Ttft, ms, .. } if *ms > 1_200.0),
        )
    };
    assert!(late(&story.during) > 100, "{}", late(&story.during));
    assert!(late(&story.after) < 5, "{}", late(&story.after));
}

#[test]
fn llm_pool_full() {
    let story = drill("llm_pool_full", &everywhere());
    story.shows(5, llm_error("overloaded")).recovers();
    let mut waits: Vec<f64> = Vec::new();
    for fact in facts(&story.during) {
        if let Fact::ServiceLatency {
            metric: LatencyMetric::Ttft,
            ms,
            ..
        } = fact
        {
            waits.push(*ms);
        }
    }
    let mean = |waits: &[f64]| waits.iter().sum::<f64>() / waits.len() as f64;
    assert!(mean(&waits[..5]) < 800.0, "{:?}", &waits[..5]);
    assert!(mean(&waits[20..60]) > 3_000.0, "{:?}", &waits[20..60]);
}

#[test]
fn asr_garbled() {
    let story = drill("asr_garbled", &everywhere());
    story
        .shows(10, |fact| {
            matches!(fact, Fact::TranscriptFinal { role: UtteranceRole::Caller, text, .. }
                if text.is_empty())
        })
        .loses_callers()
        .recovers();
}

#[test]
fn workers_starved() {
    let story = drill("workers_starved", &everywhere());
    story.recovers();
    // From the beginning of a call to its first sound, in the order of beginnings.
    let mut began = BTreeMap::new();
    let mut waits = BTreeMap::new();
    for event in events(&story.during) {
        let Some(call) = &event.call else { continue };
        match &event.fact {
            Fact::CallStarted(_) => {
                began.insert(call.clone(), event.at);
            }
            Fact::SpeechStarted { .. } => {
                if let Some(began) = began.remove(call) {
                    waits.insert(began, event.at.since(began));
                }
            }
            _ => {}
        }
    }
    let of = |from_ms: i64, until_ms: i64| {
        let span = MORNING + from_ms..MORNING + until_ms;
        let waits: Vec<_> = waits.range(span).map(|(_, wait)| *wait).collect();
        waits.iter().sum::<i64>() / waits.len() as i64
    };
    let (early, late, after) = (of(0, 15_000), of(40_000, 100_000), of(125_000, 170_000));
    assert!((4_000..10_000).contains(&early), "{early}");
    assert!(late > early + 4_000, "{early}, then {late}");
    assert!(after < 1_500, "{after}");
}

#[test]
fn who_is_gone_does_not_beat_and_all_others_do() {
    let mut platform = platform(3, 20).beating(250);
    let scope = FaultScope {
        provider: Some("Vendor A".to_owned()),
        region: Some("eu-west".to_owned()),
        ..everywhere()
    };
    let beats = |told: &[Output]| {
        let mut beats: BTreeMap<(String, String, Option<Layer>), usize> = BTreeMap::new();
        for event in events(told) {
            if let Fact::Beat { name, region, .. } = &event.fact {
                let region = region.clone().unwrap_or_default().into_owned();
                let key = (name.clone().into_owned(), region, event.layer);
                *beats.entry(key).or_default() += 1;
            }
        }
        beats
    };
    let key = (
        "Vendor A".to_owned(),
        "eu-west".to_owned(),
        Some(Layer::Llm),
    );
    let before = beats(&run(&mut platform, 60_000));
    // Four a second, but for a lost one now and then.
    assert!(before.len() > 24, "{before:?}");
    assert!(
        before.values().all(|n| (235..=240).contains(n)),
        "{before:?}"
    );

    let id = platform.start_fault("llm_dead", &scope).unwrap();
    let during = beats(&run(&mut platform, 60_000));
    assert_eq!(during.get(&key), None);
    assert_eq!(during.len(), before.len() - 1);
    platform.end_injection(&id);
    assert_eq!(beats(&run(&mut platform, 60_000)).len(), before.len());

    // A fault of some calls takes nobody's beats.
    for scope in [
        FaultScope {
            queue: Some("orders".to_owned()),
            ..everywhere()
        },
        FaultScope {
            share: Some(0.5),
            ..everywhere()
        },
    ] {
        platform.start_fault("llm_dead", &scope).unwrap();
    }
    assert_eq!(beats(&run(&mut platform, 60_000)).len(), before.len());
}

#[test]
fn a_fault_that_ends_leaves_the_others_alone() {
    let mut platform = platform(3, 60);
    let first = platform.start_fault("llm_503", &everywhere()).unwrap();
    platform.start_fault("tts_error", &everywhere()).unwrap();
    platform.end_injection(&first);
    assert_eq!(active(&run(&mut platform, 1)).map(Vec::len), Some(1));
    let told = run(&mut platform, 60_000);
    assert_eq!(count(&told, llm_error("http_503")), 0);
    assert!(count(&told, |f| matches!(f, Fact::ServiceError { .. })) > 20);
}

#[test]
fn every_fault_has_its_test() {
    let source = include_str!("faults.rs");
    for kind in FaultKind::ALL {
        let drilled = format!("drill(\"{}\"", kind.id());
        assert!(source.contains(&drilled), "{kind:?}");
    }
}

#[test]
fn a_scope_spares_everybody_else() {
    let mut platform = platform(3, 80);
    let scope = FaultScope {
        provider: Some("Vendor B".to_owned()),
        queue: Some("orders".to_owned()),
        ..everywhere()
    };
    platform.start_fault("llm_503", &scope).unwrap();
    let told: Vec<_> = platform
        .snapshot()
        .into_iter()
        .chain(run(&mut platform, 120_000))
        .collect();
    let mut queue_of = BTreeMap::new();
    let mut hit = 0;
    for event in events(&told) {
        match &event.fact {
            Fact::CallStarted(started) => {
                queue_of.insert(event.call.clone(), started.queue.clone());
            }
            Fact::ServiceError { service, .. } => {
                hit += 1;
                assert_eq!(queue_of[&event.call], "orders");
                assert!(service.starts_with("medium-3"), "{service}");
            }
            _ => {}
        }
    }
    assert!(hit > 3, "{hit}");
}

#[test]
fn a_share_reaches_its_part_of_the_calls_and_always_the_same() {
    let mut platform = platform(3, 200);
    let scope = FaultScope {
        share: Some(0.3),
        ..everywhere()
    };
    platform.start_fault("llm_503", &scope).unwrap();
    let told = run(&mut platform, 60_000);
    let calls = by_call(&told);
    let asked = |facts: &[&Fact<'static>]| {
        facts
            .iter()
            .any(|f| matches!(f, Fact::LlmResponseStarted { .. }))
    };
    let failed = |facts: &[&Fact<'static>]| facts.iter().any(|f| llm_error("http_503")(f));
    let answered_late = |facts: &[&Fact<'static>]| {
        let first = facts.iter().position(|f| llm_error("http_503")(f));
        first.is_some_and(|first| {
            facts[first..].iter().any(|f| {
                matches!(f, Fact::ServiceLatency { metric, .. }
                    if *metric == LatencyMetric::Ttft)
            })
        })
    };
    let all = calls.values().filter(|facts| asked(facts)).count();
    let hit = calls.values().filter(|facts| failed(facts)).count();
    let share = hit as f64 / all as f64;
    assert!((0.2..0.4).contains(&share), "{hit} of {all}");
    assert_eq!(
        calls.values().filter(|facts| answered_late(facts)).count(),
        0
    );
}

#[test]
fn what_cannot_be_injected_is_refused_with_a_reason() {
    let mut platform = platform(3, 1);
    let mut refused = |fault: &str, scope: FaultScope| {
        let before = platform.faults.tell();
        let error = platform.start_fault(fault, &scope).unwrap_err();
        assert_eq!(platform.faults.tell(), before);
        error
    };
    assert_eq!(
        refused("llm_504", everywhere()),
        FaultError::UnknownFault("llm_504".to_owned())
    );
    let vendor = FaultScope {
        provider: Some("Vendor A".to_owned()),
        ..everywhere()
    };
    assert_eq!(
        refused("network_drop", vendor),
        FaultError::NotLimitable {
            fault: "network_drop",
            field: "provider"
        }
    );
    let queue = FaultScope {
        queue: Some("nowhere".to_owned()),
        ..everywhere()
    };
    assert_eq!(
        refused("llm_503", queue),
        FaultError::NoSuch {
            field: "queue",
            value: "nowhere".to_owned()
        }
    );
    let share = |share| FaultScope {
        share: Some(share),
        ..everywhere()
    };
    for bad in [0.0, -1.0, 1.1, f64::NAN] {
        assert_eq!(refused("llm_503", share(bad)), FaultError::Share, "{bad}");
    }
    assert_eq!(
        refused("region_down", everywhere()),
        FaultError::RegionNeeded
    );
    for _ in 0..crate::FAULTS_MAX {
        platform.start_fault("llm_slow", &everywhere()).unwrap();
    }
    let error = platform.start_fault("llm_slow", &everywhere());
    assert_eq!(error, Err(FaultError::TooMany));
}

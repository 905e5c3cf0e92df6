//! A cause group in one sentence: the callers first.

use holdfast_domain::{CauseDimension, CauseGroup, CauseShape, CauseState, CauseTrait};

use crate::words;

pub(super) fn sentence(group: &CauseGroup) -> String {
    let callers = |n: u32, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let bear = match (group.state, group.waiting) {
        (CauseState::Closed, _) => "no caller fails by it any more".to_owned(),
        (CauseState::Recovering, _) => callers(
            group.failing,
            "call has not shown yet that it is well",
            "calls have not shown yet that they are well",
        ),
        (CauseState::Active, 0) => callers(
            group.failing,
            "call gets no good answer",
            "calls get no good answer",
        ),
        (CauseState::Active, waiting) => callers(
            waiting,
            "caller waits in silence",
            "callers wait in silence",
        ),
    };
    let place: String = group.traits.iter().map(part).collect();
    let what = match group.shape {
        CauseShape::RegionOutage => "services of several layers or vendors fail".to_owned(),
        CauseShape::StarvedAutoscaling => "new calls find no machine that serves them".to_owned(),
        CauseShape::SaturatedPool => format!(
            "who asks the {} waits longer and longer",
            words::layer(group.layer)
        ),
        CauseShape::Shared => format!("{} fails", words::layer(group.layer)),
    };
    let everywhere = if group.traits.is_empty() {
        " on calls of every kind"
    } else {
        ""
    };
    format!("{bear}: {what}{place}{everywhere}")
}

/// A trait as a part of the sentence.
fn part(found: &CauseTrait) -> String {
    let value = words::clip(&found.value, 60);
    match found.dimension {
        CauseDimension::Provider => format!(" with {value}"),
        CauseDimension::Model => format!(" with model {value}"),
        CauseDimension::Region => format!(" in {value}"),
        CauseDimension::Zone => format!(" in zone {value}"),
        CauseDimension::Tool => format!(" with tool {value}"),
        CauseDimension::Flow => format!(" in flow {value}"),
        CauseDimension::Build => format!(" with build {value}"),
        CauseDimension::Queue => format!(" in queue {value}"),
        CauseDimension::Language => format!(" in language {value}"),
        CauseDimension::Worker => format!(" on worker {value}"),
    }
}

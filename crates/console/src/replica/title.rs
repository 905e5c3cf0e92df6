//! Commands in words, for the title of an act.

use holdfast_domain::{Command, FaultScope};

/// The longest quotation in a title, in characters.
const QUOTED_MAX: usize = 60;

/// True when both would have the same words in a title.
pub(super) fn is_same_deed(a: &Command, b: &Command) -> bool {
    deed(a, true) == deed(b, true)
}

/// A command in words; `all_the_same` is false when the commands of an act differ in their target.
pub(super) fn deed(command: &Command, all_the_same: bool) -> String {
    match command {
        Command::SwitchModel { layer, to, .. } if all_the_same => {
            format!("Switch {} to {to}", layer.as_str())
        }
        Command::SwitchModel { .. } => "Switch each call to its next service".to_owned(),
        Command::RetryTurn => "Try the failed turn again".to_owned(),
        Command::DisableTools { tools } => format!("Disable {}", tool_words(tools, all_the_same)),
        Command::EnableTools { tools } => format!("Enable {}", tool_words(tools, all_the_same)),
        Command::Announce { text, .. } if all_the_same => {
            format!("Say \u{201c}{}\u{201d}", quoted(text))
        }
        Command::Announce { .. } => "Say a sentence in each caller's language".to_owned(),
        Command::PauseAi => "Pause the AI".to_owned(),
        Command::ResumeAi => "Let the AI speak again".to_owned(),
        Command::Transfer { to, .. } if all_the_same => format!("Transfer to {to}"),
        Command::Transfer { .. } => "Transfer to humans".to_owned(),
        Command::StartFault { fault, scope } => {
            format!("Drill: start {fault} for {}", scope_words(scope))
        }
        Command::StopFault { id: Some(id) } => format!("Drill: stop {id}"),
        Command::StopFault { id: None } => "Drill: stop all faults".to_owned(),
    }
}

fn tool_words(tools: &[String], all_the_same: bool) -> String {
    match tools {
        _ if !all_the_same => "tools".to_owned(),
        [] => "all tools".to_owned(),
        [one] => format!("the tool {one}"),
        many => format!("the tools {}", many.join(", ")),
    }
}

fn scope_words(scope: &FaultScope) -> String {
    let fields = [
        &scope.provider,
        &scope.model,
        &scope.region,
        &scope.tool,
        &scope.queue,
        &scope.call,
    ];
    let mut words: Vec<String> = fields.into_iter().flatten().cloned().collect();
    if words.is_empty() {
        words.push("all calls".to_owned());
    }
    if let Some(share) = scope.share {
        words.push(format!("{:.0} %", share * 100.0));
    }
    words.join(", ")
}

fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(QUOTED_MAX).collect();
    if chars.next().is_some() {
        short.push('\u{2026}');
    }
    short
}

//! A command on the wire: its name, its arguments as an object of their own, its expectation.

use holdfast_domain::{
    CallId, Command, CommandId, CommandName, CommandRecord, FaultScope, HandoffId, Layer,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::CommandFrame;
use crate::error::{ErrorCode, WireError};
use crate::event::data::Nothing;
use crate::event::envelope::Subject;
use crate::schema;
use crate::wire::{Moment, WireText, read};

impl CommandFrame {
    /// The command of a record, as its bridge receives it.
    pub fn from_record(record: &CommandRecord) -> Self {
        Self {
            command_id: record.id.clone(),
            call: record.call.clone(),
            command: record.command.clone(),
            actor: record.actor.clone(),
            issued_at: record.issued_at,
            expires_at: record.expires_at,
            expect_active: record.expect_active.clone(),
        }
    }
}

/// A command on its way out.
#[derive(Serialize)]
pub(super) struct WrittenCommand<'a> {
    command_id: &'a CommandId,
    call: &'a str,
    name: CommandName,
    args: Args<'a>,
    actor: &'a str,
    issued_at: Moment,
    expires_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<Expect<'a>>,
}

impl<'a> WrittenCommand<'a> {
    pub(super) fn of(frame: &'a CommandFrame) -> Self {
        Self {
            command_id: &frame.command_id,
            call: frame.call.as_ref().map_or("*", CallId::as_str),
            name: frame.command.name(),
            args: Args(&frame.command),
            actor: &frame.actor,
            issued_at: Moment(frame.issued_at),
            expires_at: Moment(frame.expires_at),
            expect: frame.expect_active.as_deref().map(|active| Expect {
                active: Some(WireText::of(active)),
            }),
        }
    }
}

/// A command as it came, its arguments not read yet.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Command")]
pub(crate) struct WireCommand<'a> {
    #[serde(borrow)]
    command_id: WireText<'a>,
    /// The call, or * for the whole platform.
    #[serde(borrow)]
    call: Subject<'a>,
    #[serde(borrow)]
    #[schemars(with = "schema::CommandNameForm")]
    name: WireText<'a>,
    #[serde(borrow)]
    #[schemars(with = "schema::AnyObject")]
    args: &'a RawValue,
    #[serde(borrow)]
    actor: WireText<'a>,
    issued_at: Moment,
    expires_at: Moment,
    #[serde(borrow, default)]
    expect: Option<Expect<'a>>,
}

impl WireCommand<'_> {
    pub(super) fn into_frame(self) -> Result<CommandFrame, WireError> {
        let id = self.command_id.0.as_ref();
        let command = command(&self.name.0, self.args.get())
            .map_err(|error| error.with_detail(serde_json::json!({ "command_id": id })))?;
        let call = (!self.call.is_platform()).then(|| CallId::new(self.call.0.0.as_ref()));
        Ok(CommandFrame {
            command_id: CommandId::new(id),
            call,
            command,
            actor: self.actor.0.into_owned(),
            issued_at: self.issued_at.0,
            expires_at: self.expires_at.0,
            expect_active: self
                .expect
                .and_then(|expect| expect.active)
                .map(|active| active.0.into_owned()),
        })
    }
}

/// What the sender believes true.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Expect<'a> {
    /// The active service of the layer that a switch is about.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    active: Option<WireText<'a>>,
}

/// The arguments of `switch_model`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct SwitchModelArgs<'a> {
    #[schemars(with = "schema::SwitchLayerName")]
    layer: Layer,
    #[serde(borrow)]
    to: WireText<'a>,
    retry_turn: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    announcement: Option<WireText<'a>>,
}

/// The arguments of `disable_tools` and `enable_tools`: empty for all.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ToolsArgs<'a> {
    #[serde(borrow)]
    tools: Vec<WireText<'a>>,
}

/// The arguments of `announce`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct AnnounceArgs<'a> {
    #[serde(borrow)]
    text: WireText<'a>,
    /// BCP 47 tag.
    #[serde(borrow)]
    language: WireText<'a>,
}

/// The arguments of `transfer`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TransferArgs<'a> {
    #[serde(borrow)]
    handoff_id: WireText<'a>,
    /// The agent's identity on the platform, or a queue.
    #[serde(borrow)]
    to: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    announcement: Option<WireText<'a>>,
    /// The card's short key for SIP User-to-User.
    #[serde(borrow)]
    key: WireText<'a>,
}

/// The arguments of `start_fault`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct StartFaultArgs<'a> {
    #[serde(borrow)]
    fault: WireText<'a>,
    #[schemars(with = "schema::FaultScopeForm")]
    scope: FaultScope,
}

/// The arguments of `stop_fault`: without an id, all of them.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct StopFaultArgs<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id: Option<WireText<'a>>,
}

/// The arguments of a command, written as an object without its name.
struct Args<'a>(&'a Command);

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Command::SwitchModel {
                layer,
                to,
                retry_turn,
                announcement,
            } => SwitchModelArgs {
                layer: *layer,
                to: WireText::of(to),
                retry_turn: *retry_turn,
                announcement: announcement.as_deref().map(WireText::of),
            }
            .serialize(serializer),
            Command::DisableTools { tools } | Command::EnableTools { tools } => ToolsArgs {
                tools: tools.iter().map(|tool| WireText::of(tool)).collect(),
            }
            .serialize(serializer),
            Command::Announce { text, language } => AnnounceArgs {
                text: WireText::of(text),
                language: WireText::of(language),
            }
            .serialize(serializer),
            Command::Transfer {
                handoff_id,
                to,
                announcement,
                key,
            } => TransferArgs {
                handoff_id: WireText::of(handoff_id.as_str()),
                to: WireText::of(to),
                announcement: announcement.as_deref().map(WireText::of),
                key: WireText::of(key),
            }
            .serialize(serializer),
            Command::StartFault { fault, scope } => StartFaultArgs {
                fault: WireText::of(fault),
                scope: scope.clone(),
            }
            .serialize(serializer),
            Command::StopFault { id } => StopFaultArgs {
                id: id.as_deref().map(WireText::of),
            }
            .serialize(serializer),
            Command::RetryTurn | Command::PauseAi | Command::ResumeAi => {
                Nothing {}.serialize(serializer)
            }
        }
    }
}

/// The command `name` with the arguments in `json`.
fn command(name: &str, json: &str) -> Result<Command, WireError> {
    Ok(match name {
        "switch_model" => {
            let args: SwitchModelArgs<'_> = read(name, "args", json)?;
            Command::SwitchModel {
                layer: args.layer,
                to: args.to.0.into_owned(),
                retry_turn: args.retry_turn,
                announcement: args.announcement.map(|text| text.0.into_owned()),
            }
        }
        "retry_turn" => no_args(name, json, Command::RetryTurn)?,
        "disable_tools" => Command::DisableTools {
            tools: tools(name, json)?,
        },
        "enable_tools" => Command::EnableTools {
            tools: tools(name, json)?,
        },
        "announce" => {
            let args: AnnounceArgs<'_> = read(name, "args", json)?;
            Command::Announce {
                text: args.text.0.into_owned(),
                language: args.language.0.into_owned(),
            }
        }
        "pause_ai" => no_args(name, json, Command::PauseAi)?,
        "resume_ai" => no_args(name, json, Command::ResumeAi)?,
        "transfer" => {
            let args: TransferArgs<'_> = read(name, "args", json)?;
            Command::Transfer {
                handoff_id: HandoffId::new(args.handoff_id.0.as_ref()),
                to: args.to.0.into_owned(),
                announcement: args.announcement.map(|text| text.0.into_owned()),
                key: args.key.0.into_owned(),
            }
        }
        "start_fault" => {
            let args: StartFaultArgs<'_> = read(name, "args", json)?;
            Command::StartFault {
                fault: args.fault.0.into_owned(),
                scope: args.scope,
            }
        }
        "stop_fault" => {
            let args: StopFaultArgs<'_> = read(name, "args", json)?;
            Command::StopFault {
                id: args.id.map(|id| id.0.into_owned()),
            }
        }
        _ => {
            return Err(WireError::new(
                ErrorCode::WrongType,
                "the command's name is not one of this protocol's; answer it with rejected, \
                 unknown_command",
            ));
        }
    })
}

fn no_args(name: &str, json: &str, command: Command) -> Result<Command, WireError> {
    let Nothing {} = read(name, "args", json)?;
    Ok(command)
}

fn tools(name: &str, json: &str) -> Result<Vec<String>, WireError> {
    let args: ToolsArgs<'_> = read(name, "args", json)?;
    Ok(args
        .tools
        .into_iter()
        .map(|tool| tool.0.into_owned())
        .collect())
}

/// The name of each command with the schema of its arguments.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> [(CommandName, Schema); 10] {
    let tools = generator.subschema_for::<ToolsArgs<'static>>();
    let nothing = generator.subschema_for::<Nothing>();
    [
        (
            CommandName::SwitchModel,
            generator.subschema_for::<SwitchModelArgs<'static>>(),
        ),
        (CommandName::RetryTurn, nothing.clone()),
        (CommandName::DisableTools, tools.clone()),
        (CommandName::EnableTools, tools),
        (
            CommandName::Announce,
            generator.subschema_for::<AnnounceArgs<'static>>(),
        ),
        (CommandName::PauseAi, nothing.clone()),
        (CommandName::ResumeAi, nothing),
        (
            CommandName::Transfer,
            generator.subschema_for::<TransferArgs<'static>>(),
        ),
        (
            CommandName::StartFault,
            generator.subschema_for::<StartFaultArgs<'static>>(),
        ),
        (
            CommandName::StopFault,
            generator.subschema_for::<StopFaultArgs<'static>>(),
        ),
    ]
}

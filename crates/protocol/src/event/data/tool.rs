//! Tools.

use holdfast_domain::fact::{Effect, ToolRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;
use crate::wire::{Secs, WireText};

/// Makes one tool struct: the three fields that name the tool call, and its own.
macro_rules! tool_data {
    ($name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(crate) struct $name<'a> {
            #[serde(borrow, rename = "gen_ai.tool.name")]
            name: WireText<'a>,
            #[serde(borrow, rename = "gen_ai.tool.call.id")]
            id: WireText<'a>,
            #[serde(
                borrow,
                rename = "pii.args",
                default,
                skip_serializing_if = "Option::is_none"
            )]
            pub(crate) args: Option<WireText<'a>>,
            $($(#[$attribute])* pub(crate) $field: $kind,)*
        }

        impl<'a> $name<'a> {
            pub(crate) fn of(tool: &'a ToolRef<'_>, $($field: $kind),*) -> Self {
                Self {
                    name: WireText::of(&tool.name),
                    id: WireText::of(&tool.id),
                    args: None,
                    $($field,)*
                }
            }

            /// The tool call that it names.
            pub(crate) fn tool(&mut self) -> ToolRef<'a> {
                ToolRef {
                    name: std::mem::take(&mut self.name.0),
                    id: std::mem::take(&mut self.id.0),
                }
            }
        }
    };
}

tool_data!(ToolRequested {});
tool_data!(ToolStarted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocking: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writes: Option<bool>,
});
tool_data!(ToolCompleted {
    duration_secs: Secs,
    #[serde(borrow, rename = "pii.result", default, skip_serializing_if = "Option::is_none")]
    result: Option<WireText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::EffectName>")]
    effect: Option<Effect>,
});
tool_data!(ToolFailed {
    #[serde(borrow, rename = "error.type")]
    error_type: WireText<'a>,
    #[serde(borrow)]
    message: WireText<'a>,
});
tool_data!(ToolStopped {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline_secs: Option<Secs>,
});

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ToolCatalogChanged<'a> {
    #[serde(borrow)]
    pub(crate) enabled: Vec<WireText<'a>>,
    #[serde(borrow)]
    pub(crate) disabled: Vec<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<WireText<'a>>,
}

//! Of tools.

use holdfast_domain::CauseDimension::{Build, Region, Tool};
use holdfast_domain::Layer::Tools;

use super::{family, hit};
use crate::corpus::Expected::FaultRate;
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "tool_timeout_tool",
        Tools,
        "a tool does not answer in time",
        &[hit("tool_timeout", Tools, &[Tool])],
    ),
    family(
        "tool_error_tool",
        Tools,
        "a tool fails",
        &[hit("tool_error", Tools, &[Tool])],
    ),
    family(
        "tool_error_tool_region",
        Tools,
        "a tool fails in one region",
        &[hit("tool_error", Tools, &[Tool, Region])],
    )
    .held_out(),
    family(
        "tool_error_tool_build",
        Tools,
        "a tool fails for one build of the agent",
        &[hit("tool_error", Tools, &[Tool, Build])],
    ),
    family(
        "tool_rate_50",
        Tools,
        "2 % of uses of a tool fail, then 50 %",
        &[hit("tool_error", Tools, &[Tool]).rises(0.02, 0.5)],
    )
    .is(FaultRate),
    family(
        "tool_rate_35",
        Tools,
        "2 % of uses of a tool fail, then 35 %",
        &[hit("tool_error", Tools, &[Tool]).rises(0.02, 0.35)],
    )
    .is(FaultRate)
    .held_out(),
];

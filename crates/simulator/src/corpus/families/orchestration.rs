//! Of the dialogue.

use holdfast_domain::CauseDimension::{Build, Flow, Queue, Worker};
use holdfast_domain::Layer::Orchestration;

use super::{family, hit};
use crate::corpus::Expected::DeadAir;
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "stall_queue",
        Orchestration,
        "the dialogue of one queue does not move on",
        &[hit("orchestration_stall", Orchestration, &[Queue])],
    )
    .is(DeadAir),
    family(
        "stall_all",
        Orchestration,
        "no dialogue moves on",
        &[hit("orchestration_stall", Orchestration, &[])],
    )
    .is(DeadAir)
    .held_out(),
    family(
        "stall_flow",
        Orchestration,
        "one dialogue flow does not move on",
        &[hit("orchestration_stall", Orchestration, &[Flow])],
    )
    .is(DeadAir),
    family(
        "stall_build",
        Orchestration,
        "the dialogue of one build does not move on",
        &[hit("orchestration_stall", Orchestration, &[Build])],
    )
    .is(DeadAir)
    .held_out(),
    family(
        "stall_worker",
        Orchestration,
        "the dialogues of one worker do not move on",
        &[hit("orchestration_stall", Orchestration, &[Worker])],
    )
    .is(DeadAir),
];

//! What a playbook does, checks and watches.

use super::words::{
    AUDIENCE, MEASURES, NEXT, OTHER, PARITY, ROUTED, SERVICE_RUNGS, SWITCHED_LAYER,
    SWITCHED_LAYERS, TOOL_SETS,
};
use super::{
    ChoiceForm, Field, Form, TableForm, TaggedForm, TextKind, Variant, field, list, number,
    optional, text,
};

/// Seconds that people and platforms need for one step, up to an hour.
const STEP_S: Form = number(1, 3_600, "seconds");
const CALLBACK_MIN: Form = number(5, 2_880, "minutes");
const PERCENT: Form = number(1, 100, "percent");
const PERCENT_FROM_NONE: Form = number(0, 99, "percent");
const COUNT: Form = number(1, 100_000, "how many");
const COUNT_FROM_NONE: Form = number(0, 100_000, "how many");
/// A feed is stale after three seconds; less than a heartbeat cannot be asked of it.
const AGE_MS: Form = number(1_000, 60_000, "milliseconds");
const WAIT_S: Form = number(1, 7_200, "seconds");
pub(super) const ID: Form = text(TextKind::Id, 64);
pub(super) const NAME: Form = text(TextKind::Line, 128);
/// Empty means: without any promise of parity.
pub(super) const PARITY_LIST: Form = list(&PARITY, 0, 7);

const HEARD: Field = field(
    "announcement",
    ID,
    "What the caller hears, in the same step: a name under [announcements].",
);
const HEARD_FIRST: Field = field(
    "announcement",
    ID,
    "What the caller hears first: a name under [announcements].",
);
const RETRY_TURN: Field = field(
    "retry_turn",
    Form::Flag,
    "The failed turn is tried again, so that the caller need not repeat it.",
);
const SWITCH_PARITY: Field = field(
    "parity",
    PARITY_LIST,
    "In what the target must be the equal of the service before; calls without such a target are \
     left alone. Empty: in nothing.",
);
const TOOLS: Field = field(
    "tools",
    Form::Choice(ChoiceForm {
        words: TOOL_SETS,
        keyed: &[field("names", list(&NAME, 1, 64), "Tools by name.")],
    }),
    "Which tools.",
);
const STEP_TIMEOUT: Field = field(
    "timeout_s",
    STEP_S,
    "After this the run stops: nobody goes on without an answer.",
);
const WITHIN: Field = field(
    "within_s",
    STEP_S,
    "Counted from the stage's last command; when it is not true by then, the run stops and is \
     rolled back. At least hold_s.",
);
const PERCENT_OF_CALLS: Field = field("percent_min", PERCENT, "The least share of touched calls.");

const OVERFLOW: TableForm = TableForm {
    name: "what becomes of callers for whom the wait is too long",
    doc: "Callers whose predicted wait is too long are offered a callback.",
    fields: &[
        field(
            "wait_s_max",
            WAIT_S,
            "The longest predicted wait; above it a callback is offered.",
        ),
        field(
            "callback_within_min",
            CALLBACK_MIN,
            "They are called back within this time.",
        ),
        field(
            "announcement",
            ID,
            "The offer that they hear: a name under [announcements].",
        ),
    ],
};

pub(super) const ACTION: TaggedForm = TaggedForm {
    name: "an action",
    tag: "type",
    variants: &[
        Variant {
            word: "switch_model",
            doc: "Another service serves a layer. It can be undone.",
            fields: &[
                field("layer", Form::Words(SWITCHED_LAYERS), "The layer."),
                field(
                    "to",
                    Form::Choice(ChoiceForm {
                        words: NEXT,
                        keyed: &[
                            field(
                                "rung",
                                Form::Words(SERVICE_RUNGS),
                                "The usable one of this rung of each call's ladder.",
                            ),
                            field("provider", NAME, "A usable one of this vendor."),
                            field("service", NAME, "The one of this name on the platform."),
                        ],
                    }),
                    "Which service; calls that have no such usable service are left alone.",
                ),
                HEARD,
                RETRY_TURN,
                SWITCH_PARITY,
            ],
        },
        Variant {
            word: "switch_region",
            doc: "The same layers are served from another region. It can be undone.",
            fields: &[
                field("layers", list(&SWITCHED_LAYER, 1, 3), "The layers."),
                field(
                    "to",
                    Form::Choice(ChoiceForm {
                        words: OTHER,
                        keyed: &[field("region", NAME, "This one.")],
                    }),
                    "Which region; calls that have no usable service there are left alone.",
                ),
                HEARD,
                RETRY_TURN,
                SWITCH_PARITY,
            ],
        },
        Variant {
            word: "retry_turn",
            doc: "The failed turn is tried again.",
            fields: &[],
        },
        Variant {
            word: "disable_tools",
            doc: "Tools are switched off. It can be undone.",
            fields: &[TOOLS],
        },
        Variant {
            word: "enable_tools",
            doc: "Tools are switched on. It can be undone.",
            fields: &[TOOLS],
        },
        Variant {
            word: "minimal_flow",
            doc: "The call goes on with the minimal flow: scripted, without what is not essential. \
                  It can be undone. Only for platforms that offer it.",
            fields: &[HEARD],
        },
        Variant {
            word: "announce",
            doc: "The caller hears a sentence.",
            fields: &[HEARD],
        },
        Variant {
            word: "route_to_humans",
            doc: "Calls go to human agents at the rate that they can take, by risk and then by who \
                  has waited. A call that a human has is not taken back: with in_flight or both \
                  this is beyond the point of no return.",
            fields: &[
                field("calls", Form::Words(ROUTED), "Which of the calls in scope."),
                HEARD_FIRST,
                field(
                    "overflow",
                    Form::Table(&OVERFLOW),
                    "What becomes of callers for whom the wait is too long.",
                ),
            ],
        },
        Variant {
            word: "pause_ai",
            doc: "The AI is silent. It can be undone.",
            fields: &[HEARD_FIRST],
        },
        Variant {
            word: "resume_ai",
            doc: "The AI speaks again. It can be undone.",
            fields: &[optional(
                "announcement",
                ID,
                "What the caller hears first; without it nothing.",
            )],
        },
        Variant {
            word: "transfer",
            doc: "The telephony moves the call to a fixed place. It cannot be undone.",
            fields: &[
                field("to", NAME, "The queue or number, as the platform names it."),
                HEARD_FIRST,
            ],
        },
        Variant {
            word: "callback",
            doc: "A callback is promised and the call ends. It cannot be undone. Only for platforms \
                  that offer it.",
            fields: &[
                field(
                    "within_min",
                    CALLBACK_MIN,
                    "The caller is called back within this time.",
                ),
                field(
                    "announcement",
                    ID,
                    "The promise that the caller hears: a name under [announcements].",
                ),
            ],
        },
        Variant {
            word: "notify",
            doc: "The messages to these audiences are filled and put before a person who sends \
                 them.",
            fields: &[field("audiences", list(&AUDIENCE, 1, 4), "To whom.")],
        },
        Variant {
            word: "wait_until",
            doc: "The run goes on when a check holds.",
            fields: &[
                field("until", Form::Tagged(&CHECK), "The check."),
                STEP_TIMEOUT,
            ],
        },
        Variant {
            word: "ask",
            doc: "The commander is asked, and the run goes on with a yes.",
            fields: &[
                field(
                    "question",
                    text(TextKind::Message, 300),
                    "A question that yes or no answers.",
                ),
                STEP_TIMEOUT,
            ],
        },
    ],
};

pub(super) const CHECK: TaggedForm = TaggedForm {
    name: "a check",
    tag: "check",
    variants: &[
        Variant {
            word: "cause_active",
            doc: "The run is started from a shared cause, and calls fail by it now.",
            fields: &[],
        },
        Variant {
            word: "layer_failing",
            doc: "Of the calls in scope at least this share fails in the playbook's layer.",
            fields: &[
                field(
                    "percent_min",
                    PERCENT,
                    "The least share of the calls in scope.",
                ),
                field("calls_min", COUNT, "The fewest failing calls."),
            ],
        },
        Variant {
            word: "layer_well",
            doc: "Of the calls in scope at most this share has failed in the playbook's layer for a \
                  while.",
            fields: &[
                field("percent_max", PERCENT_FROM_NONE, "The largest share."),
                field("for_s", STEP_S, "For this long."),
            ],
        },
        Variant {
            word: "target_healthy",
            doc: "Of the calls that the switch's targets serve at most this share fails.",
            fields: &[field(
                "percent_max",
                PERCENT_FROM_NONE,
                "The largest share.",
            )],
        },
        Variant {
            word: "target_parity",
            doc: "The switch's targets are the equal of what serves now.",
            fields: &[field("require", list(&PARITY, 1, 7), "In these.")],
        },
        Variant {
            word: "humans_free",
            doc: "Human agents are free.",
            fields: &[field("min", COUNT, "At least this many.")],
        },
        Variant {
            word: "human_wait",
            doc: "The wait for a human, predicted for all calls in scope (Erlang A), is short \
                 enough.",
            fields: &[field("wait_s_max", WAIT_S, "At most this.")],
        },
        Variant {
            word: "no_other_run",
            doc: "No other run touches a call in scope.",
            fields: &[],
        },
        Variant {
            word: "feed_fresh",
            doc: "Every bridge of a call in scope was heard lately: nobody acts while blind.",
            fields: &[field(
                "age_ms_max",
                AGE_MS,
                "Since its last word at most this.",
            )],
        },
    ],
};

pub(super) const ABORT: TaggedForm = TaggedForm {
    name: "an abort condition",
    tag: "when",
    variants: &[
        Variant {
            word: "commands_failed",
            doc: "Too many of the run's commands failed, were rejected or expired.",
            fields: &[
                field("percent_over", PERCENT_FROM_NONE, "Over this share."),
                field(
                    "commands_min",
                    COUNT,
                    "The fewest commands that are judged.",
                ),
            ],
        },
        Variant {
            word: "outcomes_unknown",
            doc: "Of too many calls nobody knows what happened.",
            fields: &[field(
                "calls_over",
                COUNT_FROM_NONE,
                "Over this many calls.",
            )],
        },
        Variant {
            word: "newly_failing",
            doc: "Calls that were well before the run touched them fail now.",
            fields: &[field(
                "calls_over",
                COUNT_FROM_NONE,
                "Over this many calls.",
            )],
        },
        Variant {
            word: "ended_abruptly",
            doc: "Too many touched calls ended abruptly.",
            fields: &[
                field("percent_over", PERCENT_FROM_NONE, "Over this share."),
                field(
                    "calls_min",
                    COUNT,
                    "The fewest touched calls that are judged.",
                ),
            ],
        },
        Variant {
            word: "human_wait",
            doc: "Callers wait too long for a human.",
            fields: &[field(
                "wait_s_over",
                WAIT_S,
                "Over this, predicted or real.",
            )],
        },
        Variant {
            word: "feed_stale",
            doc: "A bridge of a touched call is silent.",
            fields: &[field(
                "age_ms_over",
                AGE_MS,
                "Over this since its last word.",
            )],
        },
        Variant {
            word: "worse_than_untouched",
            doc: "The touched calls do worse than those in scope that are untouched yet.",
            fields: &[
                field("measure", Form::Words(MEASURES), "In what."),
                field(
                    "points_over",
                    PERCENT_FROM_NONE,
                    "By over this many percentage points.",
                ),
                field(
                    "calls_min",
                    COUNT,
                    "The fewest calls on each side that are judged.",
                ),
            ],
        },
    ],
};

pub(super) const VERIFY: TaggedForm = TaggedForm {
    name: "a probe",
    tag: "probe",
    variants: &[
        Variant {
            word: "good_turns",
            doc: "Of the touched calls' next turns so many are good.",
            fields: &[
                field("percent_min", PERCENT, "The least share of good turns."),
                field(
                    "turns_min",
                    COUNT,
                    "The fewest turns that are judged; the stage's calls where there are fewer.",
                ),
                WITHIN,
            ],
        },
        Variant {
            word: "read_back",
            doc: "For so many of the touched calls the platform reads back what the steps should \
                 bring.",
            fields: &[PERCENT_OF_CALLS, WITHIN],
        },
        Variant {
            word: "human_on_call",
            doc: "So many of the touched calls have a human agent or an accepted callback.",
            fields: &[PERCENT_OF_CALLS, WITHIN],
        },
    ],
};

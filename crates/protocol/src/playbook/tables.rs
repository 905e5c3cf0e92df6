//! The tables of a playbook.

use super::act::{ABORT, ACTION, CHECK, ID, NAME, PARITY_LIST, VERIFY};
use super::words::{
    ARMED_RUNGS, ARMED_STATES, DIMENSION, DIMENSIONS, LAYERS, PHASE, PROTECTED, REACHES, RUNG,
    STAGE_REACHES,
};
use super::{
    ChoiceForm, Form, MapForm, TableForm, TaggedForm, TextForm, TextKind, Variant, field, list,
    number, optional, text,
};

const LANGUAGE: TextForm = TextForm {
    kind: TextKind::Language,
    chars_max: 35,
};
const LANGUAGE_FORM: Form = Form::Text(LANGUAGE);
/// Twenty seconds of speech: a caller who waits does not listen longer.
const SPOKEN: Form = text(TextKind::Spoken, 300);
const SENTENCES: Form = Form::Map(MapForm {
    key: LANGUAGE,
    of: &SPOKEN,
    max: LANGUAGES_MAX,
});
const MESSAGE: Form = text(TextKind::Message, 1_000);
/// More languages than any house of callers found serves.
const LANGUAGES_MAX: usize = 40;

/// The whole file.
pub const PLAYBOOK: TableForm = TableForm {
    name: "a playbook",
    doc: "What is done to which calls when a known thing fails.",
    fields: &[
        field(
            "id",
            ID,
            "Names the playbook; unique among those of a hub. A file of your own with the id of \
             one that ships takes its place.",
        ),
        field(
            "version",
            number(1, 1_000_000, "from 1"),
            "Raised with every change of the file; an approval is for one version.",
        ),
        field("title", text(TextKind::Line, 80), "Its name on screen."),
        field(
            "purpose",
            text(TextKind::Line, 300),
            "When to run it and what callers will notice.",
        ),
        field(
            "owner",
            text(TextKind::Line, 80),
            "The team that answers for it.",
        ),
        field(
            "layer",
            Form::Words(LAYERS),
            "The layer whose failure it answers.",
        ),
        field(
            "ttl_s",
            number(10, 86_400, "seconds"),
            "After this a run ends, whatever it has reached. More than all stages and waits together.",
        ),
        field(
            "languages",
            list(&LANGUAGE_FORM, 1, LANGUAGES_MAX),
            "The languages of its announcements. Callers in another language hear the first.",
        ),
        field("selector", Form::Table(&SELECTOR), "Whom it touches."),
        field(
            "approval",
            Form::Tagged(&APPROVAL),
            "Who must agree. An approval is for the exact calls, parameters and version that \
             were shown.",
        ),
        field(
            "preconditions",
            list(&CHECK_FORM, 0, 16),
            "What must be so before the start, and again at the moment of commit. \
             Empty only for what nothing may hold up.",
        ),
        field("steps", list(&STEP_FORM, 1, 32), "What is done, in order."),
        field(
            "stages",
            list(&STAGE_FORM, 1, 10),
            "How many calls at a time: each reaches further than the one before, the last \
             reaches all.",
        ),
        field(
            "abort",
            list(&ABORT_FORM, 1, 16),
            "What stops a run by itself; any one of them is enough.",
        ),
        field(
            "rollback",
            Form::Table(&ROLLBACK),
            "How a run is undone, and up to which step it can be.",
        ),
        field(
            "announcements",
            Form::Map(MapForm {
                key: TextForm {
                    kind: TextKind::Id,
                    chars_max: 64,
                },
                of: &SENTENCES,
                max: 32,
            }),
            "What callers hear: each sentence under its name, in every language of the \
                 playbook.",
        ),
        field(
            "messages",
            Form::Table(&MESSAGES),
            "What is told to each audience; filled from live numbers, sent by a person.",
        ),
        optional(
            "armed",
            list(&ARMED_FORM, 0, 32),
            "What the hub does by itself, for each queue and layer. Without it only people start \
             the playbook.",
        ),
    ],
};

const CHECK_FORM: Form = Form::Tagged(&CHECK);
const STEP_FORM: Form = Form::Table(&STEP);
const STAGE_FORM: Form = Form::Table(&STAGE);
const ABORT_FORM: Form = Form::Tagged(&ABORT);
const UNDO_FORM: Form = Form::Table(&UNDO);
const TRAIT_FORM: Form = Form::Table(&TRAIT);
const ARMED_FORM: Form = Form::Table(&ARMED);
const ARMED_RUNG_FORM: Form = Form::Table(&ARMED_RUNG);

const SELECTOR: TableForm = TableForm {
    name: "a selector",
    doc: "Whom the playbook touches. A call is touched once in a run.",
    fields: &[
        field("scope", Form::Tagged(&SCOPE), "Among which calls."),
        field("reach", Form::Words(REACHES), "Which of them."),
        field(
            "phases",
            list(&PHASE, 1, 2),
            "Where the calls are in their life.",
        ),
        optional(
            "rungs",
            list(&RUNG, 0, 5),
            "On which rung of the ladder they stand; without it on any.",
        ),
        field(
            "protected",
            Form::Words(PROTECTED),
            "What becomes of calls in a payment or an identity check.",
        ),
    ],
};

const SCOPE: TaggedForm = TaggedForm {
    name: "a scope",
    tag: "by",
    variants: &[
        Variant {
            word: "cause",
            doc: "Calls with the traits of the shared cause from which the run is started.",
            fields: &[field(
                "dimensions",
                list(&DIMENSION, 0, 10),
                "The cause must name at least one of these; empty for any cause of the layer.",
            )],
        },
        Variant {
            word: "traits",
            doc: "Calls with these traits: of the same dimension one of them, of different \
                 dimensions each.",
            fields: &[field("traits", list(&TRAIT_FORM, 1, 64), "The traits.")],
        },
        Variant {
            word: "all",
            doc: "Every live call.",
            fields: &[],
        },
    ],
};

const TRAIT: TableForm = TableForm {
    name: "a trait",
    doc: "One thing that calls have in common.",
    fields: &[
        field("dimension", Form::Words(DIMENSIONS), "In which respect."),
        field(
            "value",
            NAME,
            "The value, as the platform says it: Vendor A, eu-west, billing.",
        ),
    ],
};

const GLASS_REASON: super::Field = field(
    "reason_chars_min",
    number(1, 500, "characters"),
    "The fewest characters of the written reason; a reason is always required.",
);
const GLASS_REVIEW: super::Field = field(
    "review_within_h",
    number(1, 168, "hours"),
    "Somebody else must review the run within this time; the review opens by itself.",
);

const BREAK_GLASS: TableForm = TableForm {
    name: "a way to go on alone",
    doc: "What one person owes who goes on without a second.",
    fields: &[GLASS_REASON, GLASS_REVIEW],
};

const APPROVAL: TaggedForm = TaggedForm {
    name: "an approval",
    tag: "class",
    variants: &[
        Variant {
            word: "none",
            doc: "The person who starts it sees the preview and starts it. Not for what cannot be \
             undone.",
            fields: &[],
        },
        Variant {
            word: "confirm",
            doc: "The person who starts it confirms the preview.",
            fields: &[],
        },
        Variant {
            word: "two_person",
            doc: "A second person, never the one who asked.",
            fields: &[
                field(
                    "expires_s",
                    number(10, 900, "seconds"),
                    "After this the approval is void. Without it an old yes could start a new \
                     act.",
                ),
                optional(
                    "break_glass",
                    Form::Table(&BREAK_GLASS),
                    "How one person can go on alone; without it not at all.",
                ),
            ],
        },
        Variant {
            word: "break_glass",
            doc: "One person alone, with a written reason and a review afterwards.",
            fields: &[GLASS_REASON, GLASS_REVIEW],
        },
    ],
};

const STEP: TableForm = TableForm {
    name: "a step",
    doc: "Steps on calls that follow one another are done together, for each stage in turn. \
          notify, wait_until and ask are done once, where they stand: before, between or after \
          such blocks.",
    fields: &[
        field("id", ID, "Names the step within the playbook."),
        field("action", Form::Tagged(&ACTION), "What is done."),
    ],
};

const STAGE: TableForm = TableForm {
    name: "a stage",
    doc: "The steps are done for these calls, then the run waits and looks.",
    fields: &[
        field(
            "reach",
            Form::Choice(ChoiceForm {
                words: STAGE_REACHES,
                keyed: &[field(
                    "percent",
                    number(1, 99, "percent"),
                    "This share of the calls in scope.",
                )],
            }),
            "How many of the calls in scope are touched by the end of it, the earlier \
                 stages' included.",
        ),
        field(
            "hold_s",
            number(0, 3_600, "seconds"),
            "The run waits at least this long before the next stage.",
        ),
        field(
            "verify",
            Form::Tagged(&VERIFY),
            "What must be true before the next stage.",
        ),
    ],
};

const ROLLBACK: TableForm = TableForm {
    name: "a rollback",
    doc: "Reversible steps are undone backwards, on the calls that the run touched.",
    fields: &[
        field(
            "undo",
            list(&UNDO_FORM, 0, 32),
            "One entry for each step that can be undone.",
        ),
        optional(
            "point_of_no_return",
            ID,
            "The step from which a call is not rolled back any more: the first that cannot be \
             undone, or one before it.",
        ),
    ],
};

const UNDO: TableForm = TableForm {
    name: "an undo",
    doc: "What is done follows from the step: the call gets back the service, the tools, the flow \
         or the AI that it had.",
    fields: &[
        field("step", ID, "The step."),
        optional(
            "announcement",
            ID,
            "What the caller hears; without it nothing.",
        ),
    ],
};

const MESSAGES: TableForm = TableForm {
    name: "the messages",
    doc: "One for each audience.",
    fields: &[
        field("executive", MESSAGE, "For who answers for the business."),
        field(
            "front_line",
            MESSAGE,
            "For human agents and their supervisors.",
        ),
        field(
            "caller",
            MESSAGE,
            "For callers, outside of a call: web page, waiting line.",
        ),
        field("provider", MESSAGE, "For the vendor whose service fails."),
    ],
};

const ARMED: TableForm = TableForm {
    name: "an armed playbook",
    doc: "The hub moves a call down its ladder by itself when the layer fails: the failed turn is \
         tried again, and never inside an utterance, a payment or a tool write.",
    fields: &[
        optional("queues", list(&NAME, 0, 64), "The queues; without it all."),
        field(
            "layer",
            Form::Words(super::words::SWITCHED_LAYERS),
            "The layer.",
        ),
        field(
            "state",
            Form::Words(ARMED_STATES),
            "The state of the layer that starts it.",
        ),
        field(
            "rungs",
            list(&ARMED_RUNG_FORM, 1, 4),
            "What is tried, in the order of the ladder.",
        ),
        field(
            "parity",
            PARITY_LIST,
            "In what a target must be the equal of the service before. Empty: in nothing.",
        ),
        field(
            "return",
            Form::Table(&RETURN),
            "When a call goes back to its primary.",
        ),
        field(
            "budget",
            Form::Table(&BUDGET),
            "How many failovers may happen, so that they do not become the outage.",
        ),
        field(
            "breaker",
            Form::Table(&BREAKER),
            "When it stops by itself and asks a person.",
        ),
    ],
};

const ARMED_RUNG: TableForm = TableForm {
    name: "an armed rung",
    doc: "One thing to try.",
    fields: &[
        field("rung", Form::Words(ARMED_RUNGS), "Which."),
        field(
            "deadline_ms",
            number(100, 60_000, "milliseconds"),
            "From the attempt; after it the next rung is tried.",
        ),
        field(
            "announcement",
            ID,
            "What the caller hears, in the same step: a name under [announcements].",
        ),
    ],
};

const RETURN: TableForm = TableForm {
    name: "a return",
    doc: "No call flips twice.",
    fields: &[
        field(
            "good_probes",
            number(1, 100, "how many"),
            "Good probes of the primary in a row.",
        ),
        field(
            "dwell_s",
            number(1, 86_400, "seconds"),
            "The least time on the other rung.",
        ),
    ],
};

const BUDGET: TableForm = TableForm {
    name: "a budget",
    doc: "Above it the hub does no more by itself and calls a person.",
    fields: &[
        field(
            "per_minute",
            number(1, 100_000, "how many"),
            "The most failovers in any minute.",
        ),
        field(
            "live_percent",
            number(1, 100, "percent"),
            "The most live calls off their primary at once.",
        ),
    ],
};

const BREAKER: TableForm = TableForm {
    name: "a breaker",
    doc: "Failovers that fail are not repeated on everybody.",
    fields: &[
        field(
            "failed_percent",
            number(1, 100, "percent"),
            "It opens when this share of the newest attempts failed.",
        ),
        field(
            "attempts_min",
            number(1, 10_000, "how many"),
            "The fewest attempts that are judged.",
        ),
        field(
            "open_s",
            number(1, 3_600, "seconds"),
            "After this one attempt is made again.",
        ),
    ],
};

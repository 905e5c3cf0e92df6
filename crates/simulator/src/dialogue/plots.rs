//! What the calls are about: the steps of each dialogue, the same in every language.

use holdfast_domain::{IdentityLevel, Protected};

/// One kind of call.
#[derive(Debug)]
pub(crate) struct Plot {
    /// Names the plot's sentences in the files of lines.
    pub(crate) key: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) intent: &'static str,
    pub(crate) flow: &'static str,
    pub(crate) high_risk: bool,
    /// What caller and agent go through, in order.
    pub(crate) beats: &'static [Beat],
}

/// One step: the caller says something, the agent answers.
#[derive(Debug)]
pub(crate) struct Beat {
    /// Slots that the caller fills with what they say.
    pub(crate) slots: &'static [&'static str],
    /// A check lasts from the agent's question before to the answer after, a payment while its tool
    /// is at work.
    pub(crate) protected: Option<Protected>,
    /// What the agent does before it answers.
    pub(crate) tool: Option<Tool>,
    /// What is known of the caller's identity once it is done.
    pub(crate) identity: Option<(&'static str, IdentityLevel)>,
    /// The answer makes the plot's promise.
    pub(crate) promise: bool,
    /// The answer commits the agent to something further.
    pub(crate) commits: bool,
    /// How the caller feels as they speak, -1 to 1.
    pub(crate) mood: f64,
}

/// A tool as a beat uses it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) writes: bool,
    /// JSON with places for values.
    pub(crate) args: &'static str,
    /// JSON with places for values.
    pub(crate) result: &'static str,
}

const PLAIN: Beat = Beat {
    slots: &[],
    protected: None,
    tool: None,
    identity: None,
    promise: false,
    commits: false,
    mood: 0.1,
};

const fn reads(name: &'static str, args: &'static str, result: &'static str) -> Tool {
    Tool {
        name,
        writes: false,
        args,
        result,
    }
}

const fn writes(name: &'static str, args: &'static str, result: &'static str) -> Tool {
    Tool {
        name,
        writes: true,
        args,
        result,
    }
}

const CUSTOMER: Tool = reads(
    "crm.lookup",
    r#"{"account":"{account}"}"#,
    r#"{"found":true,"name":"{customer}"}"#,
);

/// Every kind of call.
pub(crate) static PLOTS: [Plot; 6] = [
    Plot {
        key: "billing",
        queue: "billing",
        intent: "dispute_charge",
        flow: "billing-v3",
        high_risk: false,
        beats: &[
            Beat {
                slots: &["amount", "month"],
                mood: -0.3,
                ..PLAIN
            },
            Beat {
                slots: &["account"],
                protected: Some(Protected::Identity),
                tool: Some(CUSTOMER),
                identity: Some(("customer number", IdentityLevel::Partial)),
                mood: -0.1,
                ..PLAIN
            },
            Beat {
                slots: &["last4"],
                protected: Some(Protected::Identity),
                tool: Some(reads(
                    "identity.verify",
                    r#"{"last4":"{last4}"}"#,
                    r#"{"match":true}"#,
                )),
                identity: Some(("customer number and last four digits", IdentityLevel::Full)),
                ..PLAIN
            },
            Beat {
                tool: Some(reads(
                    "billing.history",
                    r#"{"account":"{account}","months":6}"#,
                    r#"{"cancelled_in":"{month}","charge":"{amount}","mistake":true}"#,
                )),
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                protected: Some(Protected::Payment),
                tool: Some(writes(
                    "refunds.create",
                    r#"{"account":"{account}","amount":"{amount}"}"#,
                    r#"{"status":"created","reference":"{ref}"}"#,
                )),
                promise: true,
                mood: 0.3,
                ..PLAIN
            },
            Beat {
                commits: true,
                mood: 0.2,
                ..PLAIN
            },
        ],
    },
    Plot {
        key: "orders",
        queue: "orders",
        intent: "track_order",
        flow: "orders-v5",
        high_risk: false,
        beats: &[
            Beat {
                slots: &["order", "day"],
                tool: Some(reads(
                    "track_order",
                    r#"{"order":"{order}"}"#,
                    r#"{"status":"delivery_failed","depot":"{city}"}"#,
                )),
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                mood: -0.5,
                ..PLAIN
            },
            Beat {
                slots: &["day2"],
                tool: Some(writes(
                    "delivery.reschedule",
                    r#"{"order":"{order}","day":"{day2}","window":"08-12"}"#,
                    r#"{"status":"booked","reference":"{ref}"}"#,
                )),
                promise: true,
                mood: 0.1,
                ..PLAIN
            },
            Beat { ..PLAIN },
            Beat {
                slots: &["neighbor"],
                tool: Some(writes(
                    "orders.add_note",
                    r#"{"order":"{order}","note":"neighbor {neighbor}"}"#,
                    r#"{"status":"saved"}"#,
                )),
                mood: 0.3,
                ..PLAIN
            },
        ],
    },
    Plot {
        key: "travel",
        queue: "travel",
        intent: "rebook_flight",
        flow: "travel-v2",
        high_risk: false,
        beats: &[
            Beat {
                slots: &["city", "day"],
                mood: -0.5,
                ..PLAIN
            },
            Beat {
                slots: &["booking"],
                protected: Some(Protected::Identity),
                tool: Some(reads(
                    "bookings.lookup",
                    r#"{"booking":"{booking}"}"#,
                    r#"{"passenger":"{customer}","to":"{city}","status":"cancelled"}"#,
                )),
                identity: Some(("booking code", IdentityLevel::Partial)),
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                tool: Some(reads(
                    "flights.search",
                    r#"{"to":"{city}","day":"{day}","time":"morning"}"#,
                    r#"{"departure":"{time}","difference":"{amount}"}"#,
                )),
                ..PLAIN
            },
            Beat {
                protected: Some(Protected::Payment),
                tool: Some(writes(
                    "payments.capture",
                    r#"{"booking":"{booking}","amount":"{amount}"}"#,
                    r#"{"status":"captured","reference":"{ref}"}"#,
                )),
                mood: 0.1,
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "bookings.change",
                    r#"{"booking":"{booking}","departure":"{time}","seat":"14C"}"#,
                    r#"{"status":"changed"}"#,
                )),
                promise: true,
                mood: 0.4,
                ..PLAIN
            },
        ],
    },
    Plot {
        key: "cards",
        queue: "cards",
        intent: "card_lost",
        flow: "cards-v7",
        high_risk: true,
        beats: &[
            Beat {
                slots: &["city"],
                mood: -0.7,
                ..PLAIN
            },
            Beat {
                slots: &["dob"],
                protected: Some(Protected::Identity),
                identity: Some(("date of birth", IdentityLevel::Partial)),
                mood: -0.5,
                ..PLAIN
            },
            Beat {
                slots: &["code"],
                protected: Some(Protected::Identity),
                tool: Some(reads(
                    "identity.verify",
                    r#"{"code":"{code}"}"#,
                    r#"{"match":true}"#,
                )),
                identity: Some(("date of birth and app code", IdentityLevel::Full)),
                mood: -0.4,
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "cards.block",
                    r#"{"last4":"{last4}"}"#,
                    r#"{"status":"blocked","recent":[{"shop":"{shop}","amount":"{amount}"}]}"#,
                )),
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "disputes.open",
                    r#"{"last4":"{last4}","amount":"{amount}","shop":"{shop}"}"#,
                    r#"{"status":"open","reference":"{ref}"}"#,
                )),
                promise: true,
                mood: -0.3,
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "cards.reissue",
                    r#"{"last4":"{last4}"}"#,
                    r#"{"status":"ordered","days":3}"#,
                )),
                commits: true,
                mood: 0.3,
                ..PLAIN
            },
        ],
    },
    Plot {
        key: "internet",
        queue: "internet",
        intent: "report_outage",
        flow: "outage-v4",
        high_risk: false,
        beats: &[
            Beat {
                slots: &["city"],
                mood: -0.4,
                ..PLAIN
            },
            Beat {
                slots: &["account"],
                protected: Some(Protected::Identity),
                tool: Some(CUSTOMER),
                identity: Some(("customer number", IdentityLevel::Partial)),
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                tool: Some(reads(
                    "network.line_test",
                    r#"{"account":"{account}"}"#,
                    r#"{"fault":"street_cabinet","repair_by":"{time}"}"#,
                )),
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "sim.add_data",
                    r#"{"account":"{account}","gigabytes":20}"#,
                    r#"{"status":"added"}"#,
                )),
                mood: -0.3,
                ..PLAIN
            },
            Beat {
                tool: Some(writes(
                    "credits.create",
                    r#"{"account":"{account}","amount":"{amount}"}"#,
                    r#"{"status":"created","reference":"{ref}"}"#,
                )),
                promise: true,
                mood: 0.2,
                ..PLAIN
            },
        ],
    },
    Plot {
        key: "appointments",
        queue: "appointments",
        intent: "book_appointment",
        flow: "health-v1",
        high_risk: true,
        beats: &[
            Beat {
                slots: &["doctor"],
                mood: -0.2,
                ..PLAIN
            },
            Beat {
                slots: &["dob"],
                protected: Some(Protected::Identity),
                tool: Some(reads(
                    "patients.lookup",
                    r#"{"born":"{dob}"}"#,
                    r#"{"found":true,"name":"{customer}"}"#,
                )),
                identity: Some(("date of birth", IdentityLevel::Partial)),
                ..PLAIN
            },
            Beat {
                tool: Some(reads(
                    "appointments.search",
                    r#"{"doctor":"{doctor}"}"#,
                    r#"{"free":[{"day":"{day2}","time":"{time}"}]}"#,
                )),
                ..PLAIN
            },
            Beat {
                slots: &["day2", "time"],
                tool: Some(writes(
                    "appointments.book",
                    r#"{"doctor":"{doctor}","day":"{day2}","time":"{time}"}"#,
                    r#"{"status":"booked","reference":"{ref}"}"#,
                )),
                promise: true,
                mood: 0.3,
                ..PLAIN
            },
            Beat { mood: 0.3, ..PLAIN },
        ],
    },
];

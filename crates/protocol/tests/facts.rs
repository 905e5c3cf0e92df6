//! Every fact that is written is read back as it was, whatever its text.

#![expect(clippy::unwrap_used, reason = "this is a test")]

mod strategy;

use holdfast_domain::fact::FactEnvelope;
use holdfast_protocol::event::{Inbound, parse_bridge_frame, write_batch, write_event};
use proptest::prelude::*;

const SOURCE: &str = "//bridges/test/1";
const EPOCH: &str = "0198c5a2-7c1e";

fn read_back(frame: &str) -> Vec<FactEnvelope<'_>> {
    let Inbound::Events(events) = parse_bridge_frame(frame).unwrap() else {
        panic!("{frame} is no event");
    };
    events
        .into_iter()
        .map(|event| {
            assert_eq!((&*event.source, &*event.epoch), (SOURCE, EPOCH));
            let fact = event.fact.unwrap();
            assert_eq!(fact.sequence, event.sequence);
            fact
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_fact_survives_the_wire(envelope in strategy::envelope()) {
        let written = write_event(SOURCE, EPOCH, &envelope);
        prop_assert_eq!(read_back(&written), vec![envelope]);
    }
}

proptest! {
    #[test]
    fn a_batch_survives_the_wire(
        envelopes in prop::collection::vec(strategy::envelope(), 0..20),
    ) {
        let events: Vec<String> = envelopes
            .iter()
            .map(|envelope| write_event(SOURCE, EPOCH, envelope))
            .collect();
        let batch = write_batch(&events);
        prop_assert_eq!(read_back(&batch), envelopes);
        let Inbound::Events(read) = parse_bridge_frame(&batch).unwrap() else {
            panic!("a batch is no control frame");
        };
        let raw: Vec<&str> = read.iter().map(|event| event.raw).collect();
        prop_assert_eq!(raw, events, "the journal keeps each event byte for byte");
    }
}

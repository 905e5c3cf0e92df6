//! Which row stands where, and when it moves.

use super::*;

const STEADY: i64 = 300; // more than the shortest time between two orders

#[test]
fn need_comes_first_then_who_waits_longest_then_the_oldest_call() {
    let mut waits_longer = needy(3, NeedLevel::Warn, 500);
    waits_longer.need.since = Some(at(-9_000));
    let mut replica = live(vec![
        call(9),
        call(1),
        needy(2, NeedLevel::Warn, 500),
        waits_longer,
        needy(4, NeedLevel::Critical, 900),
    ]);
    let frame = replica.frame(&look(0), at(0));
    assert_eq!(
        ids(&frame),
        [
            "call-0004",
            "call-0003",
            "call-0002",
            "call-0001",
            "call-0009"
        ]
    );
}

#[test]
fn the_order_changes_at_most_four_times_a_second() {
    let mut replica = live(vec![call(1), call(2), call(3)]);
    let mut order = ids(&replica.frame(&look(0), at(0)));
    let mut changes = 0;
    for ms in (16..=1_000).step_by(16) {
        let worst = (ms / 16 % 3 + 1) as u32;
        let calls = (1..=3)
            .map(|n| {
                if n == worst {
                    needy(n, NeedLevel::Critical, 900)
                } else {
                    call(n)
                }
            })
            .collect();
        replica.apply(change(ms as u64, calls, Vec::new()), at(ms));
        let now = ids(&replica.frame(&look(0), at(ms)));
        changes += usize::from(now != order);
        order = now;
    }
    assert!((1..=4).contains(&changes), "{changes} changes in a second");
}

#[test]
fn a_row_moves_only_for_a_change_that_matters() {
    let mut replica = live(vec![
        needy(1, NeedLevel::Warn, 500),
        needy(2, NeedLevel::Warn, 490),
    ]);
    replica.frame(&look(0), at(0));
    let mut score_of_2 = |score, level, now| {
        replica.apply(change(2, vec![needy(2, level, score)], Vec::new()), at(now));
        ids(&replica.frame(&look(0), at(now)))[0].clone()
    };
    assert_eq!(score_of_2(540, NeedLevel::Warn, STEADY), "call-0001");
    assert_eq!(score_of_2(552, NeedLevel::Warn, 2 * STEADY), "call-0002");
    // Back by less than an eighth: it stays.
    assert_eq!(score_of_2(490, NeedLevel::Warn, 3 * STEADY), "call-0002");
    // A change of level always counts.
    assert_eq!(score_of_2(489, NeedLevel::Watch, 4 * STEADY), "call-0001");
}

#[test]
fn while_frozen_nothing_moves_and_what_is_new_is_counted() {
    let mut replica = live((1..=40).map(|n| needy(n, NeedLevel::Warn, 500)).collect());
    let mut request = look(0);
    request.count = 10;
    let before = ids(&replica.frame(&request, at(0)));

    request.frozen = true;
    let mut calls: Vec<CallSummary> = (50..62)
        .map(|n| needy(n, NeedLevel::Critical, 900))
        .collect();
    calls.push(needy(30, NeedLevel::Critical, 900)); // below the view, belongs above it
    calls.push(needy(5, NeedLevel::Critical, 900)); // in view: the eye is on it already
    calls.push(call(60)); // calm again
    calls.push(call(63)); // new, and belongs below
    replica.apply(change(2, calls, Vec::new()), at(STEADY));
    let frame = replica.frame(&request, at(STEADY));
    assert_eq!(ids(&frame), before);
    assert_eq!(frame.board.unwrap().new_above, 12);

    // The first row's own recovery makes nothing else new.
    replica.apply(change(3, vec![call(1)], Vec::new()), at(2 * STEADY));
    let frame = replica.frame(&request, at(2 * STEADY));
    assert_eq!(ids(&frame), before);
    assert_eq!(frame.board.unwrap().new_above, 12);

    request.frozen = false;
    let frame = replica.frame(&request, at(3 * STEADY));
    assert_eq!(ids(&frame)[0], "call-0005");
    assert_eq!(frame.board.unwrap().new_above, 0);
}

#[test]
fn a_call_that_ends_keeps_its_place_until_the_order_is_free() {
    let mut replica = live((1..=4).map(|n| needy(n, NeedLevel::Warn, 500)).collect());
    let mut request = look(0);
    let before = ids(&replica.frame(&request, at(0)));
    request.frozen = true;
    replica.apply(change(2, Vec::new(), vec![id(2)]), at(STEADY));
    let frame = replica.frame(&request, at(STEADY));
    assert_eq!(ids(&frame), before);
    assert_eq!(frame.status.live, 3);
    let ended = &frame.board.unwrap().rows[1];
    assert_eq!(ended.phase, CallPhase::Ended);
    assert_eq!(ended.need, Need::default());

    // It comes back under the same id: the same place.
    replica.apply(
        change(3, vec![needy(2, NeedLevel::Warn, 500)], Vec::new()),
        at(2 * STEADY),
    );
    let frame = replica.frame(&request, at(2 * STEADY));
    assert_eq!(frame.board.unwrap().rows[1].phase, CallPhase::Ai);

    replica.apply(change(4, Vec::new(), vec![id(2)]), at(2 * STEADY));
    request.frozen = false;
    let frame = replica.frame(&request, at(3 * STEADY));
    assert_eq!(ids(&frame), ["call-0001", "call-0003", "call-0004"]);
}

#[test]
fn a_filter_applies_at_once_even_while_frozen() {
    let mut maria = call(1);
    maria.customer = Some("Mária García".to_owned());
    let mut said = call(2);
    said.queue = "orders".to_owned();
    said.agent_said = "Your ORDER is on its way".to_owned();
    let mut replica = live(vec![maria, said, needy(3, NeedLevel::Warn, 500)]);
    let mut request = look(0);
    request.frozen = true;
    replica.frame(&request, at(0));
    let mut filtered = |filter: BoardFilter| {
        request.filter = filter;
        let frame = replica.frame(&request, at(1));
        (ids(&frame), frame.board.unwrap().total)
    };
    let text = |text: &str| BoardFilter {
        text: text.to_owned(),
        ..BoardFilter::default()
    };
    assert_eq!(filtered(text(" MÁRIA ")), (vec!["call-0001".to_owned()], 1));
    assert_eq!(
        filtered(text("order is")),
        (vec!["call-0002".to_owned()], 1)
    );
    assert_eq!(
        filtered(text("CALL-0003")),
        (vec!["call-0003".to_owned()], 1)
    );
    assert_eq!(filtered(text("nobody")), (Vec::new(), 0));
    let queue = BoardFilter {
        queue: Some("orders".to_owned()),
        ..BoardFilter::default()
    };
    assert_eq!(filtered(queue), (vec!["call-0002".to_owned()], 1));
    let needs = BoardFilter {
        need_at_least: NeedLevel::Watch,
        ..BoardFilter::default()
    };
    assert_eq!(filtered(needs), (vec!["call-0003".to_owned()], 1));
}

proptest! {
    /// However the calls change, a frozen list keeps its rows in their places.
    #[test]
    fn a_frozen_list_stands_still(steps in prop::collection::vec(step(), 1..60)) {
        let mut replica = live((0..6).map(call).collect());
        let mut request = look(0);
        let before = ids(&replica.frame(&request, at(0)));
        request.frozen = true;
        let mut now = 0;
        for (seq, step) in steps.into_iter().enumerate() {
            now += 100;
            let seq = seq as u64 + 2;
            match step {
                Step::Put { n, score, queue, ended } => {
                    replica.apply(change(seq, vec![put(n, score, queue, ended)], Vec::new()), at(now));
                }
                Step::Gone { n } => {
                    replica.apply(change(seq, Vec::new(), vec![id(n)]), at(now));
                }
                Step::Record { .. } | Step::Frame { .. } => {}
            }
            prop_assert_eq!(ids(&replica.frame(&request, at(now))), before.clone());
        }
    }
}

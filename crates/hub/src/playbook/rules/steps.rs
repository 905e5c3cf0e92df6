//! Steps are told apart, and what they do is undone or known not to be.

use std::collections::BTreeSet;

use holdfast_domain::playbook::{Approval, Reversal};

use super::{Draft, Found, find, text, twice, typed};
use crate::playbook::fault::StepFault;
use crate::playbook::words::nearest;

pub(super) fn hold(draft: &Draft<'_, '_>, found: &mut Found) {
    let ids = ids(draft);
    for (id, byte) in twice(ids.iter().copied()) {
        let (what, name) = ("the step", id.to_owned());
        found.push((byte, StepFault::Twice { what, name }.into()));
    }
    // With a step that is not understood nobody can say that none acts on calls.
    let all_known = draft.steps.iter().all(Option::is_some);
    let acts = |step: &holdfast_domain::playbook::PlaybookStep| step.action.is_per_call();
    if all_known && !draft.steps.is_empty() && !draft.steps.iter().flatten().any(acts) {
        draft.fault(found, &["steps"], StepFault::NoCallTouched);
    }
    approval(draft, found);
    undo(draft, &ids, found);
    point(draft, &ids, found);
}

/// The ids of all steps, of those too whose action is not understood.
fn ids<'a>(draft: &Draft<'a, '_>) -> Vec<(&'a str, usize)> {
    (0..draft.steps.len())
        .filter_map(|n| find(draft.root, &["steps", &n.to_string(), "id"]))
        .filter_map(text)
        .collect()
}

fn approval(draft: &Draft<'_, '_>, found: &mut Found) {
    let approval = draft.root.get("approval").and_then(typed::<Approval>);
    if approval != Some(Approval::None) {
        return;
    }
    let steps = draft.steps.iter().flatten();
    for step in steps.filter(|step| step.action.reversal() == Reversal::Irreversible) {
        let step = step.id.to_string();
        draft.fault(found, &["approval"], StepFault::WeakApproval { step });
    }
}

fn undo(draft: &Draft<'_, '_>, ids: &[(&str, usize)], found: &mut Found) {
    let Some(list) =
        find(draft.root, &["rollback", "undo"]).and_then(|undo| undo.get_ref().as_array())
    else {
        return;
    };
    let undone: Vec<(&str, usize)> = (0..list.len())
        .filter_map(|n| find(draft.root, &["rollback", "undo", &n.to_string(), "step"]))
        .filter_map(text)
        .collect();
    for (id, byte) in twice(undone.iter().copied()) {
        let (what, name) = ("the undo of", id.to_owned());
        found.push((byte, StepFault::Twice { what, name }.into()));
    }
    for (id, byte) in &undone {
        if let Some(fault) = no_such_step(id, ids) {
            found.push((*byte, fault.into()));
        }
    }
    let names: BTreeSet<&str> = undone.iter().map(|(id, _)| *id).collect();
    for step in draft.steps.iter().flatten() {
        let is_undone = names.contains(step.id.as_str());
        let id = step.id.to_string();
        let reversal = step.action.reversal();
        if reversal == Reversal::Reversible && !is_undone {
            draft.fault(
                found,
                &["rollback", "undo"],
                StepFault::UndoMissing { step: id },
            );
        } else if reversal != Reversal::Reversible && is_undone {
            let bytes = undone.iter().filter(|(undone, _)| *undone == id);
            for (_, byte) in bytes {
                let fault = StepFault::NothingToUndo {
                    step: id.clone(),
                    is_irreversible: reversal == Reversal::Irreversible,
                };
                found.push((*byte, fault.into()));
            }
        }
    }
}

fn point(draft: &Draft<'_, '_>, ids: &[(&str, usize)], found: &mut Found) {
    let first = draft.steps.iter().position(|step| {
        step.as_ref()
            .is_some_and(|step| step.action.reversal() == Reversal::Irreversible)
    });
    let first_id = first
        .and_then(|n| draft.steps[n].as_ref())
        .map(|step| step.id.to_string());
    let path = ["rollback", "point_of_no_return"];
    let Some((point, byte)) = find(draft.root, &path).and_then(text) else {
        if let Some(step) = first_id
            && draft.root.contains_key("rollback")
        {
            draft.fault(found, &["rollback"], StepFault::NoPointOfNoReturn { step });
        }
        return;
    };
    if let Some(fault) = no_such_step(point, ids) {
        found.push((byte, fault.into()));
        return;
    }
    let at = draft
        .steps
        .iter()
        .position(|step| step.as_ref().is_some_and(|step| step.id.as_str() == point));
    let point = point.to_owned();
    match (first, first_id, at) {
        (Some(first), Some(first_id), Some(at)) if at > first => {
            let first = first_id;
            found.push((byte, StepFault::PointTooLate { point, first }.into()));
        }
        // With a step that is not understood nobody can say that all can be undone.
        (None, _, _) if draft.steps.iter().all(Option::is_some) => {
            found.push((byte, StepFault::PointNotNeeded { point }.into()));
        }
        _ => {}
    }
}

fn no_such_step(id: &str, ids: &[(&str, usize)]) -> Option<StepFault> {
    let known = || ids.iter().map(|(id, _)| *id);
    if known().any(|known| known == id) {
        return None;
    }
    Some(StepFault::NoSuchStep {
        name: id.to_owned(),
        nearest: nearest(id, known()).map(str::to_owned),
    })
}

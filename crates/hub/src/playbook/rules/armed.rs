//! Armed playbooks go down the ladder, and each queue and layer is armed once.

use std::collections::BTreeSet;

use holdfast_domain::playbook::FailoverPolicy;

use super::{Draft, Found, entries};
use crate::playbook::fault::CourseFault;

/// Stands for every queue; no queue has this name, for a name is never empty.
const EVERY_QUEUE: &str = "";

pub(super) fn hold(draft: &Draft<'_, '_>, found: &mut Found) {
    let policies = entries::<FailoverPolicy>(draft.root, "armed");
    let mut armed = BTreeSet::new();
    for (n, policy) in policies.iter().enumerate() {
        let Some(policy) = policy else { continue };
        let n = n.to_string();
        for (at, pair) in policy.rungs.windows(2).enumerate() {
            if pair[1].rung <= pair[0].rung {
                let at = (at + 1).to_string();
                draft.fault(
                    found,
                    &["armed", &n, "rungs", &at, "rung"],
                    CourseFault::RungOrder,
                );
            }
        }
        let layer = policy.layer;
        let every = [EVERY_QUEUE.to_owned()];
        let queues = if policy.queues.is_empty() {
            &every[..]
        } else {
            &policy.queues
        };
        for queue in queues {
            if !armed.insert((layer, queue.clone())) {
                let queue = if queue == EVERY_QUEUE {
                    "every queue"
                } else {
                    queue
                };
                let fault = CourseFault::ArmedTwice {
                    queue: queue.to_owned(),
                    layer: layer.as_str(),
                };
                draft.fault(found, &["armed", &n, "layer"], fault);
            }
        }
    }
}

//! Each document alone, whole.
//!
//! A document's tokens are those of the tokenizer, special ones included. If none stands before
//! the text, the model's start token is put there as context, so that every token of the text is
//! scored. Windows slide as in the paper's protocol, but begin anew with each document, and the
//! last one scores what is left: nothing is dropped.

use crate::plan::{Plan, Unit};
use crate::tokenizer::Encoded;
use crate::window::{Sliding, Tail};

/// Plans documents one by one.
#[derive(Debug)]
pub struct DocumentPlanner {
    sliding: Sliding,
    start_token: u32,
    plan: Plan,
}

impl DocumentPlanner {
    /// No documents yet; `start_token` is what the model's contexts start with.
    pub fn new(sliding: Sliding, start_token: u32) -> Self {
        Self {
            sliding,
            start_token,
            plan: Plan::default(),
        }
    }

    /// Adds a document and the windows over it; one without tokens gets none.
    pub fn push(&mut self, text: &str, encoded: &Encoded) {
        let plan = &mut self.plan;
        let first = plan.tokens.len();
        plan.units.push(Unit {
            first,
            bytes: text.len() as u64,
            characters: text.chars().count() as u64,
            extra_bits: 0.0,
        });
        let counts = &mut plan.counts;
        let special = encoded.special.iter().filter(|&&special| special).count() as u64;
        counts.total += encoded.ids.len() as u64;
        counts.special += special;
        counts.special_scored += special;
        counts.short_documents += u64::from(encoded.ids.len() < 2);
        if encoded.ids.is_empty() {
            return;
        }
        // A special token in the text itself ends after 0.
        let has_start = encoded.special[0] && encoded.ends[0] == 0;
        if has_start {
            counts.special_scored -= 1;
        } else {
            counts.added_starts += 1;
            plan.tokens.push(self.start_token);
        }
        plan.tokens.extend_from_slice(&encoded.ids);
        let row = plan.tokens.len() - first;
        counts.scored += row as u64 - 1;
        let spans = self.sliding.spans(row, Tail::Keep);
        plan.spans.extend(spans.map(|mut span| {
            span.start += first;
            span
        }));
    }

    /// The windows of all documents.
    pub fn finish(self) -> Plan {
        self.plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Span;

    fn encoded(ids: &[u32], special: usize) -> Encoded {
        Encoded {
            ids: ids.to_vec(),
            ends: (0..ids.len())
                .map(|i| (i + 1).saturating_sub(special))
                .collect(),
            special: (0..ids.len()).map(|i| i < special).collect(),
        }
    }

    #[test]
    fn a_start_token_is_added_where_there_is_none() {
        let mut planner = DocumentPlanner::new(Sliding::new(3, 2).unwrap(), 9);
        planner.push("abcdef", &encoded(&[1, 2, 3, 4, 5, 6], 0));
        planner.push("", &encoded(&[], 0));
        planner.push("a", &encoded(&[9, 1], 1));
        planner.push("b", &encoded(&[2], 0));
        let plan = planner.finish();
        assert_eq!(plan.tokens, [9, 1, 2, 3, 4, 5, 6, 9, 1, 9, 2]);
        let span = |start, len, scored| Span { start, len, scored };
        let expected = [
            span(0, 4, 3),
            span(2, 4, 2),
            span(3, 4, 1),
            span(7, 2, 1),
            span(9, 2, 1),
        ];
        assert_eq!(plan.spans, expected);
        let counts = &plan.counts;
        assert_eq!(
            (counts.total, counts.scored, counts.added_starts),
            (9, 8, 2)
        );
        assert_eq!((counts.special, counts.special_scored), (1, 0));
        assert_eq!(counts.short_documents, 2);
        assert_eq!(counts.dropped, 0);
    }
}

//! The protocol of "Compression Represents Intelligence Linearly" (Huang et al. 2024, section
//! 3.2, and what its public code does).
//!
//! Each document is tokenised on its own, with the tokenizer's special tokens, and all tokens are
//! put into one row: a window runs across documents. Windows have `window + 1` tokens and are
//! `stride` apart; the first scores all its tokens but the first, each later one its last
//! `stride`. What does not fill a last stride is not scored, although its characters count.
//! Documents that are empty have no part in it.
//!
//! One thing goes beyond the paper: a row shorter than the first window, of which the paper's
//! code would score nothing, is scored as one shorter window.

use std::collections::VecDeque;

use crate::plan::{DroppedTail, Plan, Unit};
use crate::tokenizer::Encoded;
use crate::window::{Sliding, Tail};

/// Collects documents into one row.
#[derive(Debug)]
pub struct PaperPlanner {
    sliding: Sliding,
    plan: Plan,
    /// Where special tokens are in the row.
    special: Vec<usize>,
    /// For each of the last tokens the text of its document that ends with it: as many as the
    /// longest tail, and one more.
    recent: VecDeque<DroppedTail>,
}

impl PaperPlanner {
    /// A planner without documents.
    pub fn new(sliding: Sliding) -> Self {
        Self {
            sliding,
            plan: Plan::default(),
            special: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    /// Appends a document's tokens to the row.
    pub fn push(&mut self, text: &str, encoded: &Encoded) {
        let first = self.plan.tokens.len();
        self.plan.units.push(Unit {
            first,
            bytes: text.len() as u64,
            characters: text.chars().count() as u64,
            extra_bits: 0.0,
        });
        self.plan.tokens.extend_from_slice(&encoded.ids);
        let special = encoded.special.iter().enumerate();
        self.special.extend(
            special
                .filter(|(_, special)| **special)
                .map(|(i, _)| first + i),
        );
        self.plan.counts.short_documents += u64::from(encoded.ids.len() < 2);

        // Special tokens that the tokenizer added stand for no text: they end where the text
        // before them does.
        let old = encoded.ends.len().saturating_sub(self.sliding.stride());
        let before = encoded.ends[..old].iter().copied().max().unwrap_or(0);
        let mut end = before.min(text.len());
        let mut characters = count(&text.as_bytes()[..end]);
        for &token_end in &encoded.ends[old..] {
            let token_end = token_end.min(text.len());
            if token_end > end {
                characters += count(&text.as_bytes()[end..token_end]);
                end = token_end;
            }
            if self.recent.len() == self.sliding.stride() {
                self.recent.pop_front();
            }
            self.recent.push_back(DroppedTail {
                characters,
                bytes: end as u64,
            });
        }
    }

    /// The windows of the row.
    pub fn finish(self) -> Plan {
        let mut plan = self.plan;
        let tokens = plan.tokens.len();
        plan.spans = self.sliding.spans(tokens, Tail::Drop).collect();
        let scored_end = plan.spans.last().map_or(0, |span| span.end());
        plan.tail = if scored_end == 0 {
            DroppedTail {
                characters: plan.characters(),
                bytes: plan.bytes(),
            }
        } else {
            tail(&plan, scored_end, &self.recent)
        };
        let counts = &mut plan.counts;
        counts.total = tokens as u64;
        counts.scored = scored_end.saturating_sub(1) as u64;
        counts.dropped = (tokens - scored_end) as u64;
        counts.special = self.special.len() as u64;
        let scored = |at: &&usize| (1..scored_end).contains(*at);
        counts.special_scored = self.special.iter().filter(scored).count() as u64;
        plan
    }
}

/// The text after the last scored token.
fn tail(plan: &Plan, scored_end: usize, recent: &VecDeque<DroppedTail>) -> DroppedTail {
    let mut tail = DroppedTail::default();
    let dropped = plan.tokens.len() - scored_end;
    for unit in plan.units.iter().rev() {
        tail.characters += unit.characters;
        tail.bytes += unit.bytes;
        if unit.first < scored_end {
            // Part of this one is scored, up to the token before the tail.
            let last = recent.len().checked_sub(dropped + 1);
            let kept = last.and_then(|last| recent.get(last)).copied();
            let kept = kept.unwrap_or_default();
            tail.characters -= kept.characters;
            tail.bytes -= kept.bytes;
            break;
        }
    }
    if dropped == 0 {
        return DroppedTail::default();
    }
    tail
}

/// Code points that begin in a piece of a text.
fn count(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token for each character, after a special one.
    fn encode(text: &str) -> Encoded {
        let mut encoded = Encoded {
            ids: vec![0],
            ends: vec![0],
            special: vec![true],
        };
        for (at, c) in text.char_indices() {
            encoded.ids.push(u32::from(c));
            encoded.ends.push(at + c.len_utf8());
            encoded.special.push(false);
        }
        encoded
    }

    fn plan(texts: &[&str], window: usize, stride: usize) -> Plan {
        let mut planner = PaperPlanner::new(Sliding::new(window, stride).unwrap());
        for text in texts {
            planner.push(text, &encode(text));
        }
        planner.finish()
    }

    #[test]
    fn special_tokens_count_as_tokens_and_not_as_characters() {
        // The row: ^ a b ^ ä ö ü
        let plan = plan(&["ab", "äöü"], 4, 2);
        assert_eq!(plan.tokens.len(), 7);
        assert_eq!((plan.characters(), plan.bytes()), (5, 8));
        let counts = &plan.counts;
        assert_eq!((counts.scored, counts.dropped), (6, 0));
        assert_eq!((counts.special, counts.special_scored), (2, 1));
        assert_eq!(plan.tail, DroppedTail::default());
    }

    #[test]
    fn the_tail_begins_after_the_last_scored_token() {
        // The row: ^ a b ^ ä ö | ü x, five tokens and a stride of three.
        let plan = plan(&["ab", "äöüx"], 5, 3);
        assert_eq!((plan.counts.scored, plan.counts.dropped), (5, 2));
        let tail = DroppedTail {
            characters: 2,
            bytes: 3,
        };
        assert_eq!(plan.tail, tail);
    }

    #[test]
    fn whole_documents_can_be_in_the_tail() {
        // The row: ^ a b c | ^ ä ^ x
        let plan = plan(&["abc", "ä", "x"], 3, 3);
        assert_eq!(plan.counts.dropped, 1);
        assert_eq!(plan.tail.characters, 1);
        let notice = plan.tail_notice().unwrap();
        assert!(notice.contains("the last 1 of 5 characters"), "{notice}");
        assert!(notice.contains("20.0 % too low"), "{notice}");
        let plan = super::tests::plan(&["abc", "ä"], 3, 3);
        assert_eq!(plan.counts.dropped, 2);
        let tail = DroppedTail {
            characters: 1,
            bytes: 2,
        };
        assert_eq!(plan.tail, tail);
    }

    #[test]
    fn a_short_tail_is_nothing_to_speak_of() {
        // A row of a special token and letters; what is left of a stride of ten is not scored.
        let notice = |letters: usize| plan(&["a".repeat(letters).as_str()], 10, 10).tail_notice();
        assert_eq!(notice(310), None, "no tail at all");
        assert_eq!(notice(316), None, "6 of 316 are 1.9 %");
        assert!(notice(317).unwrap().contains("the last 7 of 317"));
    }

    #[test]
    fn one_token_is_no_window() {
        let plan = plan(&["", ""], 4, 2);
        assert_eq!(plan.counts.short_documents, 2);
        assert_eq!(plan.counts.scored, 1, "the second special token");
        let mut planner = PaperPlanner::new(Sliding::new(4, 2).unwrap());
        planner.push("", &encode(""));
        let plan = planner.finish();
        assert_eq!((plan.counts.scored, plan.counts.dropped), (0, 1));
        assert!(plan.spans.is_empty());
    }
}

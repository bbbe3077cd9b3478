//! Whether work is done sooner on a card or on the CPU.

use std::time::Duration;

use super::speed::{Speed, multiply_adds};
use super::work::Text;
use crate::figures;

/// Multiply-adds from which on work goes to a card that was never measured. A CPU does them in a few seconds;
/// a card takes half a second before it begins.
const LARGE_WORK: f64 = (1u64 << 38) as f64;
/// Seconds that a card takes before it begins, where that was not measured.
const START: f64 = 0.5;

/// Where work is done, and why there.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Whether the card does it.
    pub card: bool,
    /// For people: the times that were predicted, or why there are none.
    pub why: String,
}

/// Chooses between the CPU and a card for text (none if nobody knows how much there is) and a model of
/// `per_token` multiply-adds.
pub fn choose(text: Option<Text>, per_token: u64, cpu: Speed, card: Speed) -> Choice {
    let choice = |card, why: String| Choice { card, why };
    let Some(text) = text else {
        return choice(false, "how much work there is is not known".into());
    };
    let on_cpu = cpu.seconds(&text, per_token);
    let start = card.start.unwrap_or(START);
    let on_card = card.seconds(&text, per_token).map(|time| start + time);
    match (on_card, on_cpu) {
        (Some(card), Some(cpu)) => choice(
            card < cpu,
            format!("{} predicted, {} on the CPU", seconds(card), seconds(cpu)),
        ),
        (None, Some(cpu)) if cpu < start => choice(
            false,
            format!("the work is small, {} predicted", seconds(cpu)),
        ),
        (on_card, _) => {
            let work = multiply_adds(text.encoding.saturating_add(text.decoding), per_token);
            match on_card {
                _ if work < LARGE_WORK => choice(false, "the work is small".into()),
                Some(card) => choice(true, format!("{} predicted", seconds(card))),
                None => choice(true, "the work is large, its speed not yet measured".into()),
            }
        }
    }
}

fn seconds(seconds: f64) -> String {
    figures::seconds(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_TOKEN: u64 = 1 << 22;

    fn speed(encoding: f64, decoding: f64, start: f64) -> Speed {
        Speed {
            encoding: Some(encoding),
            decoding: Some(decoding),
            start: Some(start),
        }
    }

    /// Text of so many multiply-adds.
    fn text(encoding: u64, decoding: u64) -> Option<Text> {
        Some(Text {
            encoding: encoding / PER_TOKEN * 4,
            decoding: decoding / PER_TOKEN * 4,
            lanes: 1,
        })
    }

    fn card(text: Option<Text>, cpu: Speed, card: Speed) -> bool {
        choose(text, PER_TOKEN, cpu, card).card
    }

    #[test]
    fn without_measurements_large_work_goes_to_the_card() {
        let none = Speed::default();
        assert!(!card(None, none, none));
        assert!(!card(text(0, 0), none, none));
        assert!(!card(text(1 << 37, 0), none, none));
        assert!(card(text(1 << 37, 1 << 37), none, none));
        assert!(card(text(1 << 38, 0), none, none));
        // A card that is known beside a CPU that is not.
        assert!(!card(text(1 << 37, 0), none, speed(1e12, 1e12, 0.1)));
        assert!(card(text(1 << 40, 0), none, speed(1e12, 1e12, 0.1)));
        let why = choose(text(1 << 40, 0), PER_TOKEN, none, speed(1e12, 1e12, 0.1)).why;
        assert_eq!(why, "1.2 s predicted");
    }

    #[test]
    fn with_measurements_the_sooner_one_does_the_work() {
        let cpu = speed(1e11, 5e10, 0.0);
        let fast = speed(1e13, 1e12, 0.3);
        // 2.7 s against 0.3 s.
        assert!(card(text(1 << 38, 0), cpu, fast));
        // Less than what was large without measurements: 0.7 s against 0.3 s.
        assert!(card(text(1 << 36, 0), cpu, fast));
        // 0.17 s against 0.3 s.
        assert!(!card(text(1 << 34, 0), cpu, fast));
        // A card that encodes fast and decodes slowly.
        let lopsided = speed(1e13, 1e10, 0.3);
        assert!(card(text(1 << 40, 0), cpu, lopsided));
        assert!(!card(text(0, 1 << 40), cpu, lopsided));
        assert!(!card(text(1 << 40, 1 << 40), cpu, lopsided));
        let choice = choose(text(1 << 40, 1 << 40), PER_TOKEN, cpu, fast);
        assert!(choice.card);
        assert_eq!(choice.why, "1.5 s predicted, 33.0 s on the CPU");
    }

    #[test]
    fn half_a_measurement_is_none() {
        let cpu = speed(1e11, 5e10, 0.0);
        let encoding = Speed {
            decoding: None,
            ..speed(1e10, 1e10, 0.3)
        };
        // Slower than the CPU by what is known of it.
        assert!(!card(text(1 << 40, 0), cpu, encoding));
        // Nothing is known of its decoding: large work finds out.
        assert!(card(text(0, 1 << 40), cpu, encoding));
        // But not what the CPU does before the card has begun.
        let why = choose(text(0, 1 << 33), PER_TOKEN, cpu, encoding).why;
        assert_eq!(why, "the work is small, 0.2 s predicted");
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        let most = Some(Text {
            encoding: u64::MAX,
            decoding: u64::MAX,
            lanes: 256,
        });
        let slow = speed(1e3, 1e3, 3600.0);
        let choice = choose(most, u64::MAX, slow, slow);
        assert!(!choice.card);
        assert!(choose(most, u64::MAX, Speed::default(), Speed::default()).card);
    }
}

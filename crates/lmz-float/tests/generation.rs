//! Texts that end where they should, and equal seeds that give equal texts.

use std::sync::Arc;

use lmz_float::{Device, Ended, Generation, Generator, Sampling, ScoringOptions};
use lmz_model::Vocabulary;
use lmz_testkit::models::checkpoint;

struct Stories {
    generator: Generator,
    vocabulary: Vocabulary,
    start: [u32; 1],
}

impl Stories {
    fn open() -> Self {
        let checkpoint = checkpoint("tests/fixtures/stories260K");
        let options = ScoringOptions {
            device: Device::Cpu,
            ..ScoringOptions::default()
        };
        Self {
            start: [checkpoint.blueprint.start_token],
            generator: Generator::open(Arc::new(checkpoint.network), options).expect("it fits"),
            vocabulary: checkpoint.vocabulary,
        }
    }

    fn tell(&mut self, sampling: &Sampling) -> Generation {
        let spell = |token| self.vocabulary.get(token).unwrap_or_default().to_vec();
        self.generator
            .generate(&self.start, sampling, spell)
            .expect("a story")
    }
}

#[test]
fn a_story_begins_as_stories_do() {
    let mut stories = Stories::open();
    let sampling = Sampling {
        max_tokens: 60,
        stop: vec!["named".into()],
        ..Sampling::default()
    };
    let story = stories.tell(&sampling);
    let text = String::from_utf8_lossy(&story.bytes).into_owned();
    assert!(text.trim_start().starts_with("Once upon a time"), "{text}");
    assert!(!text.contains("named"), "{text}");
    assert_eq!(story.ended, Ended::Stop("named".into()));

    let short = Sampling {
        max_tokens: 5,
        ..Sampling::default()
    };
    let story = stories.tell(&short);
    assert_eq!((story.tokens.len(), story.ended), (5, Ended::Length));
}

#[test]
fn texts_that_are_written_together_are_those_written_alone() {
    let mut stories = Stories::open();
    let (start, generator) = (stories.start[0], &mut stories.generator);
    let prompts: Vec<Vec<u32>> = (0..9)
        .map(|n: u32| {
            let rest = (0..4 * n + 1).map(|i| 260 + (i * 37 + n * 11) % 200);
            [start, 300, 310].into_iter().chain(rest).collect()
        })
        .collect();
    let best = |logits: &[f32]| {
        let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        best.unwrap() as u32
    };
    let mut tell = |numbers: &[usize], base: usize| -> Vec<Vec<Vec<f32>>> {
        generator.clear_texts();
        let mut found: Vec<Vec<Vec<f32>>> = numbers
            .iter()
            .map(|&n| vec![generator.add_text(&prompts[n], base).unwrap()])
            .collect();
        // Each text ends at another length, so that fewer and fewer go on.
        for step in 1..12 {
            let going = (0..numbers.len()).filter(|&i| step < 12 - numbers[i]);
            let next: Vec<(usize, u32)> =
                going.map(|i| (i, best(found[i].last().unwrap()))).collect();
            let logits = generator.advance_texts(&next).unwrap();
            for ((i, _), logits) in next.into_iter().zip(logits) {
                found[i].push(logits);
            }
        }
        found
    };
    let together = tell(&[0, 1, 2, 3, 4, 5, 6, 7, 8], 3);
    for (n, of_one) in together.iter().enumerate() {
        assert_eq!(of_one.len(), 12 - n);
        assert_eq!(tell(&[n], 3)[0], *of_one, "{n}");
    }
    assert_eq!(tell(&[7, 2], 3), [together[7].clone(), together[2].clone()]);
    // And, to rounding, those of one text in a cache of its own.
    for n in [0, 8] {
        generator.restart();
        let mut logits = generator.advance(&prompts[n]).unwrap();
        for expected in &together[n] {
            for (a, b) in logits.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{n}: {a} {b}");
            }
            logits = generator.advance(&[best(expected)]).unwrap();
        }
    }
    assert!(generator.advance_texts(&[(99, 1)]).is_err());
    generator.clear_texts();
    generator.add_text(&prompts[0], 0).unwrap();
    assert!(generator.advance_texts(&[(0, 1), (0, 2)]).is_err());
    assert!(generator.advance_texts(&[(0, 1 << 20)]).is_err());
    assert!(generator.advance_texts(&[]).unwrap().is_empty());
}

#[test]
fn seeds_decide() {
    let mut stories = Stories::open();
    let mut text = |seed| {
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 0.95,
            seed,
            max_tokens: 40,
            ..Sampling::default()
        };
        stories.tell(&sampling).tokens
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

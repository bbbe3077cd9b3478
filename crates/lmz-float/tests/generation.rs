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

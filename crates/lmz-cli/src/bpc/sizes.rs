//! How long windows are: what was asked for, and what the model takes.

use anyhow::{Result, bail};
use lmz::Blueprint;
use lmz::metric::Sliding;
use lmz::model::Position;

use super::args::BpcArgs;

/// The paper's window, in predictions.
const WINDOW: usize = 1900;
/// The paper's stride.
const STRIDE: usize = 512;

/// Window and stride, and what is to be said about them.
///
/// # Errors
/// A model without positions for the window; a stride longer than it.
pub fn sizes(args: &BpcArgs, blueprint: &Blueprint) -> Result<(Sliding, Vec<String>)> {
    let most = blueprint.max_positions;
    let mut notes = Vec::new();
    let window = match args.window {
        None if most < WINDOW => {
            notes.push(format!(
                "window {most} instead of {WINDOW}: the model's context has {most} tokens"
            ));
            most
        }
        None => WINDOW,
        Some(window) => {
            let window = window as usize;
            if window > most && blueprint.position == Position::Learned {
                bail!(
                    "the model has {most} positions, too few for a window of {window} tokens: use \
                     --window {most} or less"
                );
            }
            if window > most {
                notes.push(format!(
                    "window {window} is beyond the model's context of {most} tokens: expect worse \
                     figures than with --window {most}"
                ));
            }
            window
        }
    };
    let stride = match args.stride {
        None => STRIDE.min(window),
        Some(stride) => stride as usize,
    };
    Ok((Sliding::new(window, stride)?, notes))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn blueprint(position: Position, max_positions: usize) -> Blueprint {
        let mut blueprint = lmz::embedded_model().unwrap().blueprint().clone();
        blueprint.position = position;
        blueprint.max_positions = max_positions;
        blueprint
    }

    fn asked(options: &str, blueprint: &Blueprint) -> Result<(usize, usize, usize)> {
        let line = format!("bpc --corpus c {options}");
        let args = BpcArgs::try_parse_from(line.split_whitespace())?;
        let (sliding, notes) = sizes(&args, blueprint)?;
        Ok((sliding.window(), sliding.stride(), notes.len()))
    }

    #[test]
    fn the_paper_s_sizes_unless_the_model_is_smaller() {
        let rope = blueprint(Position::Learned, 4096).position;
        for position in [rope, lmz::embedded_model().unwrap().blueprint().position] {
            let large = blueprint(position, 4096);
            assert_eq!(asked("", &large).unwrap(), (1900, 512, 0));
            let small = blueprint(position, 256);
            assert_eq!(asked("", &small).unwrap(), (256, 256, 1));
        }
    }

    #[test]
    fn learned_positions_end_and_rotary_ones_only_get_worse() {
        let learned = blueprint(Position::Learned, 1024);
        let error = asked("--window 1025", &learned).unwrap_err().to_string();
        assert!(error.contains("--window 1024"), "{error}");
        assert_eq!(asked("--window 1024", &learned).unwrap(), (1024, 512, 0));
        let rope = lmz::embedded_model().unwrap().blueprint().position;
        let rope = blueprint(rope, 1024);
        assert_eq!(asked("--window 1900", &rope).unwrap(), (1900, 512, 1));
        assert!(asked("--window 100 --stride 101", &rope).is_err());
    }
}

//! How long windows are: what was asked for, and what the model takes.

use lmz_metric::Sliding;
use lmz_model::{Blueprint, Position};

use crate::scoring::ScoringError;

/// The paper's window, in predictions.
const WINDOW: usize = 1900;
/// The paper's stride.
const STRIDE: usize = 512;

/// Window and stride, and what is to be said about them.
///
/// # Errors
/// A model without positions for the window; a stride longer than it.
pub(super) fn sizes(
    window: Option<u32>,
    stride: Option<u32>,
    blueprint: &Blueprint,
) -> Result<(Sliding, Vec<String>), ScoringError> {
    let most = blueprint.max_positions;
    let mut notes = Vec::new();
    let window = match window {
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
                return Err(ScoringError::InvalidArgument(format!(
                    "the model has {most} positions, too few for a window of {window} tokens: use \
                     --window {most} or less"
                )));
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
    let stride = match stride {
        None => STRIDE.min(window),
        Some(stride) => stride as usize,
    };
    Ok((Sliding::new(window, stride)?, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blueprint(position: Position, max_positions: usize) -> Blueprint {
        let mut blueprint = crate::embedded_model().unwrap().blueprint().clone();
        blueprint.position = position;
        blueprint.max_positions = max_positions;
        blueprint
    }

    type Found = Result<(usize, usize, usize), ScoringError>;

    fn asked(window: Option<u32>, stride: Option<u32>, blueprint: &Blueprint) -> Found {
        let (sliding, notes) = sizes(window, stride, blueprint)?;
        Ok((sliding.window(), sliding.stride(), notes.len()))
    }

    #[test]
    fn the_paper_s_sizes_unless_the_model_is_smaller() {
        let rope = blueprint(Position::Learned, 4096).position;
        for position in [rope, crate::embedded_model().unwrap().blueprint().position] {
            let large = blueprint(position, 4096);
            assert_eq!(asked(None, None, &large).unwrap(), (1900, 512, 0));
            let small = blueprint(position, 256);
            assert_eq!(asked(None, None, &small).unwrap(), (256, 256, 1));
        }
    }

    #[test]
    fn learned_positions_end_and_rotary_ones_only_get_worse() {
        let learned = blueprint(Position::Learned, 1024);
        let error = asked(Some(1025), None, &learned).unwrap_err().to_string();
        assert!(error.contains("--window 1024"), "{error}");
        assert_eq!(asked(Some(1024), None, &learned).unwrap(), (1024, 512, 0));
        let rope = crate::embedded_model().unwrap().blueprint().position;
        let rope = blueprint(rope, 1024);
        assert_eq!(asked(Some(1900), None, &rope).unwrap(), (1900, 512, 1));
        assert!(asked(Some(100), Some(101), &rope).is_err());
    }
}

//! The paper's figures, which are part of the program, and what follows from them.

mod compare;
mod table;
mod tables;

pub use compare::{Comparison, Published, ReportedFigure, Resampling, compare};
pub use table::to_text;
pub use tables::{LeaderboardRow, MmluStyle, leaderboard, mmlu_styles, paper, resampling};

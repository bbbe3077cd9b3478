//! Floating-point models on burn: score, generate, train.

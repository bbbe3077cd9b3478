//! What is part of the program (`data/README.md` says what, and under which licence).

/// Files by name.
const FILES: [(&str, &[u8]); 7] = [
    ("blimp.tar.zst", include_bytes!("../../data/blimp.tar.zst")),
    (
        "HumanEval.jsonl.gz",
        include_bytes!("../../data/HumanEval.jsonl.gz"),
    ),
    (
        "hellaswag_val_200.jsonl.zst",
        include_bytes!("../../data/hellaswag_val_200.jsonl.zst"),
    ),
    (
        "gsm8k_test_200.jsonl.zst",
        include_bytes!("../../data/gsm8k_test_200.jsonl.zst"),
    ),
    (
        "gsm8k_train_20.jsonl.zst",
        include_bytes!("../../data/gsm8k_train_20.jsonl.zst"),
    ),
    (
        "mmlu_dev.tar.zst",
        include_bytes!("../../data/mmlu_dev.tar.zst"),
    ),
    (
        "mmlu_test_10.tar.zst",
        include_bytes!("../../data/mmlu_test_10.tar.zst"),
    ),
];

/// The file of this name.
pub(super) fn file(name: &str) -> Option<&'static [u8]> {
    FILES
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, bytes)| *bytes)
}

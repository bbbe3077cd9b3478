//! Which licence a text is.

/// Phrases by which licences are told (SPDX identifiers), the first that fits.
const LICENCES: [(&str, &[&str]); 15] = [
    ("AGPL-3.0", &["gnu affero general public license"]),
    (
        "LGPL-3.0",
        &["gnu lesser general public license", "version 3"],
    ),
    ("LGPL-2.1", &["gnu lesser general public license"]),
    ("GPL-3.0", &["gnu general public license", "version 3"]),
    ("GPL-2.0", &["gnu general public license", "version 2"]),
    ("MPL-2.0", &["mozilla public license", "2.0"]),
    ("Apache-2.0", &["apache license", "version 2.0"]),
    ("BSL-1.0", &["boost software license"]),
    ("CC0-1.0", &["cc0 1.0 universal"]),
    ("CC-BY-4.0", &["attribution 4.0 international"]),
    ("Unlicense", &["this is free and unencumbered software"]),
    (
        "ISC",
        &["permission to use, copy, modify, and/or distribute this software for any purpose"],
    ),
    (
        "BSD-3-Clause",
        &[
            "redistribution and use in source and binary forms",
            "neither the name",
        ],
    ),
    (
        "BSD-2-Clause",
        &["redistribution and use in source and binary forms"],
    ),
    (
        "MIT",
        &["permission is hereby granted, free of charge, to any person obtaining a copy"],
    ),
];

/// The licence of a file's text.
pub fn licence_of(text: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(&text[..text.len().min(1 << 14)]).to_ascii_lowercase();
    let words: Vec<&str> = start.split_whitespace().collect();
    let text = words.join(" ");
    let found = LICENCES
        .iter()
        .find(|(_, phrases)| phrases.iter().all(|phrase| text.contains(phrase)));
    found.map(|(name, _)| *name)
}

/// Whether a file at the top of a repository is its licence.
pub fn is_licence(path: &str) -> bool {
    let small = path.to_ascii_lowercase();
    !path.contains('/')
        && ["license", "licence", "copying", "unlicense"]
            .iter()
            .any(|name| small.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_told_by_their_words() {
        let mit = b"Copyright (c) A\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy";
        assert_eq!(licence_of(mit), Some("MIT"));
        assert_eq!(
            licence_of(b"GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007"),
            Some("GPL-3.0")
        );
        assert_eq!(licence_of(b"All rights reserved."), None);
        assert!(is_licence("LICENSE-MIT") && is_licence("COPYING") && !is_licence("a/LICENSE"));
    }
}

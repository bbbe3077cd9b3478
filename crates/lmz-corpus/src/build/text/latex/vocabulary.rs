//! What commands and environments mean.

/// Environments that are formulas.
pub const FORMULAS: [&str; 9] = [
    "equation",
    "align",
    "gather",
    "multline",
    "eqnarray",
    "displaymath",
    "alignat",
    "flalign",
    "dmath",
];
/// Environments of which only captions stay.
pub const FLOATS: [&str; 5] = [
    "figure",
    "table",
    "wrapfigure",
    "algorithm",
    "sidewaystable",
];
/// Environments that are left out.
pub const LEFT_OUT: [&str; 9] = [
    "thebibliography",
    "tikzpicture",
    "tikzcd",
    "picture",
    "tabular",
    "tabularx",
    "longtable",
    "filecontents",
    "CCSXML",
];
/// Commands that are left out with that many arguments.
pub const DROPPED: [(&str, usize); 46] = [
    ("address", 1),
    ("addtolength", 2),
    ("affiliation", 1),
    ("author", 1),
    ("bibliography", 1),
    ("bibliographystyle", 1),
    ("bibitem", 1),
    ("color", 1),
    ("date", 1),
    ("documentclass", 1),
    ("documentstyle", 1),
    ("email", 1),
    ("fontsize", 2),
    ("geometry", 1),
    ("graphicspath", 1),
    ("hfill", 0),
    ("hspace", 1),
    ("hypersetup", 1),
    ("include", 1),
    ("includegraphics", 1),
    ("input", 1),
    ("institute", 1),
    ("keywords", 1),
    ("label", 1),
    ("maketitle", 0),
    ("newenvironment", 3),
    ("newtheorem", 2),
    ("pacs", 1),
    ("pagestyle", 1),
    ("phantom", 1),
    ("setcounter", 2),
    ("setlength", 2),
    ("subjclass", 1),
    ("tableofcontents", 0),
    ("thanks", 1),
    ("theoremstyle", 1),
    ("thispagestyle", 1),
    ("title", 1),
    ("urladdr", 1),
    ("usepackage", 1),
    ("vskip", 0),
    ("vspace", 1),
    ("addcontentsline", 3),
    ("markboth", 2),
    ("numberwithin", 2),
    ("pagenumbering", 1),
];

/// What a command of letters writes.
pub fn letter(command: &str) -> Option<&'static str> {
    Some(match command {
        "ss" => "ß",
        "ae" => "æ",
        "AE" => "Æ",
        "oe" => "œ",
        "OE" => "Œ",
        "o" => "ø",
        "O" => "Ø",
        "l" => "ł",
        "L" => "Ł",
        "aa" => "å",
        "AA" => "Å",
        "i" => "ı",
        "S" => "§",
        "P" => "¶",
        "ldots" | "dots" | "textellipsis" => "…",
        "copyright" => "©",
        "textbackslash" => "\\",
        "textasciitilde" => "~",
        "quad" | "qquad" => " ",
        "LaTeX" => "LaTeX",
        "TeX" => "TeX",
        "textendash" => "–",
        "textemdash" => "—",
        "newline" | "linebreak" => "\n",
        _ => return None,
    })
}

/// A letter and a mark as one character, for those that papers have.
pub fn composed(base: char, mark: char) -> Option<char> {
    let table = match mark {
        '\u{301}' => "aáeéiíoóuúyýAÁEÉIÍOÓUÚYÝcćnńsśzźCĆNŃSŚZŹlĺrŕ",
        '\u{300}' => "aàeèiìoòuùAÀEÈIÌOÒUÙ",
        '\u{302}' => "aâeêiîoôuûAÂEÊIÎOÔUÛwŵyŷ",
        '\u{308}' => "aäeëiïoöuüyÿAÄEËIÏOÖUÜ",
        '\u{303}' => "aãnñoõAÃNÑOÕiĩuũ",
        '\u{304}' => "aāeēiīoōuū",
        '\u{307}' => "zżZŻeėIİ",
        '\u{327}' => "cçCÇsşSŞtţ",
        '\u{30c}' => "cčsšzžeěrřnňCČSŠZŽRŘNŇEĚdďtť",
        '\u{306}' => "aăgğAĂGĞuŭ",
        '\u{30b}' => "oőuűOŐUŰ",
        '\u{328}' => "aąeęAĄEĘ",
        '\u{30a}' => "aåuůAÅUŮ",
        _ => "",
    };
    let mut letters = table.chars();
    while let (Some(from), Some(to)) = (letters.next(), letters.next()) {
        if from == base {
            return Some(to);
        }
    }
    None
}

//! LaTeX to Markdown: by pandoc where it is wanted and installed, else by what is here.
//!
//! The built-in reader knows what papers are mostly made of: sections, lists, theorems, formulas (kept as they are, with the
//! author's macros expanded), emphasis, citations, references, accents. Figures, tables, pictures and bibliographies are left
//! out but for captions. Of a command that it does not know the arguments stay. docs/corpus.md has the list.

mod convert;
mod letters;
mod macros;
mod scan;
mod vocabulary;

use super::tool::{Tool, ToolFault};

pub use scan::{argument, without_comments};

/// Makes Markdown of LaTeX.
#[derive(Clone, Debug, Default)]
pub struct Latex {
    pandoc: Option<Tool>,
}

impl Latex {
    /// By pandoc, if it is installed.
    pub fn with_pandoc() -> Option<Self> {
        // In the sandbox it reads no files, whatever a document includes.
        let arguments = &["--sandbox", "--from=latex", "--to=markdown", "--wrap=none"];
        let pandoc = Some(Tool::find("pandoc", "--version", arguments)?);
        Some(Self { pandoc })
    }

    /// What it is done with, for a manifest.
    pub fn name(&self) -> String {
        match &self.pandoc {
            Some(tool) => tool.version.clone(),
            None => "built-in 1".into(),
        }
    }

    /// The document as Markdown.
    ///
    /// # Errors
    /// pandoc makes nothing of it. The built-in reader makes something of everything.
    pub fn to_markdown(&self, tex: &str) -> Result<String, ToolFault> {
        match &self.pandoc {
            Some(tool) => tool.run(tex.as_bytes()),
            None => Ok(built_in(tex)),
        }
    }
}

/// The document as Markdown, by what is here.
fn built_in(tex: &str) -> String {
    let tex = without_comments(tex);
    let expanded = macros::expand(&tex);
    convert::to_markdown(body(&expanded))
}

/// What stands between the document's begin and end, or all of it if it has none.
fn body(tex: &str) -> &str {
    const BEGIN: &str = "\\begin{document}";
    let start = tex.find(BEGIN).map_or(0, |at| at + BEGIN.len());
    let rest = &tex[start..];
    &rest[..rest.find("\\end{document}").unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_becomes_markdown() {
        let tex = "\\documentclass{article}\n\\newcommand{\\R}{\\mathbb{R}} % the reals\n\
            \\newcommand\\norm[1]{\\lVert #1\\rVert}\n\\begin{document}\n\\title{T}\\author{A}\\maketitle\n\
            \\begin{abstract}We prove it.\\end{abstract}\n\\section{Intro\\label{s}}\nLet $x\\in\\R$ be \\emph{small}~\\cite{a,b}; \
            see \\eqref{e}.\n\\begin{equation}\\label{e}\n \\norm{x} < 1\n\\end{equation}\n\
            \\begin{theorem}[Main]\nG\\\"odel--Erd\\H{o}s 50\\%.\\end{theorem}\n\\begin{itemize}\\item a\n\\item b\\end{itemize}\n\
            \\begin{figure}\\includegraphics{x.png}\\caption{A picture.}\\end{figure}\n\\unknown{kept}\n\
            \\begin{thebibliography}{9}\\bibitem{a} A\\end{thebibliography}\n\\end{document}\nafter";
        let expected = "We prove it.\n\n# Intro\n\nLet $x\\in\\mathbb{R}$ be *small* [@a; @b]; see [e].\n\n\
            $$\\begin{equation}\\label{e}\n\\lVert x\\rVert < 1\n\\end{equation}$$\n\n**Theorem (Main).** Gödel–Erdős 50%.\n\n\
            - a\n- b\n\nA picture.\n\nkept";
        assert_eq!(Latex::default().to_markdown(tex).unwrap(), expected);
    }

    #[test]
    fn hostile_input_ends_soon() {
        let latex = Latex::default();
        for tex in [
            "\\textbf{".repeat(200_000),
            "{".repeat(300_000),
            "\\begin{a}".repeat(100_000),
            "$".repeat(300_001),
            "\\def\\a{\\a\\a}\\a".into(),
            "\\newcommand{\\a}[9]{#1#1\\a{#1#1}}\\a{x}".into(),
            "\\".into(),
            "\\begin{equation}".repeat(50_000),
            "\\def".repeat(100_000),
            "\\newcommand{\\".repeat(100_000),
        ] {
            let begun = std::time::Instant::now();
            let text = latex.to_markdown(&tex).unwrap();
            assert!(text.len() <= 20 * tex.len() + (1 << 20));
            assert!(
                begun.elapsed().as_secs() < 20,
                "{}",
                &tex[..20.min(tex.len())]
            );
        }
    }
}

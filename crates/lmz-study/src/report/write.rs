//! The files of a report.

use std::path::{Path, PathBuf};

use super::content::Report;
use super::{csv, html, markdown, svg};
use crate::error::Result;
use crate::files;

impl Report {
    /// The page: one file that needs no network.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// Figure 1 as SVG; none without figures.
    pub fn to_svg(&self) -> Option<String> {
        svg::picture(self)
    }

    /// Headline, correlations, models and methods.
    pub fn to_markdown(&self) -> String {
        markdown::text(self)
    }

    /// Everything, as JSON in one line: with line breaks it would be twice as large.
    pub fn to_json(&self) -> String {
        format!("{}\n", self.to_value())
    }

    /// A row for each model: compression and scores.
    pub fn figures_csv(&self) -> String {
        csv::figures(&self.study.data)
    }

    /// A row for each pair of scores and corpora.
    pub fn correlations_csv(&self) -> String {
        csv::correlations(self)
    }

    /// Writes the page as `html`, and beside it `.svg`, `.json`, `.md`, `.figures.csv` and
    /// `.correlations.csv` of the same name. Gives the paths.
    ///
    /// # Errors
    /// The file system.
    pub fn write(&self, html: &Path) -> Result<Vec<PathBuf>> {
        let mut all = vec![(html.to_owned(), self.to_html())];
        if let Some(svg) = self.to_svg() {
            all.push((html.with_extension("svg"), svg));
        }
        let name = html.file_stem().unwrap_or_default();
        let markdown = self
            .to_markdown()
            .replace("(report.svg)", &format!("({}.svg)", name.to_string_lossy()));
        all.push((html.with_extension("json"), self.to_json()));
        all.push((html.with_extension("md"), markdown));
        all.push((html.with_extension("figures.csv"), self.figures_csv()));
        all.push((
            html.with_extension("correlations.csv"),
            self.correlations_csv(),
        ));
        for (path, text) in &all {
            files::write(path, text.as_bytes())?;
        }
        Ok(all.into_iter().map(|(path, _)| path).collect())
    }
}

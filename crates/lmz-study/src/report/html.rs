//! One page that needs nothing else.

use super::content::Report;

const TEMPLATE: &str = include_str!("../../assets/report.html");
const PARTS: [(&str, &str); 5] = [
    ("css", include_str!("../../assets/report.css")),
    ("plot", include_str!("../../assets/plot.min.js")),
    ("charts", include_str!("../../assets/charts.js")),
    ("tables", include_str!("../../assets/tables.js")),
    ("page", include_str!("../../assets/page.js")),
];

/// The page.
pub(super) fn page(report: &Report) -> String {
    let data = in_script(&report.to_value().to_string());
    let title = in_text(&report.study.data.title);
    let mut page = String::new();
    let mut rest = TEMPLATE;
    // Placeholders of the template only: what is put in is not searched again.
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        let part = PARTS.iter().find(|(part, _)| *part == name);
        page.push_str(match name {
            "data" => &data,
            "title" => &title,
            _ => part.map_or("", |(_, text)| text),
        });
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that cannot end the element it stands in.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn in_text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_place_and_none_ends_its_element() {
        for (name, text) in PARTS {
            assert!(TEMPLATE.contains(&format!("{{{{{name}}}}}")), "{name}");
            assert!(
                !text.contains("</script") && !text.contains("</style"),
                "{name}"
            );
        }
        assert_eq!(in_script("\"</script>\""), "\"\\u003c/script>\"");
        assert_eq!(in_text("a < b & c"), "a &lt; b &amp; c");
    }
}

//! Figure 1 as a picture that needs no script.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::content::Report;
use crate::analysis::Answer;
use crate::dataset::{Dataset, Metric, Population};

/// Okabe and Ito's colours, the light ones darkened for white paper.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 127, 95),
    RGBColor(181, 71, 141),
    RGBColor(166, 124, 0),
    RGBColor(44, 44, 44),
    RGBColor(58, 155, 217),
    RGBColor(140, 86, 75),
];
const PANEL: (u32, u32) = (560, 420);

/// The areas' scatters, two in a row; none without figures.
pub(super) fn picture(report: &Report) -> Option<String> {
    let data = &report.study.data;
    let metric = Metric::ALL.into_iter().find(|&metric| data.has(metric))?;
    let answers: Vec<&Answer> = report
        .study
        .main_answers(metric)
        .into_iter()
        .map(|fit| with_a_line(report, fit))
        .filter(|answer| !answer.models.is_empty() || !answer.drawn.is_empty())
        .collect();
    if answers.is_empty() {
        return None;
    }
    let rows = answers.len().div_ceil(2);
    let columns = answers.len().min(2);
    let mut text = String::new();
    {
        let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE).ok()?;
        for (panel, answer) in root.split_evenly((rows, columns)).iter().zip(&answers) {
            // Into memory; what fails is a chart without a range.
            draw(panel, data, answer).ok()?;
        }
        root.present().ok()?;
    }
    Some(text)
}

/// The answer over all models, where there are too few that the paper would take.
fn with_a_line<'a>(report: &'a Report, fit: &'a Answer) -> &'a Answer {
    let all = report.study.over_all(fit).filter(|_| fit.fit.is_err());
    all.unwrap_or(fit)
}

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(
    panel: &Panel<'_>,
    data: &Dataset,
    answer: &Answer,
) -> Result<(), Box<dyn std::error::Error>> {
    let warned = |model: &str| {
        answer
            .question
            .leave_out
            .iter()
            .any(|out| out.model == model)
    };
    let inside = answer.models.iter().map(|part| {
        let name = part.model.as_str();
        (name, part.x, part.y, !warned(name))
    });
    let outside = answer
        .drawn
        .iter()
        .map(|part| (part.model.as_str(), part.x, part.y, false));
    let points: Vec<(&str, f64, f64, bool)> = inside.chain(outside).collect();
    let range = |of: fn(&(&str, f64, f64, bool)) -> f64| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let margin = if high > low { 0.1 * (high - low) } else { 0.1 };
        low - margin..high + margin
    };
    let (xs, ys) = (range(|p| p.1), range(|p| 100.0 * p.2));
    let mut title = answer.question.target.title(data);
    if let Ok(found) = &answer.pearson {
        let all = match answer.question.population {
            Population::Fit => "",
            Population::All => ", all models",
        };
        title = format!("{title}: ρ = {:.3}, n = {}{all}", found.value, found.n);
    }
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(xs.clone(), ys.clone())?;
    let corpora = answer.question.corpora.join(" + ");
    chart
        .configure_mesh()
        .x_desc(format!("{}, {corpora}", answer.question.metric.title()))
        .y_desc("score (%)")
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 228, 233))
        .x_labels(6)
        .y_labels(6)
        .draw()?;
    if let Ok(fit) = &answer.fit {
        let step = (xs.end - xs.start) / 60.0;
        let grid: Vec<f64> = (0..=60).map(|i| xs.start + step * f64::from(i)).collect();
        let clip = |y: f64| (100.0 * y).clamp(ys.start, ys.end);
        let band = |half: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            let upper = grid.iter().map(|&x| (x, clip(fit.at(x) + half(x))));
            let lower = grid.iter().rev().map(|&x| (x, clip(fit.at(x) - half(x))));
            upper.chain(lower).collect()
        };
        let grey = RGBColor(138, 143, 153);
        let bands = [
            band(&|x| fit.band(x).prediction),
            band(&|x| fit.band(x).line),
        ];
        for (polygon, opacity) in bands.into_iter().zip([0.1, 0.2]) {
            chart.draw_series([Polygon::new(polygon, grey.mix(opacity))])?;
        }
        let line = grid.iter().map(|&x| (x, 100.0 * fit.at(x)));
        let line = line.filter(|(_, y)| (ys.start..=ys.end).contains(y));
        chart.draw_series([PathElement::new(line.collect::<Vec<_>>(), BLACK)])?;
    }
    let families = families(data);
    for (name, x, y, filled) in points {
        let model = data.models.iter().find(|model| model.name == name);
        let family = model.and_then(|model| families.iter().position(|f| *f == model.family));
        let colour = COLOURS[family.unwrap_or_default() % COLOURS.len()];
        let place = (x, 100.0 * y);
        let style: ShapeStyle = if filled {
            colour.filled()
        } else {
            colour.stroke_width(1)
        };
        chart.draw_series([Circle::new(place, 4, style)])?;
        let label = model.map_or(name, |model| &model.title).to_owned();
        let font = ("sans-serif", 10).into_font().color(&colour);
        chart.draw_series([EmptyElement::at(place) + Text::new(label, (6, -5), font)])?;
    }
    Ok(())
}

/// Families, the largest first, as the page orders them.
fn families(data: &Dataset) -> Vec<&str> {
    let count = |family: &str| data.models.iter().filter(|m| m.family == family).count();
    let mut all: Vec<&str> = data.models.iter().map(|m| m.family.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    all.sort_by_key(|family| std::cmp::Reverse(count(family)));
    all
}

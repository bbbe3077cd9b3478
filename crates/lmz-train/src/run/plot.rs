//! The curve of a run as a picture.

use plotters::prelude::*;

use super::metrics::Line;

/// An SVG: the loss, and bits a byte on held-out text, over tokens seen. Empty without two rows.
pub(super) fn curve(lines: &[Line]) -> String {
    let mut svg = String::new();
    // An SVG in memory is drawn or, at worst, not there.
    match draw(lines, &mut svg) {
        Ok(()) => svg,
        Err(_) => String::new(),
    }
}

fn draw(lines: &[Line], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let mut losses = Vec::new();
    let mut held_out = Vec::new();
    for line in lines {
        match line {
            Line::Row(row) => losses.push((row.tokens as f64 / 1e6, row.loss)),
            Line::HeldOut { held_out: h } => {
                held_out.push((h.tokens as f64 / 1e6, h.bits_per_byte));
            }
        }
    }
    let end = losses
        .iter()
        .chain(&held_out)
        .fold(0.0_f64, |end, &(x, _)| end.max(x));
    // What comes before a tenth of the way is high, and would flatten the rest.
    let top = |points: &[(f64, f64)]| {
        let late = points.iter().filter(|(x, _)| *x > end * 0.05);
        late.fold(0.0_f64, |top, &(_, y)| top.max(y)) * 1.1
    };
    if losses.len() < 2 {
        return Err("too few points".into());
    }
    let root = SVGBackend::with_string(svg, (800, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let (blue, orange) = (RGBColor(0, 114, 178), RGBColor(213, 94, 0));
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .right_y_label_area_size(48)
        .build_cartesian_2d(0.0..end, 0.0..top(&losses).max(0.1))?
        .set_secondary_coord(0.0..end, 0.0..top(&held_out).max(0.1));
    chart
        .configure_mesh()
        .x_desc("million tokens")
        .y_desc("loss, nats a token")
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart
        .configure_secondary_axes()
        .y_desc("held out, bits a byte")
        .draw()?;
    let high = top(&losses).max(0.1);
    let visible = losses.into_iter().filter(|(_, y)| *y <= high);
    chart
        .draw_series(LineSeries::new(visible, &blue))?
        .label("loss")
        .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], blue));
    let high = top(&held_out).max(0.1);
    let visible = held_out.into_iter().filter(|(_, y)| *y <= high);
    chart
        .draw_secondary_series(LineSeries::new(visible, orange.stroke_width(2)))?
        .label("held out")
        .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], orange));
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    Ok(())
}

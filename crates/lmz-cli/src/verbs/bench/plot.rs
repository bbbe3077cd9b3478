//! Bits per byte against speed, as an SVG.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use lmz::bench::Method;
use lmz::figures::show;

use super::sums::{Compared, Sum, sums};
use crate::io::output::{How, Output};

const SIZE: (u32, u32) = (1000, 460);
const TITLE_HEIGHT: u32 = 40;
/// Space that labels need beside points: a factor of the speeds.
const SPREAD: f64 = 4.0;

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the sums over all files into a file, which is there whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn draw(all: &[Compared], machine: &str, path: &Path) -> Result<()> {
    let sums = sums(all);
    let mut svg = String::new();
    panels(&sums, all.len(), machine, &mut svg)
        .map_err(|error| anyhow!("the plot cannot be drawn: {error}"))?;
    let mut output = Output::file(
        path,
        How {
            force: true,
            ..How::default()
        },
    )?;
    std::io::Write::write_all(&mut output, svg.as_bytes())
        .map_err(|error| anyhow!("{}: {error}", show(path)))?;
    output.commit(None)
}

fn panels(
    sums: &[Sum],
    files: usize,
    machine: &str,
    svg: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (title, rest) = root.split_vertically(TITLE_HEIGHT);
    let raw = sums.first().map_or(0, |sum| sum.raw_bytes);
    let what = if files == 1 {
        "1 file".into()
    } else {
        format!("{files} files")
    };
    let text = format!("{what}, {raw} bytes; {machine}; models not counted");
    title.draw(&Text::new(text, (12, 14), ("sans-serif", 15)))?;
    let halves = rest.split_evenly((1, 2));
    panel(&halves[0], "compressing", sums, |sum| sum.compressing)?;
    panel(&halves[1], "restoring", sums, |sum| sum.restoring)?;
    root.present()?;
    Ok(())
}

fn panel(
    area: &Panel<'_>,
    name: &str,
    sums: &[Sum],
    seconds: impl Fn(&Sum) -> f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let points: Vec<(f64, f64, &Sum)> = sums
        .iter()
        .filter(|sum| sum.raw_bytes > 0)
        .map(|sum| {
            let speed = sum.raw_bytes as f64 / 1e6 / seconds(sum).max(1e-9);
            (speed, sum.bytes as f64 * 8.0 / sum.raw_bytes as f64, sum)
        })
        .collect();
    let (mut slow, mut fast, mut top) = (f64::MAX, f64::MIN_POSITIVE, 0.0f64);
    for (speed, bits, _) in &points {
        (slow, fast, top) = (slow.min(*speed), fast.max(*speed), top.max(*bits));
    }
    if points.is_empty() {
        return Ok(());
    }
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .caption(name, ("sans-serif", 16))
        .build_cartesian_2d(
            (slow / SPREAD..fast * SPREAD * SPREAD).log_scale(),
            0.0..top * 1.15,
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_desc("MB/s")
        .y_desc("bits per byte")
        .x_label_formatter(&|speed| speed.to_string())
        .draw()?;
    for (speed, bits, sum) in points {
        let color = if sum.method == Method::Lmz {
            RGBColor(200, 70, 0)
        } else {
            RGBColor(30, 90, 160)
        };
        chart.draw_series([Circle::new((speed, bits), 4, color.filled())])?;
        let label = Text::new(
            sum.method.name().to_owned(),
            (speed * 1.25, bits),
            ("sans-serif", 14).into_font().color(&color),
        );
        chart.draw_series([label])?;
    }
    Ok(())
}

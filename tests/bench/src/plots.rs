//! The plots of the report.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::rounds::{MeasuredRow, Standing};
use crate::rows::Kind;

const SIZE: (u32, u32) = (900, 320);

fn color(kind: Kind) -> RGBColor {
    match kind {
        Kind::Host => RGBColor(200, 30, 30),
        Kind::Hyper => RGBColor(120, 120, 120),
        Kind::Axum => RGBColor(30, 90, 180),
        Kind::SpawnBlocking => RGBColor(220, 140, 0),
        Kind::CommitLoop => RGBColor(30, 130, 70),
        Kind::Worker => RGBColor(130, 60, 160),
    }
}

/// One row: requests per second, and p99, by connections.
pub(crate) fn row(row: &MeasuredRow, file: &Path) -> Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(drawing)?;
    let halves = area.split_evenly((1, 2));
    panel(&halves[0], row, "thousand requests/s", |standing| {
        standing.per_second / 1000.0
    })?;
    panel(&halves[1], row, "p99, ms", |standing| standing.p99_us / 1000.0)?;
    area.present().map_err(drawing)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    row: &MeasuredRow,
    caption: &str,
    value: fn(&Standing) -> f64,
) -> Result<()> {
    let last = i32::try_from(row.at.len())? - 1;
    let all = row.at.iter().flat_map(|(_, standings)| standings).map(value);
    let top = all.fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d((0..last.max(1)).with_key_points((0..=last).collect()), 0.0..top)
        .map_err(drawing)?;
    let connections = |at: &i32| {
        let at = usize::try_from(*at).ok().and_then(|at| row.at.get(at));
        at.map_or_else(String::new, |(connections, _)| connections.to_string())
    };
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("connections")
        .x_label_formatter(&connections)
        .draw()
        .map_err(drawing)?;
    let kinds = row.at.first().map_or(&[][..], |(_, standings)| standings);
    for (column, kind) in kinds.iter().map(|standing| standing.kind).enumerate() {
        let points = || {
            (0..)
                .zip(&row.at)
                .map(|(at, (_, standings))| (at, value(&standings[column])))
        };
        let style = color(kind).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points(), style).point_size(3))
            .map_err(drawing)?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .draw()
        .map_err(drawing)
}

/// The backend's errors borrow what they failed on.
fn drawing(error: impl std::error::Error) -> anyhow::Error {
    anyhow!("a plot cannot be drawn: {error}")
}

//! Prometheus' text format, version 0.0.4: families with their help and type, then their samples.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::{Display, Write};
use std::time::Duration;

use crate::metrics::{BOUNDS, Times};

/// The media type of a page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family's samples are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// They only grow.
    Counter,
    /// They rise and fall.
    Gauge,
    /// Durations in seconds by bound.
    Histogram,
}

/// Samples that differ in their labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// For people: one sentence without backslashes and line ends.
    pub(super) help: &'static str,
}

/// The labels of a sample, written once for many samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels(String);

impl Labels {
    pub(super) fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        let mut labels = Labels::default();
        for (name, value) in pairs {
            labels = labels.and(name, value);
        }
        labels
    }

    /// These and one more.
    pub(super) fn and(&self, name: &str, value: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + name.len() + value.len() + 4);
        text.push_str(&self.0);
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                letter => text.push(letter),
            }
        }
        text.push('"');
        Labels(text)
    }
}

/// A page in the making.
#[derive(Debug)]
pub(super) struct Page(String);

impl Page {
    /// An empty page with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Page(String::with_capacity(bytes))
    }

    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, family: Family) -> Samples<'_> {
        let Family { name, kind, help } = family;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        write(
            &mut self.0,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        Samples {
            text: &mut self.0,
            name,
        }
    }

    /// A family with one sample without labels.
    pub(super) fn single(&mut self, family: Family, value: impl Display) {
        self.family(family).add(&Labels::default(), value);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Where the samples of one family are written.
#[derive(Debug)]
pub(super) struct Samples<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Samples<'_> {
    /// A sample of a counter or a gauge.
    pub(super) fn add(&mut self, labels: &Labels, value: impl Display) -> &mut Self {
        self.sample("", labels, None, value)
    }

    /// A sample with one label more, whose value needs no escapes.
    pub(super) fn add_with(&mut self, labels: &Labels, last: (&str, &str), value: impl Display) -> &mut Self {
        self.sample("", labels, Some(last), value)
    }

    /// All samples of a histogram.
    pub(super) fn times(&mut self, labels: &Labels, times: &Times) -> &mut Self {
        for ((_, bound), up_to) in BOUNDS.iter().zip(times.up_to) {
            self.sample("_bucket", labels, Some(("le", bound)), up_to);
        }
        self.sample("_bucket", labels, Some(("le", "+Inf")), times.count)
            .sample("_sum", labels, None, seconds(times.sum))
            .sample("_count", labels, None, times.count)
    }

    fn sample(
        &mut self,
        part: &str,
        labels: &Labels,
        last: Option<(&str, &str)>,
        value: impl Display,
    ) -> &mut Self {
        let text = &mut *self.text;
        text.push_str(self.name);
        text.push_str(part);
        if last.is_some() || !labels.0.is_empty() {
            text.push('{');
            text.push_str(&labels.0);
            if let Some((name, value)) = last {
                if !labels.0.is_empty() {
                    text.push(',');
                }
                for piece in [name, "=\"", value, "\""] {
                    text.push_str(piece);
                }
            }
            text.push('}');
        }
        text.push(' ');
        write(text, format_args!("{value}\n"));
        self
    }
}

/// A duration as seconds, to the nanosecond.
pub(super) fn seconds(duration: Duration) -> impl Display {
    std::fmt::from_fn(move |f| write!(f, "{}.{:09}", duration.as_secs(), duration.subsec_nanos()))
}

fn write(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;

    #[test]
    fn a_family_is_help_type_and_samples_with_their_labels_escaped() {
        let mut page = Page::with_capacity(0);
        let family = Family {
            name: "a_total",
            kind: Kind::Counter,
            help: "Counts.",
        };
        let labels = Labels::of([("driver", "fake"), ("text", "a\\b\"c\nd")]);
        page.family(family).add(&labels, 1).add(&Labels::default(), 2.5);
        assert_eq!(
            page.into_text(),
            "# HELP a_total Counts.\n# TYPE a_total counter\n\
             a_total{driver=\"fake\",text=\"a\\\\b\\\"c\\nd\"} 1\na_total 2.5\n"
        );
    }

    #[test]
    fn a_histogram_has_growing_buckets_a_sum_in_seconds_and_a_count() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_micros(50));
        histogram.observe(Duration::from_millis(90_500));
        let family = Family {
            name: "a_seconds",
            kind: Kind::Histogram,
            help: "Takes.",
        };
        let mut page = Page::with_capacity(0);
        page.family(family)
            .times(&Labels::of([("on", "node")]), &histogram.read());
        let text = page.into_text();
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(lines.len(), 1 + BOUNDS.len() + 3);
        assert_eq!(lines[0], "# TYPE a_seconds histogram");
        assert_eq!(lines[1], "a_seconds_bucket{on=\"node\",le=\"0.00001\"} 0");
        assert_eq!(lines[2], "a_seconds_bucket{on=\"node\",le=\"0.0001\"} 1");
        let end = &lines[lines.len() - 3..];
        assert_eq!(
            end,
            [
                "a_seconds_bucket{on=\"node\",le=\"+Inf\"} 2",
                "a_seconds_sum{on=\"node\"} 90.500050000",
                "a_seconds_count{on=\"node\"} 2"
            ]
        );
    }
}

//! The results of a benchmark, for people and for machines.

use std::fmt;

use serde::Serialize;

/// The cases of one benchmark.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The benchmark's name.
    pub name: &'static str,
    /// The measured cases.
    pub cases: Vec<Case>,
}

/// One measured number, beside its baseline where there is one.
#[derive(Debug, Default, Serialize)]
pub struct Case {
    /// The measured case.
    pub case: String,
    /// The product's number.
    pub value: f64,
    /// The unit of the number.
    pub unit: &'static str,
    /// The baseline's number.
    pub baseline: Option<f64>,
    /// `value` ÷ `baseline`.
    pub ratio: Option<f64>,
    /// The product's median latency.
    pub p50_ms: Option<f64>,
    /// The latency that one request in a hundred exceeds.
    pub p99_ms: Option<f64>,
    /// The most memory that the product held, in MiB.
    pub rss_mib: Option<f64>,
    /// The bar that the case must reach, in words.
    pub bar: Option<String>,
    /// True if it reaches the bar.
    pub holds: bool,
}

impl Case {
    /// Creates a rate with its baseline; `least` is the ratio that it must reach.
    pub fn ratio(
        case: impl Into<String>,
        value: f64,
        baseline: f64,
        unit: &'static str,
        least: Option<f64>,
    ) -> Self {
        let ratio = value / baseline;
        Self {
            case: case.into(),
            value,
            unit,
            baseline: Some(baseline),
            ratio: Some(ratio),
            bar: least.map(|least| format!("ratio ≥ {least}")),
            holds: least.is_none_or(|least| ratio >= least),
            ..Self::default()
        }
    }

    /// Creates a count that may differ from the expected one by `share` of it.
    pub fn within(case: impl Into<String>, value: f64, wanted: f64, unit: &'static str, share: f64) -> Self {
        let ratio = value / wanted;
        Self {
            case: case.into(),
            value,
            unit,
            baseline: Some(wanted),
            ratio: Some(ratio),
            bar: Some(format!("ratio 1 ± {share}")),
            holds: (ratio - 1.0).abs() <= share,
            ..Self::default()
        }
    }

    /// Creates a number that must stay below `most`.
    pub fn below(case: impl Into<String>, value: f64, unit: &'static str, most: f64) -> Self {
        let bar = Some(format!("< {most} {unit}"));
        Self { case: case.into(), value, unit, bar, holds: value < most, ..Self::default() }
    }
}

impl Report {
    /// Returns whether every case reaches its bar.
    pub fn holds(&self) -> bool {
        self.cases.iter().all(|case| case.holds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        writeln!(
            f,
            "{:<38} {:>10} {:<9} {:>10} {:>6} {:>8} {:>8} {:>8}  bar",
            self.name, "value", "unit", "baseline", "ratio", "p50 ms", "p99 ms", "RSS MiB"
        )?;
        for case in &self.cases {
            let value =
                if case.value < 100.0 { format!("{:.2}", case.value) } else { format!("{:.0}", case.value) };
            let baseline = case.baseline.map_or("–".to_owned(), |baseline| format!("{baseline:.0}"));
            let bar = case.bar.as_deref().unwrap_or("–");
            let mark = match (&case.bar, case.holds) {
                (None, _) => " ",
                (Some(_), true) => "✓",
                (Some(_), false) => "✗",
            };
            writeln!(
                f,
                "{:<38} {value:>10} {:<9} {baseline:>10} {:>6} {:>8} {:>8} {:>8}  {mark} {bar}",
                case.case,
                case.unit,
                number(case.ratio),
                number(case.p50_ms),
                number(case.p99_ms),
                number(case.rss_mib),
            )?;
        }
        Ok(())
    }
}

//! A range of numbers in an attribute: `1..=100`, `1..`, `..=100`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, ExprRange, ExprUnary, Lit, RangeLimits, Result, Token, UnOp};

/// The bounds as JSON, both inclusive; empty for none.
pub(crate) struct Range {
    pub(crate) minimum: String,
    pub(crate) maximum: String,
    pub(crate) span: Span,
}

impl Parse for Range {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let expr: Expr = input.parse()?;
        let Expr::Range(ExprRange {
            start, end, limits, ..
        }) = &expr
        else {
            return Err(Error::new_spanned(&expr, "expected a range such as `1..=100`"));
        };
        if let (RangeLimits::HalfOpen(_), Some(_)) = (limits, end) {
            return Err(Error::new_spanned(
                &expr,
                "a range includes its end: write `1..=100`",
            ));
        }
        let bound = |expr: &Option<Box<Expr>>| expr.as_deref().map(number).transpose();
        let range = Range {
            minimum: bound(start)?.unwrap_or_default(),
            maximum: bound(end)?.unwrap_or_default(),
            span: expr.span(),
        };
        if range.minimum.is_empty() && range.maximum.is_empty() {
            return Err(Error::new_spanned(
                &expr,
                "a range has an end: write `1..=100`, `1..` or `..=100`",
            ));
        }
        if let (Ok(minimum), Ok(maximum)) = (range.minimum.parse::<f64>(), range.maximum.parse::<f64>()) {
            if minimum > maximum {
                return Err(Error::new_spanned(&expr, "nothing is in this range"));
            }
        }
        Ok(range)
    }
}

impl Range {
    /// `= 1..=100`
    pub(crate) fn value(input: ParseStream<'_>) -> Result<Self> {
        let before = input.span();
        input
            .parse::<Token![=]>()
            .map_err(|_| Error::new(before, "expected a range: `= 1..=100`"))?;
        input.parse()
    }

    /// Refuses what counts nothing.
    pub(crate) fn expect_lengths(&self) -> Result<()> {
        let counts = |bound: &str| bound.is_empty() || bound.parse::<u32>().is_ok();
        if counts(&self.minimum) && counts(&self.maximum) {
            Ok(())
        } else {
            Err(Error::new(
                self.span,
                "a length is a whole number and not negative",
            ))
        }
    }
}

fn number(expr: &Expr) -> Result<String> {
    let refuse = || Error::new_spanned(expr, "the end of a range is a number");
    let (sign, lit) = match expr {
        Expr::Lit(ExprLit { lit, .. }) => ("", lit),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit { lit, .. }) => ("-", lit),
            _ => return Err(refuse()),
        },
        _ => return Err(refuse()),
    };
    let digits = match lit {
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().to_owned(),
        _ => return Err(refuse()),
    };
    let text = format!("{sign}{digits}");
    // JSON knows fewer spellings than Rust: `1.` is none of its numbers.
    serde_json::from_str::<serde_json::Number>(&text)
        .map(|number| number.to_string())
        .map_err(|_| refuse())
}

//! The words inside the attributes: `name = value` or a bare word, each at most once, none unknown.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{bracketed, Error, Ident, LitBool, LitInt, LitStr, Path, Result, Token};

/// The words of `#[driver(..)]`.
pub(crate) struct DriverWords {
    pub(crate) name: LitStr,
    pub(crate) properties: Option<Path>,
}

/// The words of `#[node_method(..)]` and `#[driver_method(..)]`.
#[derive(Default)]
pub(crate) struct MethodWords {
    pub(crate) name: Option<LitStr>,
    pub(crate) http_methods: Option<Vec<Ident>>,
    pub(crate) is_async: Option<LitBool>,
    pub(crate) require_exclusive_lock: Option<LitBool>,
    pub(crate) attach: Option<Span>,
    pub(crate) time_limit_ms: Option<LitInt>,
    pub(crate) body_schema: Option<LitStr>,
    pub(crate) reply_schema: Option<LitStr>,
}

const METHOD_WORDS: &str =
    "name, http_methods, async, require_exclusive_lock, attach, time_limit_ms, body_schema, reply_schema";

impl DriverWords {
    pub(crate) fn parse(words: TokenStream) -> Result<Self> {
        let (mut name, mut properties) = (None, None);
        each_word(words, |word, input| match word.to_string().as_str() {
            "name" => once(&mut name, word, value(input, "a string: `name = \"hello\"`")?),
            "properties" => once(
                &mut properties,
                word,
                value(input, "a type: `properties = Device`")?,
            ),
            _ => Err(unknown(word, "name, properties")),
        })?;
        let name = name.ok_or_else(|| {
            Error::new(
                Span::call_site(),
                "a driver needs a name: `#[driver(name = \"hello\")]`",
            )
        })?;
        Ok(DriverWords { name, properties })
    }
}

impl MethodWords {
    pub(crate) fn parse(words: TokenStream) -> Result<Self> {
        let mut all = MethodWords::default();
        each_word(words, |word, input| match word.to_string().as_str() {
            "name" => once(&mut all.name, word, value(input, "a string: `name = \"reset\"`")?),
            "http_methods" => once(
                &mut all.http_methods,
                word,
                names(input, "HTTP methods: `http_methods = [GET, POST]`")?,
            ),
            "async" => once(
                &mut all.is_async,
                word,
                value(input, "`true` or `false`: `async = false`")?,
            ),
            "require_exclusive_lock" => once(
                &mut all.require_exclusive_lock,
                word,
                value(input, "`true` or `false`: `require_exclusive_lock = false`")?,
            ),
            "attach" if input.peek(Token![=]) => {
                Err(Error::new(word.span(), "`attach` stands alone, without a value"))
            }
            "attach" => once(&mut all.attach, word, word.span()),
            "time_limit_ms" => once(
                &mut all.time_limit_ms,
                word,
                value(input, "a number of milliseconds: `time_limit_ms = 5000`")?,
            ),
            "body_schema" => once(
                &mut all.body_schema,
                word,
                value(input, "a file beside Cargo.toml: `body_schema = \"reset.json\"`")?,
            ),
            "reply_schema" => once(
                &mut all.reply_schema,
                word,
                value(input, "a file beside Cargo.toml: `reply_schema = \"state.json\"`")?,
            ),
            _ => Err(unknown(word, METHOD_WORDS)),
        })?;
        Ok(all)
    }
}

/// Hands each word to `take`, which reads its value; the words are separated by commas.
pub(crate) fn each_word(
    words: TokenStream,
    mut take: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            // `async` and `type` are keywords elsewhere.
            let word = input.call(Ident::parse_any)?;
            take(&word, input)?;
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                return Err(input.error(format!("expected a comma after `{word}`")));
            }
        }
        Ok(())
    };
    parser.parse2(words)
}

/// `= value`, or an error that shows how it is written.
pub(crate) fn value<T: Parse>(input: ParseStream<'_>, expected: &str) -> Result<T> {
    let expected = |span| Error::new(span, format!("expected {expected}"));
    let before = input.span();
    input.parse::<Token![=]>().map_err(|_| expected(before))?;
    let span = input.span();
    input.parse::<T>().map_err(|_| expected(span))
}

/// `= [A, B]` with at least one name, or an error that shows how it is written.
pub(crate) fn names(input: ParseStream<'_>, expected: &str) -> Result<Vec<Ident>> {
    let expected = |span| Error::new(span, format!("expected {expected}"));
    let span = input.span();
    input.parse::<Token![=]>().map_err(|_| expected(span))?;
    let span = input.span();
    let list = (|| {
        let content;
        bracketed!(content in input);
        Punctuated::<Ident, Token![,]>::parse_terminated(&content)
    })()
    .map_err(|_| expected(span))?;
    if list.is_empty() {
        return Err(expected(span));
    }
    Ok(list.into_iter().collect())
}

pub(crate) fn once<T>(slot: &mut Option<T>, word: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(word.span(), format!("`{word}` is given twice"))),
    }
}

pub(crate) fn unknown(word: &Ident, known: &str) -> Error {
    Error::new(word.span(), format!("unknown word `{word}`; known: {known}"))
}

//! One method: its words, its signature and its description, checked against each other.

use proc_macro2::{Span, TokenStream};
use syn::{Error, Ident, ImplItemFn, LitInt, Result, ReturnType, Type};

use crate::description;
use crate::schema::SchemaFile;
use crate::signature::{self, Parameter};
use crate::standard::Standard;
use crate::words::MethodWords;

/// Where a method is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Node,
    Driver,
}

/// How a method runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// An ordinary function.
    Blocking,
    /// A function that takes a completion.
    Completion,
    /// An `async fn`.
    Future,
}

/// One declared method.
pub(crate) struct Method {
    pub(crate) ident: Ident,
    pub(crate) on: On,
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) http_methods: Vec<String>,
    pub(crate) is_async: bool,
    pub(crate) require_exclusive_lock: bool,
    pub(crate) attach: bool,
    pub(crate) time_limit_ms: Option<u64>,
    pub(crate) body_schema: Option<SchemaFile>,
    pub(crate) reply_schema: Option<SchemaFile>,
    /// The type of its answer as JSON, as far as it is written out.
    pub(crate) answer: Option<Type>,
    pub(crate) description: String,
    pub(crate) run: Run,
    pub(crate) parameters: Vec<Parameter>,
    /// The extra check of its calls.
    pub(crate) check: Option<Check>,
    /// For a call of a standard interface.
    pub(crate) standard: Option<Standard>,
}

/// A `#[validate_call(method)]` function.
pub(crate) struct Check {
    pub(crate) method: Ident,
    pub(crate) ident: Ident,
    pub(crate) parameters: Vec<Parameter>,
}

impl Method {
    pub(crate) fn new(on: On, words: TokenStream, function: &ImplItemFn) -> Result<Self> {
        let words = MethodWords::parse(words)?;
        let signature = &function.sig;
        signature::plain(signature)?;
        signature::takes_self(signature, "a method")?;
        let parameters = signature::parameters(signature)?;
        let run = run(function, &parameters)?;
        check_parameters(on, &parameters)?;

        let (name, name_span) = match &words.name {
            Some(name) => (name.value(), name.span()),
            None => (
                function.sig.ident.to_string().trim_start_matches("r#").to_owned(),
                signature.ident.span(),
            ),
        };
        check_name(&name, name_span)?;
        let http_methods = match &words.http_methods {
            Some(verbs) => known_verbs(verbs)?,
            None => vec!["POST".to_owned()],
        };
        let is_async = words.is_async.as_ref().map_or(on == On::Node, |word| word.value);
        if let (On::Driver, Some(word)) = (on, &words.require_exclusive_lock) {
            return Err(Error::new_spanned(
                word,
                "`require_exclusive_lock` is a word of node methods: a driver method locks no node",
            ));
        }
        let answer = answer_type(function, &parameters, run)?;
        check_attach(&words, is_async, answer.as_ref())?;
        Ok(Method {
            ident: signature.ident.clone(),
            on,
            name,
            name_span,
            http_methods,
            is_async,
            require_exclusive_lock: words
                .require_exclusive_lock
                .map_or(on == On::Node, |word| word.value),
            attach: words.attach.is_some(),
            time_limit_ms: time_limit(words.time_limit_ms.as_ref())?,
            body_schema: words.body_schema.as_ref().map(SchemaFile::read).transpose()?,
            reply_schema: words.reply_schema.as_ref().map(SchemaFile::read).transpose()?,
            answer: answer.filter(|_| words.attach.is_none()),
            description: described(function)?,
            run,
            parameters,
            check: None,
            standard: None,
        })
    }

    /// The type of the arguments, if the method takes some.
    pub(crate) fn args(&self) -> Option<&Type> {
        self.parameters.iter().find_map(|parameter| match parameter {
            Parameter::Args(ty) => Some(&**ty),
            _ => None,
        })
    }
}

impl Check {
    pub(crate) fn new(words: TokenStream, function: &ImplItemFn, attribute: Span) -> Result<Self> {
        let method = syn::parse2::<Ident>(words).map_err(|_| {
            Error::new(
                attribute,
                "name the function of the method that it checks: `#[validate_call(reset)]`",
            )
        })?;
        let signature = &function.sig;
        signature::plain(signature)?;
        signature::takes_self(signature, "a `#[validate_call]` function")?;
        if let Some(word) = &signature.asyncness {
            return Err(Error::new_spanned(
                word,
                "a validation is not async: it must not wait for a device",
            ));
        }
        signature::result_type(signature, "a `#[validate_call]` function")?;
        let parameters = signature::parameters(signature)?;
        for (parameter, input) in parameters.iter().zip(signature.inputs.iter().skip(1)) {
            if !matches!(
                parameter,
                Parameter::Call | Parameter::Node(_) | Parameter::ArgsReference(_)
            ) {
                let text = "a `#[validate_call]` function takes `&Call`, `&Node` and, borrowed, the method's arguments";
                return Err(Error::new_spanned(input, text));
            }
        }
        Ok(Check {
            method,
            ident: signature.ident.clone(),
            parameters,
        })
    }

    pub(crate) fn takes_node(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| matches!(parameter, Parameter::Node(_)))
    }
}

pub(crate) fn run(function: &ImplItemFn, parameters: &[Parameter]) -> Result<Run> {
    let completion = parameters
        .iter()
        .any(|parameter| matches!(parameter, Parameter::Completion(_)));
    match (&function.sig.asyncness, completion) {
        (Some(word), true) => Err(Error::new_spanned(
            word,
            "a method answers through a Completion or is an `async fn`, not both",
        )),
        (Some(word), false) if !cfg!(feature = "tokio") => Err(Error::new_spanned(
            word,
            "an `async fn` method needs driver-sdk's feature `tokio`: \
             driver-sdk = { version = \"1.0\", features = [\"tokio\"] }",
        )),
        (Some(_), false) => Ok(Run::Future),
        (None, true) => Ok(Run::Completion),
        (None, false) => Ok(Run::Blocking),
    }
}

pub(crate) fn check_parameters(on: On, parameters: &[Parameter]) -> Result<()> {
    let mut args = 0;
    for parameter in parameters {
        match parameter {
            Parameter::Node(span) if on == On::Driver => {
                return Err(Error::new(
                    *span,
                    "a driver method has no node; declare it with `#[node_method]`",
                ));
            }
            Parameter::Host(span) => {
                return Err(Error::new(
                    *span,
                    "take the `Host` in the `#[create]` function and keep it; a method logs with its `&Call`",
                ));
            }
            Parameter::ArgsReference(span) => {
                return Err(Error::new(
                    *span,
                    "take the arguments by value: they are the method's own",
                ));
            }
            Parameter::Args(ty) => {
                args += 1;
                if args > 1 {
                    return Err(Error::new_spanned(
                        ty,
                        "a method takes one type for all its arguments: a struct with a field for each",
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The doc comment, which every method has.
pub(crate) fn described(function: &ImplItemFn) -> Result<String> {
    let description = description::of(&function.attrs);
    if description.is_empty() {
        return Err(Error::new(
            function.sig.ident.span(),
            "describe the method: its doc comment is what operators and clients read",
        ));
    }
    Ok(description)
}

/// The word `time_limit_ms`.
pub(crate) fn time_limit(number: Option<&LitInt>) -> Result<Option<u64>> {
    let limit = |number: &LitInt| match number.base10_parse::<u64>() {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(Error::new_spanned(
            number,
            "a time limit is at least 1 millisecond",
        )),
    };
    number.map(limit).transpose()
}

/// The type of the answer, as far as it is written out.
pub(crate) fn answer_type(function: &ImplItemFn, parameters: &[Parameter], run: Run) -> Result<Option<Type>> {
    if run != Run::Completion {
        return signature::result_type(&function.sig, "a method");
    }
    if let ReturnType::Type(_, ty) = &function.sig.output {
        return Err(Error::new_spanned(
            ty,
            "a method that takes a Completion returns nothing: it answers through the completion",
        ));
    }
    Ok(parameters.iter().find_map(|parameter| match parameter {
        Parameter::Completion(answer) => answer.as_deref().cloned(),
        _ => None,
    }))
}

fn check_attach(words: &MethodWords, is_async: bool, answer: Option<&Type>) -> Result<()> {
    let attachment = answer.is_some_and(|ty| signature::is_named(ty, "Attachment"));
    match (words.attach, answer) {
        (Some(span), _) if is_async => Err(Error::new(
            span,
            "`attach` needs `async = false`: the client waits for the bytes",
        )),
        (Some(_), Some(ty)) if !attachment => Err(Error::new_spanned(
            ty,
            "a method with `attach` answers an `Attachment`",
        )),
        (None, Some(ty)) if attachment => Err(Error::new_spanned(
            ty,
            "a method that answers an `Attachment` is declared with `attach`",
        )),
        _ => Ok(()),
    }
}

fn check_name(name: &str, span: Span) -> Result<()> {
    let text = if name == "methods" {
        "the name `methods` is reserved: it lists the methods; give another with `name = \"...\"`".to_owned()
    } else if name.contains(':') {
        format!("the name `{name}` has a colon: that is a call of a standard interface; write `#[power(get)]` or the like")
    } else if name.is_empty()
        || name.len() > 255
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    {
        format!(
            "the name `{name}` cannot be used: 1 to 255 of the letters A-Z and a-z, digits, `_`, `.` and `-`"
        )
    } else {
        return Ok(());
    };
    Err(Error::new(span, text))
}

fn known_verbs(verbs: &[Ident]) -> Result<Vec<String>> {
    let mut known: Vec<String> = Vec::new();
    for verb in verbs {
        let name = verb.to_string();
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&name.as_str()) {
            let text = format!("unknown HTTP method `{name}`; known: GET, POST, PUT, PATCH, DELETE");
            return Err(Error::new_spanned(verb, text));
        }
        if known.contains(&name) {
            return Err(Error::new_spanned(verb, format!("`{name}` is given twice")));
        }
        known.push(name);
    }
    Ok(known)
}

//! The whole declaration: what the attribute's words and the block's functions say together.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Meta, Path, Result, ReturnType};

use crate::description;
use crate::method::{Check, Method, On};
use crate::signature::{self, Parameter};
use crate::standard::{self, Interface};
use crate::words::DriverWords;

/// A driver, checked.
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) properties: Option<Path>,
    pub(crate) create: Create,
    pub(crate) methods: Vec<Method>,
    pub(crate) validate_node: Option<Ident>,
    pub(crate) shut_down: Option<ShutDown>,
}

/// The `#[create]` function.
pub(crate) struct Create {
    pub(crate) ident: Ident,
    pub(crate) parameters: Vec<Parameter>,
}

/// The `#[shut_down]` function.
pub(crate) struct ShutDown {
    pub(crate) ident: Ident,
    /// Whether it returns a `Result`.
    pub(crate) fallible: bool,
}

/// What a function of the block is marked as.
enum Mark {
    Create,
    Method(On),
    Standard(Interface),
    ValidateNode,
    ValidateCall,
    ShutDown,
}

/// Functions as they are found, and everything that is wrong with them.
#[derive(Default)]
struct Found {
    create: Option<Create>,
    create_marked: bool,
    methods: Vec<Method>,
    checks: Vec<Check>,
    validate_node: Option<Ident>,
    shut_down: Option<ShutDown>,
    errors: Option<Error>,
}

impl Declaration {
    /// Reads the declaration and takes its attributes out of `block`. All errors are reported, not only the first.
    pub(crate) fn read(words: TokenStream, block: &mut ItemImpl) -> Result<Self> {
        let mut found = Found::default();
        let words = DriverWords::parse(words).and_then(|words| check_driver_name(&words).map(|()| words));
        let words = found.keep(words);
        let plain = plain_block(block);
        found.keep(plain);
        for item in &mut block.items {
            if let ImplItem::Fn(function) = item {
                let added = take_mark(function).and_then(|mark| match mark {
                    Some((mark, attribute)) => {
                        signature::write_lifetimes(&mut function.sig);
                        found.add(&mark, &attribute, function)
                    }
                    None => Ok(()),
                });
                found.keep(added);
            }
        }
        found.attach_checks();
        found.refuse_duplicates();
        if found.errors.is_none() {
            let whole = standard::check_whole(&found.methods);
            found.keep(whole);
        }
        if !found.create_marked {
            let text =
                "a driver needs a function that creates it: `#[create] fn new() -> Result<Self, Fault>`";
            found.keep::<()>(Err(Error::new(block.self_ty.span(), text)));
        }
        match (words, found.create, found.errors) {
            (Some(words), Some(create), None) => Ok(Declaration {
                name: words.name.value(),
                description: description::of(&block.attrs),
                properties: words.properties,
                create,
                methods: found.methods,
                validate_node: found.validate_node,
                shut_down: found.shut_down,
            }),
            (_, _, errors) => Err(errors.unwrap_or_else(|| Error::new(Span::call_site(), "not a driver"))),
        }
    }
}

impl Found {
    /// The value, or nothing and one more error.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(error) => match &mut self.errors {
                Some(errors) => errors.combine(error),
                None => self.errors = Some(error),
            },
        }
        None
    }

    fn add(&mut self, mark: &Mark, attribute: &Attribute, function: &ImplItemFn) -> Result<()> {
        let twice = |what: &str| {
            Err(Error::new(
                attribute.span(),
                format!("a driver has one `#[{what}]` function"),
            ))
        };
        match mark {
            Mark::Create if self.create_marked => return twice("create"),
            Mark::Create => {
                self.create_marked = true;
                no_words(attribute)?;
                self.create = Some(Create::new(function)?);
            }
            Mark::Method(on) => self
                .methods
                .push(Method::new(*on, words_of(attribute)?, function)?),
            Mark::Standard(interface) => {
                let method = Method::standard(*interface, words_of(attribute)?, attribute.span(), function)?;
                self.methods.push(method);
            }
            Mark::ValidateNode if self.validate_node.is_some() => return twice("validate_node"),
            Mark::ValidateNode => {
                no_words(attribute)?;
                self.validate_node = Some(validate_node(function)?);
            }
            Mark::ValidateCall => {
                self.checks
                    .push(Check::new(words_of(attribute)?, function, attribute.span())?);
            }
            Mark::ShutDown if self.shut_down.is_some() => return twice("shut_down"),
            Mark::ShutDown => {
                no_words(attribute)?;
                self.shut_down = Some(ShutDown::new(function)?);
            }
        }
        Ok(())
    }

    fn attach_checks(&mut self) {
        for check in std::mem::take(&mut self.checks) {
            let span = check.method.span();
            let refused = match self
                .methods
                .iter_mut()
                .find(|method| method.ident == check.method)
            {
                None => format!("no function `{}` is declared as a method", check.method),
                Some(method) if method.check.is_some() => {
                    format!(
                        "method `{}` has a `#[validate_call]` function already",
                        method.ident
                    )
                }
                Some(method) if method.on == On::Driver && check.takes_node() => {
                    "a driver method has no node to check".to_owned()
                }
                Some(method) => {
                    method.check = Some(check);
                    continue;
                }
            };
            // A method with an error of its own is missing here; that error is enough.
            if self.errors.is_none() {
                self.keep::<()>(Err(Error::new(span, refused)));
            }
        }
    }

    fn refuse_duplicates(&mut self) {
        for at in 1..self.methods.len() {
            let (earlier, method) = (&self.methods[..at], &self.methods[at]);
            if earlier
                .iter()
                .any(|known| known.on == method.on && known.name == method.name)
            {
                let on = if method.on == On::Node { "node" } else { "driver" };
                let text = format!("the {on} method `{}` is declared twice", method.name);
                let error = Error::new(method.name_span, text);
                self.keep::<()>(Err(error));
            }
        }
    }
}

impl Create {
    fn new(function: &ImplItemFn) -> Result<Self> {
        let signature = &function.sig;
        signature::plain(signature)?;
        if let Some(word) = &signature.asyncness {
            return Err(Error::new_spanned(
                word,
                "a `#[create]` function is not async: the host waits for it",
            ));
        }
        if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
            return Err(Error::new_spanned(
                receiver,
                "a `#[create]` function makes the driver: it takes no `self`",
            ));
        }
        signature::result_type(signature, "a `#[create]` function")?;
        let parameters = signature::parameters(signature)?;
        let mut configs = 0;
        for (parameter, input) in parameters.iter().zip(&signature.inputs) {
            match parameter {
                Parameter::Host(_) => {}
                Parameter::Args(_) if configs == 0 => configs += 1,
                _ => {
                    let text =
                        "a `#[create]` function takes a configuration and a `Host`, by value, both optional";
                    return Err(Error::new_spanned(input, text));
                }
            }
        }
        Ok(Create {
            ident: signature.ident.clone(),
            parameters,
        })
    }
}

impl ShutDown {
    fn new(function: &ImplItemFn) -> Result<Self> {
        let signature = &function.sig;
        signature::plain(signature)?;
        signature::takes_self(signature, "a `#[shut_down]` function")?;
        if signature.asyncness.is_some() || signature.inputs.len() != 1 {
            return Err(Error::new_spanned(
                &signature.ident,
                "write `#[shut_down] fn end(&self)`",
            ));
        }
        let fallible = !matches!(signature.output, ReturnType::Default);
        if fallible {
            signature::result_type(signature, "a `#[shut_down]` function returns nothing, or")?;
        }
        Ok(ShutDown {
            ident: signature.ident.clone(),
            fallible,
        })
    }
}

fn validate_node(function: &ImplItemFn) -> Result<Ident> {
    let signature = &function.sig;
    signature::plain(signature)?;
    signature::takes_self(signature, "a `#[validate_node]` function")?;
    if let Some(word) = &signature.asyncness {
        return Err(Error::new_spanned(
            word,
            "a validation is not async: it must not wait for a device",
        ));
    }
    signature::result_type(signature, "a `#[validate_node]` function")?;
    match signature::parameters(signature)?.as_slice() {
        [Parameter::Node(_)] => Ok(signature.ident.clone()),
        _ => Err(Error::new_spanned(
            &signature.ident,
            "write `#[validate_node] fn check(&self, node: &Node) -> Result<(), Fault>`",
        )),
    }
}

/// Takes the one attribute that marks a function out of its attributes.
fn take_mark(function: &mut ImplItemFn) -> Result<Option<(Mark, Attribute)>> {
    let mut marks = Vec::new();
    let mut kept = Vec::new();
    for attribute in std::mem::take(&mut function.attrs) {
        match mark(&attribute) {
            Some(mark) => marks.push((mark, attribute)),
            None => kept.push(attribute),
        }
    }
    function.attrs = kept;
    if let [_, (_, second), ..] = marks.as_slice() {
        return Err(Error::new(
            second.span(),
            "a function has one place in the driver",
        ));
    }
    let cfg = function
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("cfg"));
    match (marks.pop(), cfg) {
        (Some(_), Some(cfg)) => {
            let text = "a function of the driver cannot depend on `cfg`: the manifest would not know";
            Err(Error::new(cfg.span(), text))
        }
        (mark, _) => Ok(mark),
    }
}

fn mark(attribute: &Attribute) -> Option<Mark> {
    let name = attribute.path().get_ident()?.to_string();
    Some(match name.as_str() {
        "create" => Mark::Create,
        "node_method" => Mark::Method(On::Node),
        "driver_method" => Mark::Method(On::Driver),
        "power" => Mark::Standard(Interface::Power),
        "management" => Mark::Standard(Interface::Management),
        "validate_node" => Mark::ValidateNode,
        "validate_call" => Mark::ValidateCall,
        "shut_down" => Mark::ShutDown,
        _ => return None,
    })
}

fn words_of(attribute: &Attribute) -> Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::NameValue(pair) => Err(Error::new_spanned(pair, "write the words in parentheses")),
    }
}

fn no_words(attribute: &Attribute) -> Result<()> {
    match &attribute.meta {
        Meta::Path(_) => Ok(()),
        meta => Err(Error::new_spanned(
            meta,
            "this attribute stands alone, without words",
        )),
    }
}

fn plain_block(block: &ItemImpl) -> Result<()> {
    let refuse = |span: Span| {
        Err(Error::new(
            span,
            "`#[driver]` stands on a plain `impl` block of the driver's type, without trait or generics",
        ))
    };
    match &block.trait_ {
        Some((_, path, _)) => refuse(path.span()),
        None if !block.generics.params.is_empty() => refuse(block.generics.span()),
        None => Ok(()),
    }
}

fn check_driver_name(words: &DriverWords) -> Result<()> {
    let name = words.name.value();
    let first = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'));
    if first && rest && name.len() <= 255 {
        return Ok(());
    }
    Err(Error::new(
        words.name.span(),
        format!(
            "the driver name `{name}` cannot be used: 1 to 255 of a-z, digits, `_`, `.` and `-`, beginning with a letter or a digit"
        ),
    ))
}

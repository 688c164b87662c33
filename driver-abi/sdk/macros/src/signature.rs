//! What a function takes and returns, as far as its place in the driver depends on it.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    parse_quote, Error, FnArg, GenericArgument, PathArguments, Result, ReturnType, Signature, Type, TypePath,
    TypeReference,
};

/// One parameter of a function of the driver.
pub(crate) enum Parameter {
    /// `&Call`
    Call,
    /// `&Node`
    Node(proc_macro2::Span),
    /// Any other type: the arguments, or the configuration.
    Args(Box<Type>),
    /// `&Args` of a `#[validate_call]` function.
    ArgsReference(proc_macro2::Span),
    /// `Completion<R>`, and its `R`.
    Completion(Option<Box<Type>>),
    /// `Host`
    Host(proc_macro2::Span),
}

/// Refuses what no function of a driver may be.
pub(crate) fn plain(signature: &Signature) -> Result<()> {
    let refuse = |tokens: &dyn ToTokens, text: &str| Err(Error::new_spanned(tokens.to_token_stream(), text));
    if let Some(word) = &signature.unsafety {
        return refuse(word, "a function of a driver is not `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi, "a function of a driver is ordinary Rust, without `extern`");
    }
    if !signature.generics.params.is_empty() {
        return refuse(
            &signature.generics,
            "a function of a driver has no generics: the host calls it with JSON",
        );
    }
    Ok(())
}

/// Refuses anything but `&self`.
pub(crate) fn takes_self(signature: &Signature, what: &str) -> Result<()> {
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) if receiver.reference.is_some() && receiver.colon_token.is_none() => {
            match &receiver.mutability {
                None => Ok(()),
                Some(_) => Err(Error::new_spanned(
                    receiver,
                    format!(
                        "{what} takes `&self`: it runs on many threads at once; keep what changes in a Mutex or an atomic"
                    ),
                )),
            }
        }
        Some(FnArg::Receiver(receiver)) => Err(Error::new_spanned(receiver, format!("{what} takes `&self`"))),
        _ => Err(Error::new(signature.ident.span(), format!("{what} takes `&self`"))),
    }
}

/// Writes the lifetime of `&Call` and `&Node` for the author: an `async fn` must not leave it out.
pub(crate) fn write_lifetimes(signature: &mut Signature) {
    for input in &mut signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Type::Reference(reference) = &mut *typed.ty else {
            continue;
        };
        let Type::Path(path) = &mut *reference.elem else {
            continue;
        };
        let Some(last) = path.path.segments.last_mut() else {
            continue;
        };
        if last.arguments.is_none() && (last.ident == "Call" || last.ident == "Node") {
            last.arguments = PathArguments::AngleBracketed(parse_quote!(<'_>));
        }
    }
}

/// The parameters behind `self`.
pub(crate) fn parameters(signature: &Signature) -> Result<Vec<Parameter>> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    typed.map(parameter).collect()
}

fn parameter(ty: &Type) -> Result<Parameter> {
    match ty {
        Type::Reference(reference) => by_reference(reference),
        Type::Path(path) => match last_ident(path).as_str() {
            "Call" => Err(Error::new_spanned(ty, "a call is borrowed: write `&Call`")),
            "Node" => Err(Error::new_spanned(ty, "a node is borrowed: write `&Node`")),
            "Host" => Ok(Parameter::Host(ty.span())),
            "Completion" => Ok(Parameter::Completion(first_argument(path).map(Box::new))),
            _ => Ok(Parameter::Args(Box::new(ty.clone()))),
        },
        _ => Ok(Parameter::Args(Box::new(ty.clone()))),
    }
}

fn by_reference(reference: &TypeReference) -> Result<Parameter> {
    if reference.mutability.is_some() {
        return Err(Error::new_spanned(
            reference,
            "nothing is handed to a driver by `&mut`",
        ));
    }
    let name = match &*reference.elem {
        Type::Path(path) => last_ident(path),
        _ => String::new(),
    };
    match name.as_str() {
        "Call" => Ok(Parameter::Call),
        "Node" => Ok(Parameter::Node(reference.span())),
        "Completion" | "Host" => Err(Error::new_spanned(
            reference,
            format!("take `{name}` by value: it is the driver's from then on"),
        )),
        _ => Ok(Parameter::ArgsReference(reference.span())),
    }
}

/// The `T` of a return type `Result<T, ..>`.
pub(crate) fn result_type(signature: &Signature, what: &str) -> Result<Option<Type>> {
    let refuse = |tokens: &dyn ToTokens| {
        Err(Error::new_spanned(
            tokens.to_token_stream(),
            format!("{what} returns a `Result<_, Fault>`"),
        ))
    };
    match &signature.output {
        ReturnType::Default => refuse(&signature.ident),
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) if last_ident(path) == "Result" => Ok(first_argument(path)),
            other => refuse(other),
        },
    }
}

/// Whether a type is the one of this name, however its path is written.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if last_ident(path) == name)
}

fn last_ident(path: &TypePath) -> String {
    path.path
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

fn first_argument(path: &TypePath) -> Option<Type> {
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}

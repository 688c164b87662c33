//! The manifest, as parts of a constant: what the attribute knows is written here, the rest is named.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::Type;

use crate::declaration::Declaration;
use crate::method::{Method, On, Run};
use crate::schema::SchemaFile;

/// An expression of type `&[Part]`: the manifest, in its order.
pub(crate) fn parts(declaration: &Declaration) -> TokenStream {
    let start = format!("\"name\":{},\"version\":\"", quoted(&declaration.name));
    let description = format!(
        "\",\"description\":{},\"properties\":",
        quoted(&declaration.description)
    );
    let properties = match &declaration.properties {
        Some(path) => quote!(<#path as ::driver_sdk::Properties>::MANIFEST),
        None => quote!("{}"),
    };
    let mut methods = Vec::new();
    for (number, declared) in declaration.methods.iter().enumerate() {
        let head = if number == 0 { "{" } else { ",{" };
        let text = format!("{head}{}", method(declared));
        let body = schema("body_schema", declared.body_schema.as_ref(), declared.args());
        let reply = schema(
            "reply_schema",
            declared.reply_schema.as_ref(),
            declared.answer.as_ref(),
        );
        methods.push(quote!(__Part::Text(#text), #body #reply __Part::Text("}"),));
    }
    quote! {
        {
            use ::driver_sdk::__private::{Part as __Part, WithoutSchema as _};
            &[
                __Part::Parts(::driver_sdk::__private::MANIFEST_HEAD),
                __Part::Text(#start),
                __Part::Text(::core::env!("CARGO_PKG_VERSION")),
                __Part::Text(#description),
                __Part::Text(#properties),
                __Part::Text(",\"methods\":["),
                #(#methods)*
                __Part::Text("]}"),
            ]
        }
    }
}

/// The part for a schema: the file's, or that of the type if it has one.
fn schema(key: &str, file: Option<&SchemaFile>, ty: Option<&Type>) -> TokenStream {
    match (file, ty) {
        (Some(file), _) => {
            let text = format!(",\"{key}\":{}", file.json);
            quote!(__Part::Text(#text),)
        }
        (None, Some(ty)) => {
            let key = format!("\"{key}\":");
            quote_spanned! {ty.span()=>
                __Part::Keyed { key: #key, form: <::driver_sdk::__private::Probe<#ty>>::FORM },
            }
        }
        (None, None) => TokenStream::new(),
    }
}

/// What the attribute knows of a method, without the braces.
fn method(method: &Method) -> String {
    let on = if method.on == On::Node { "node" } else { "driver" };
    let run = if method.run == Run::Blocking {
        "blocking"
    } else {
        "deferred"
    };
    let mut json = format!("\"name\":{},\"on\":\"{on}\"", quoted(&method.name));
    match &method.standard {
        // What else there is to say of a standard call is the contract's.
        Some(standard) => {
            if let Some(accepted) = &standard.accepted {
                let words = accepted.words.iter().map(|word| quoted(word)).collect::<Vec<_>>();
                json.push_str(&format!(",\"{}\":[{}]", accepted.key, words.join(",")));
            }
        }
        None => json.push_str(&format!(
            ",\"http_methods\":[{}],\"async\":{},\"require_exclusive_lock\":{},\"attach\":{}",
            method
                .http_methods
                .iter()
                .map(|verb| quoted(verb))
                .collect::<Vec<_>>()
                .join(","),
            method.is_async,
            method.require_exclusive_lock,
            method.attach,
        )),
    }
    json.push_str(&format!(
        ",\"description\":{},\"run\":\"{run}\"",
        quoted(&method.description)
    ));
    if let Some(limit) = method.time_limit_ms {
        json.push_str(&format!(",\"time_limit_ms\":{limit}"));
    }
    json
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

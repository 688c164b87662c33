//! The manifest, as parts of a constant: what the attribute knows is written here, the rest is named.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use crate::declaration::Declaration;
use crate::method::{Method, On, Run};

/// An expression of type `&[&[&str]]`: the parts of the manifest, in their order.
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
    let methods: Vec<String> = declaration.methods.iter().map(method).collect();
    let end = format!(",\"methods\":[{}]}}", methods.join(","));
    quote! {
        &[
            ::driver_sdk::__private::MANIFEST_HEAD,
            &[#start, ::core::env!("CARGO_PKG_VERSION"), #description, #properties, #end],
        ]
    }
}

fn method(method: &Method) -> String {
    let on = if method.on == On::Node { "node" } else { "driver" };
    let run = if method.run == Run::Blocking {
        "blocking"
    } else {
        "deferred"
    };
    let mut json = format!("{{\"name\":{},\"on\":\"{on}\"", quoted(&method.name));
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
    for (key, schema) in [
        ("body_schema", &method.body_schema),
        ("reply_schema", &method.reply_schema),
    ] {
        if let Some(schema) = schema {
            json.push_str(&format!(",\"{key}\":{}", schema.json));
        }
    }
    json.push('}');
    json
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

//! The derive of `Properties`: each field of a struct is one property of a node's `driver_info`.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, ExprUnary, Field, Fields, GenericArgument, Ident,
    Lit, LitStr, Meta, PathArguments, Result, Type, UnOp,
};

use crate::description;
use crate::manifest::quoted;
use crate::words::{each_word, once, unknown, value};

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "array", "any"];

/// One field, checked.
struct Property {
    ident: Ident,
    name: String,
    description: String,
    json_type: &'static str,
    expected: String,
    secret: bool,
    required: bool,
    /// The default as JSON, and as an expression of the field's type.
    default: Option<(Value, TokenStream)>,
    optional: bool,
}

#[derive(Default)]
struct Words {
    secret: Option<()>,
    default: Option<Expr>,
    json_type: Option<LitStr>,
}

pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let refuse = |text| Err(Error::new(input.ident.span(), text));
    if !input.generics.params.is_empty() {
        return refuse("a struct of properties has no generics");
    }
    let Data::Struct(data) = &input.data else {
        return refuse("properties are a struct with a field for each");
    };
    let fields = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => {
            return refuse("properties are a struct with named fields: their names are the properties'")
        }
    };
    let mut properties = Vec::new();
    let mut errors: Option<Error> = None;
    for field in fields {
        match (Property::read(field), &mut errors) {
            (Ok(property), _) => properties.push(property),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), errors) => *errors = Some(error),
        }
    }
    match errors {
        Some(errors) => Err(errors),
        None => Ok(expand(&input.ident, &properties)),
    }
}

fn expand(ty: &Ident, properties: &[Property]) -> TokenStream {
    let entries: Vec<String> = properties.iter().map(Property::manifest).collect();
    let manifest = format!("{{{}}}", entries.join(","));
    let required = properties
        .iter()
        .filter(|property| property.required)
        .map(|property| &property.name);
    let values = properties.iter().map(Property::value);
    quote! {
        #[automatically_derived]
        impl ::driver_sdk::Properties for #ty {
            const MANIFEST: &'static str = #manifest;

            fn parse(
                __given: &::driver_sdk::__private::DriverInfo<'_>,
            ) -> ::core::result::Result<Self, ::driver_sdk::Fault> {
                __given.require(&[#(#required),*])?;
                ::core::result::Result::Ok(Self { #(#values),* })
            }
        }
    }
}

impl Property {
    fn read(field: &Field) -> Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(Error::new_spanned(field, "a property has a name"));
        };
        let words = Words::read(&field.attrs)?;
        let description = description::of(&field.attrs);
        if description.is_empty() {
            return Err(Error::new(
                ident.span(),
                "describe the property: its doc comment is what operators read",
            ));
        }
        let (optional, ty) = match inner(&field.ty, "Option") {
            Some(ty) => (true, ty),
            None => (false, &field.ty),
        };
        let (json_type, expected) = match &words.json_type {
            Some(word) => named(word)?,
            None => follows(ty)?,
        };
        let default = match &words.default {
            Some(expr) if optional => {
                return Err(Error::new_spanned(
                    expr,
                    "a property with a default is always there: take the `Option` off",
                ))
            }
            Some(expr) if words.secret.is_some() && !is_empty_text(expr) => {
                return Err(Error::new_spanned(
                    expr,
                    "a default stands in the manifest for everybody to read: it is no secret",
                ))
            }
            Some(expr) => Some(default(expr, ty)?),
            None => None,
        };
        Ok(Property {
            name: ident.unraw().to_string(),
            ident,
            description,
            json_type,
            expected,
            secret: words.secret.is_some(),
            required: !optional && default.is_none(),
            default,
            optional,
        })
    }

    fn manifest(&self) -> String {
        format!(
            "{}:{{\"description\":{},\"type\":\"{}\",\"required\":{},\"secret\":{},\"default\":{}}}",
            quoted(&self.name),
            quoted(&self.description),
            self.json_type,
            self.required,
            self.secret,
            self.default.as_ref().map_or(&Value::Null, |(json, _)| json),
        )
    }

    fn value(&self) -> TokenStream {
        let Property {
            ident,
            name,
            json_type,
            expected,
            secret,
            ..
        } = self;
        let property = quote! {
            &::driver_sdk::__private::Property {
                name: #name,
                json_type: #json_type,
                expected: #expected,
                secret: #secret,
            }
        };
        match &self.default {
            Some((_, default)) => quote! {
                #ident: match __given.optional(#property)? {
                    ::core::option::Option::Some(value) => value,
                    ::core::option::Option::None => #default,
                }
            },
            None if self.optional => quote!(#ident: __given.optional(#property)?),
            None => quote!(#ident: __given.required(#property)?),
        }
    }
}

impl Words {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut words = Words::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("property"))
        {
            let Meta::List(list) = &attribute.meta else {
                return Err(Error::new_spanned(
                    attribute,
                    "write the words in parentheses: `#[property(secret)]`",
                ));
            };
            each_word(list.tokens.clone(), |word, input| {
                match word.to_string().as_str() {
                    "secret" => once(&mut words.secret, word, ()),
                    "default" => once(
                        &mut words.default,
                        word,
                        value(input, "a literal: `default = 623`")?,
                    ),
                    "type" => once(
                        &mut words.json_type,
                        word,
                        value(input, "a JSON type: `type = \"string\"`")?,
                    ),
                    _ => Err(unknown(word, "secret, default, type")),
                }
            })?;
        }
        Ok(words)
    }
}

fn is_empty_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty())
}

/// The JSON type that the author names.
fn named(word: &LitStr) -> Result<(&'static str, String)> {
    let name = word.value();
    match TYPES.iter().find(|known| **known == name) {
        Some(known) => Ok((known, expected(known).to_owned())),
        None => Err(Error::new_spanned(
            word,
            format!("unknown property type `{name}`; known: {}", TYPES.join(", ")),
        )),
    }
}

/// The JSON type that follows from the field's.
fn follows(ty: &Type) -> Result<(&'static str, String)> {
    let name = match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    };
    let json_type = match name.as_str() {
        "String" | "PathBuf" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" | "SocketAddr" => "string",
        "u8" => return Ok(("integer", "an integer from 0 to 255".to_owned())),
        "u16" => return Ok(("integer", "an integer from 0 to 65535".to_owned())),
        "u32" => return Ok(("integer", "an integer from 0 to 4294967295".to_owned())),
        "u64" | "usize" => return Ok(("integer", "an integer that is not negative".to_owned())),
        "i8" => return Ok(("integer", "an integer from -128 to 127".to_owned())),
        "i16" => return Ok(("integer", "an integer from -32768 to 32767".to_owned())),
        "i32" => return Ok(("integer", "an integer from -2147483648 to 2147483647".to_owned())),
        "i64" | "isize" => "integer",
        "f32" | "f64" => "number",
        "bool" => "boolean",
        "Vec" => "array",
        "HashMap" | "BTreeMap" | "Map" => "object",
        "Value" => "any",
        _ => {
            return Err(Error::new_spanned(
                ty,
                format!(
                    "say the JSON type of this property: `#[property(type = \"string\")]`; known: {}",
                    TYPES.join(", ")
                ),
            ))
        }
    };
    Ok((json_type, expected(json_type).to_owned()))
}

fn expected(json_type: &str) -> &'static str {
    match json_type {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "an object",
        "array" => "an array",
        _ => "a usable value",
    }
}

/// A default is a literal, so that the manifest can state it.
fn default(expr: &Expr, ty: &Type) -> Result<(Value, TokenStream)> {
    let refuse = || {
        Error::new_spanned(
            expr,
            "a default is a literal: a string, a number, `true` or `false`",
        )
    };
    let (negative, lit) = match expr {
        Expr::Lit(ExprLit { lit, .. }) => (false, lit),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit {
                lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                ..
            }) => (true, lit),
            _ => return Err(refuse()),
        },
        _ => return Err(refuse()),
    };
    let sign = if negative { "-" } else { "" };
    let json = match lit {
        Lit::Str(text) => Value::from(text.value()),
        Lit::Bool(word) => Value::from(word.value),
        Lit::Int(number) => number_of(&format!("{sign}{}", number.base10_digits())).ok_or_else(refuse)?,
        Lit::Float(number) => number_of(&format!("{sign}{}", number.base10_digits())).ok_or_else(refuse)?,
        _ => return Err(refuse()),
    };
    let value = match lit {
        Lit::Str(_) => quote!(<#ty as ::core::convert::From<&str>>::from(#expr)),
        _ => quote!(#expr),
    };
    Ok((json, value))
}

fn number_of(digits: &str) -> Option<Value> {
    serde_json::from_str(digits).ok()
}

/// The `T` of a type `Name<T>`.
fn inner<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

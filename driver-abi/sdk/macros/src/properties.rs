//! The derive of `Properties`: each field of a struct is one property of a node's `driver_info`.

mod values;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprArray, ExprLit, Field, Fields, GenericArgument, Ident,
    Lit, LitStr, Meta, PathArguments, Result, Type,
};

use crate::description;
use crate::manifest::quoted;
use crate::range::Range;
use crate::signature::is_named;
use crate::words::{each_word, once, unknown, value};
use values::{literal, Values};

/// One field, checked.
struct Property {
    ident: Ident,
    name: String,
    description: String,
    values: Values,
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
    range: Option<Range>,
    choices: Option<ExprArray>,
}

pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    Ok(checked(&input).unwrap_or_else(|error| {
        let (error, stub) = (error.into_compile_error(), stub(&input.ident));
        if input.generics.params.is_empty() {
            quote!(#error #stub)
        } else {
            error
        }
    }))
}

fn checked(input: &DeriveInput) -> Result<TokenStream> {
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

/// What stands for the derived code where there is none: without it every use of the type would be one more error.
fn stub(ty: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::driver_sdk::Properties for #ty {
            const MANIFEST: &'static str = "{}";

            fn parse(
                _: &::driver_sdk::__private::DriverInfo<'_>,
            ) -> ::core::result::Result<Self, ::driver_sdk::Fault> {
                ::core::unreachable!()
            }
        }
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
        let values = Values::read(&words, ty)?;
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
            Some(expr) => {
                let (json, value) = default(expr, ty)?;
                values
                    .expect(&json)
                    .map_err(|text| Error::new_spanned(expr, text))?;
                Some((json, value))
            }
            None => None,
        };
        Ok(Property {
            name: ident.unraw().to_string(),
            ident,
            description,
            values,
            secret: words.secret.is_some(),
            required: !optional && default.is_none(),
            default,
            optional,
        })
    }

    fn manifest(&self) -> String {
        let Values {
            json_type,
            minimum,
            maximum,
            choices,
            ..
        } = &self.values;
        let mut json = format!(
            "{}:{{\"description\":{},\"type\":\"{json_type}\",\"required\":{},\"secret\":{},\"default\":{}",
            quoted(&self.name),
            quoted(&self.description),
            self.required,
            self.secret,
            self.default.as_ref().map_or(&Value::Null, |(json, _)| json),
        );
        for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
            if !bound.is_empty() {
                json.push_str(&format!(",\"{key}\":{bound}"));
            }
        }
        if !choices.is_empty() {
            json.push_str(&format!(",\"choices\":{}", Value::from(choices.clone())));
        }
        json.push('}');
        json
    }

    fn value(&self) -> TokenStream {
        let Property {
            ident,
            name,
            values,
            secret,
            ..
        } = self;
        let (json_type, expected, bounds) = (values.json_type, values.expected(), values.bounds());
        let choices = values.choices.iter().map(Value::to_string);
        let property = quote! {
            &::driver_sdk::__private::Property {
                name: #name,
                json_type: #json_type,
                expected: #expected,
                secret: #secret,
                bounds: #bounds,
                choices: &[#(#choices),*],
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
                    "range" => once(&mut words.range, word, Range::value(input)?),
                    "choices" => once(
                        &mut words.choices,
                        word,
                        value(input, "a list of literals: `choices = [\"1.5\", \"2.0\"]`")?,
                    ),
                    _ => Err(unknown(word, "secret, default, type, range, choices")),
                }
            })?;
        }
        Ok(words)
    }
}

fn is_empty_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty())
}

/// A default is a literal, so that the manifest can state it.
fn default(expr: &Expr, ty: &Type) -> Result<(Value, TokenStream)> {
    let json = literal(expr)?;
    let value = match &json {
        Value::String(text) if !is_known(ty) => quote! {
            match ::driver_sdk::serde_json::from_value::<#ty>(::driver_sdk::Value::from(#text)) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(::driver_sdk::Fault::internal(
                        ::std::format!("the default of a property cannot be read: {error}"),
                    ))
                }
            }
        },
        Value::String(_) => quote!(<#ty as ::core::convert::From<&str>>::from(#expr)),
        _ => quote!(#expr),
    };
    Ok((json, value))
}

/// Whether a text becomes this type as it is.
fn is_known(ty: &Type) -> bool {
    is_named(ty, "String") || is_named(ty, "PathBuf")
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

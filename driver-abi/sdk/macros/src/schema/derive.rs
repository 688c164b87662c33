//! The derive of `Schema`: what serde would read or write for a type, as JSON Schema.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, Field, Fields, FieldsNamed, GenericParam, Ident, LitStr,
    Meta, Result, Type,
};

use super::serde::{Place, Serde};
use crate::description;
use crate::manifest::quoted;
use crate::range::Range;
use crate::words::{each_word, once, unknown, value};

const TO_A_FILE: &str =
    "write the schema to a file, and name it with the method's `body_schema` or `reply_schema`";

pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    // Whatever is wrong, the type gets a schema: its absence would be one more error, and a misleading one.
    Ok(match form(&input) {
        Ok(form) => implementation(&input, &form),
        Err(error) => {
            let error = error.into_compile_error();
            let stub = implementation(&input, &quote!(&::driver_sdk::__private::Form::ANY));
            quote!(#error #stub)
        }
    })
}

fn implementation(input: &DeriveInput, form: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::driver_sdk::Schema for #ident #arguments #bounds {
            const FORM: &'static ::driver_sdk::__private::Form = #form;
        }
    }
}

/// An expression of type `&'static Form`.
fn form(input: &DeriveInput) -> Result<TokenStream> {
    let refuse = |text: String| Err(Error::new(input.ident.span(), text));
    if let Some(parameter) = input
        .generics
        .params
        .iter()
        .find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
    {
        return Err(Error::new_spanned(
            parameter,
            "a type with a derived schema has no generics: the manifest needs one schema",
        ));
    }
    if let Some(attribute) = input
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("schema"))
    {
        return Err(Error::new_spanned(attribute, "`#[schema(..)]` stands on fields"));
    }
    let serde = Serde::read(&input.attrs, Place::Type)?;
    let description = described(&input.attrs);
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if serde.transparent => match fields.named.iter().collect::<Vec<_>>().as_slice() {
                [field] => around_one(field, &description),
                _ => refuse("derive(Schema) takes `transparent` on a struct with one field".to_owned()),
            },
            Fields::Named(fields) => object(input, fields, &serde, &description),
            // serde writes a struct around one value as that value.
            Fields::Unnamed(fields) => match fields.unnamed.iter().collect::<Vec<_>>().as_slice() {
                [field] => around_one(field, &description),
                _ => refuse(format!(
                    "derive(Schema) takes structs with named fields, and structs around one value; else {TO_A_FILE}"
                )),
            },
            Fields::Unit => refuse(format!(
                "derive(Schema) takes structs with fields: serde writes this one as null; use `struct {} {{}}`",
                input.ident
            )),
        },
        Data::Enum(data) => words(&input.ident, data, &serde, &description),
        Data::Union(_) => refuse("derive(Schema) takes structs and enums".to_owned()),
    }
}

fn described(attributes: &[Attribute]) -> String {
    let text = description::of(attributes);
    if text.is_empty() {
        text
    } else {
        quoted(&text)
    }
}

/// A struct around one value has the schema of that value.
fn around_one(field: &Field, description: &str) -> Result<TokenStream> {
    let ty = &field.ty;
    let serde = Serde::read(&field.attrs, Place::Field)?;
    if serde.default || serde.may_be_left_out.is_some() || serde.rename.is_some() {
        return Err(Error::new_spanned(
            field,
            format!("derive(Schema) takes no attributes of serde here; {TO_A_FILE}"),
        ));
    }
    let constrained = Constraints::read(&field.attrs)?.on(ty);
    let own = (!description.is_empty()).then(|| quote!(description: #description,));
    Ok(quote! {
        &::driver_sdk::__private::Form { #own derived: true, ..#constrained }
    })
}

fn object(
    input: &DeriveInput,
    fields: &FieldsNamed,
    serde: &Serde,
    description: &str,
) -> Result<TokenStream> {
    let mut parts = Vec::new();
    let mut required = Vec::new();
    let mut errors: Option<Error> = None;
    for field in &fields.named {
        match property(&input.ident, field, serde) {
            Ok(property) => {
                let Property {
                    name,
                    form,
                    can_be_absent,
                } = property;
                let key = format!("{}{name}:", if parts.is_empty() { "" } else { "," });
                parts.push(quote! {
                    ::driver_sdk::__private::Part::Text(#key),
                    ::driver_sdk::__private::Part::Form { form: &#form },
                });
                if !can_be_absent {
                    let ty = &field.ty;
                    required.push(quote!((#name, <#ty as ::driver_sdk::Schema>::FORM)));
                }
            }
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let closed = if serde.deny_unknown_fields {
        ",\"additionalProperties\":false"
    } else {
        ""
    };
    Ok(quote! {
        &::driver_sdk::__private::Form {
            description: #description,
            keywords: &[
                ::driver_sdk::__private::Part::Text(",\"properties\":{"),
                #(#parts)*
                ::driver_sdk::__private::Part::Text("}"),
                ::driver_sdk::__private::Part::Required { fields: &[#(#required),*] },
                ::driver_sdk::__private::Part::Text(#closed),
            ],
            derived: true,
            ..::driver_sdk::__private::Form::of("object")
        }
    })
}

/// One field of an object.
struct Property {
    /// As JSON.
    name: String,
    /// An expression of type `Form`.
    form: TokenStream,
    can_be_absent: bool,
}

fn property(owner: &Ident, field: &Field, container: &Serde) -> Result<Property> {
    let Some(ident) = &field.ident else {
        return Err(Error::new_spanned(field, "a field has a name"));
    };
    let ty = &field.ty;
    let serde = Serde::read(&field.attrs, Place::Field)?;
    let can_be_absent = serde.default || container.default;
    if let (Some(span), false) = (serde.may_be_left_out, can_be_absent || is_option(ty)) {
        return Err(Error::new(
            span,
            "what `skip_serializing_if` leaves out must be an `Option` or have serde's `default`: the schema calls it required",
        ));
    }
    if mentions(ty, owner) {
        return Err(Error::new_spanned(
            ty,
            "a type that holds itself has no schema here: hosts take no recursive ones",
        ));
    }
    let plain = ident.unraw().to_string();
    let name = match (&serde.rename, container.rename_all) {
        (Some(name), _) => name.clone(),
        (None, Some(case)) => case.field(&plain),
        (None, None) => plain,
    };
    let constrained = Constraints::read(&field.attrs)?.on(ty);
    let description = described(&field.attrs);
    let own = (!description.is_empty()).then(|| quote!(description: #description,));
    Ok(Property {
        name: quoted(&name),
        form: quote!(::driver_sdk::__private::Form { #own ..#constrained }),
        can_be_absent,
    })
}

/// An enum of plain words.
fn words(ident: &Ident, data: &DataEnum, serde: &Serde, description: &str) -> Result<TokenStream> {
    let mut words = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let text = format!(
                "derive(Schema) takes enums of plain words, and this variant holds values; {TO_A_FILE}"
            );
            return Err(Error::new_spanned(variant, text));
        }
        let own = Serde::read(&variant.attrs, Place::Variant)?;
        let plain = variant.ident.unraw().to_string();
        words.push(quoted(&match (own.rename, serde.rename_all) {
            (Some(name), _) => name,
            (None, Some(case)) => case.variant(&plain),
            (None, None) => plain,
        }));
    }
    if words.is_empty() {
        return Err(Error::new(
            ident.span(),
            "derive(Schema) takes enums with variants: nothing can be this one",
        ));
    }
    Ok(quote! {
        &::driver_sdk::__private::Form {
            description: #description,
            words: &[#(#words),*],
            derived: true,
            ..::driver_sdk::__private::Form::of("string")
        }
    })
}

/// What `#[schema(..)]` says of a field.
#[derive(Default)]
struct Constraints {
    range: Option<Range>,
    length: Option<Range>,
    pattern: Option<LitStr>,
    secret: Option<()>,
}

impl Constraints {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut all = Constraints::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("schema"))
        {
            let Meta::List(list) = &attribute.meta else {
                return Err(Error::new_spanned(
                    attribute,
                    "write the words in parentheses: `#[schema(range = 1..=100)]`",
                ));
            };
            each_word(list.tokens.clone(), |word, input| {
                match word.to_string().as_str() {
                    "range" => once(&mut all.range, word, Range::value(input)?),
                    "length" => once(&mut all.length, word, Range::value(input)?),
                    "pattern" => once(
                        &mut all.pattern,
                        word,
                        value(input, "a regular expression: `pattern = \"^[a-z]+$\"`")?,
                    ),
                    "secret" => once(&mut all.secret, word, ()),
                    _ => Err(unknown(word, "range, length, pattern, secret")),
                }
            })?;
        }
        if let Some(length) = &all.length {
            length.expect_lengths()?;
            if all.range.is_some() {
                return Err(Error::new(
                    length.span,
                    "a number has a `range`, all else a `length`: nothing has both",
                ));
            }
        }
        Ok(all)
    }

    /// The form of `ty` with them: an expression of type `Form`.
    fn on(&self, ty: &Type) -> TokenStream {
        let mut form = quote_spanned!(ty.span()=> *<#ty as ::driver_sdk::Schema>::FORM);
        for (bounds, function) in [(&self.range, "ranged"), (&self.length, "long")] {
            if let Some(Range {
                minimum,
                maximum,
                span,
            }) = bounds
            {
                let function = Ident::new(function, *span);
                form =
                    quote_spanned!(*span=> <#ty as ::driver_sdk::Schema>::FORM.#function(#minimum, #maximum));
            }
        }
        let mut added = String::new();
        if let Some(pattern) = &self.pattern {
            added.push_str(&format!(",\"pattern\":{}", quoted(&pattern.value())));
            if self.length.is_none() {
                form = quote_spanned!(pattern.span()=> <#ty as ::driver_sdk::Schema>::FORM.text());
            }
        }
        if self.secret.is_some() {
            added.push_str(",\"writeOnly\":true");
        }
        if added.is_empty() {
            form
        } else {
            quote!(::driver_sdk::__private::Form { added: #added, ..#form })
        }
    }
}

fn is_option(ty: &Type) -> bool {
    crate::signature::is_named(ty, "Option")
}

/// Whether a type names another anywhere.
fn mentions(ty: &Type, name: &Ident) -> bool {
    fn any(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == *name || ident == "Self",
            proc_macro2::TokenTree::Group(group) => any(group.stream(), name),
            _ => false,
        })
    }
    any(quote!(#ty), name)
}

//! The derive of `Properties`: each field of a struct is one property of a node's `driver_info`.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprArray, ExprLit, ExprUnary, Field, Fields, GenericArgument,
    Ident, Lit, LitStr, Meta, PathArguments, Result, Type, UnOp,
};

use crate::description;
use crate::manifest::quoted;
use crate::range::Range;
use crate::signature::is_named;
use crate::words::{each_word, once, unknown, value};

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "array", "any"];

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

/// What values a property has.
struct Values {
    json_type: &'static str,
    /// Bounds of a number, as JSON; empty for none.
    minimum: String,
    maximum: String,
    /// Whether the author set the bounds: those that follow from the field's type are kept by it.
    ranged: bool,
    /// All that it can be, as JSON; empty if that is not told.
    choices: Vec<Value>,
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

impl Values {
    fn read(words: &Words, ty: &Type) -> Result<Self> {
        let choices = match &words.choices {
            Some(list) => choices(list)?,
            None => Vec::new(),
        };
        let mut values = match (&words.json_type, choices.first()) {
            (Some(word), _) => named(word)?,
            // The author's own type is told apart by the literals.
            (None, Some(first)) => follows(ty).unwrap_or_else(|_| Values::of(type_of(first))),
            (None, None) => follows(ty)?,
        };
        if let Some(range) = &words.range {
            if !matches!(values.json_type, "integer" | "number") {
                return Err(Error::new(range.span, "a range is for numbers"));
            }
            for (bound, own) in [
                (&range.minimum, &mut values.minimum),
                (&range.maximum, &mut values.maximum),
            ] {
                if !bound.is_empty() {
                    own.clone_from(bound);
                }
            }
            values.ranged = true;
        }
        for choice in &choices {
            let fits = values.json_type == "any"
                || type_of(choice) == values.json_type
                || (type_of(choice), values.json_type) == ("integer", "number");
            if !fits {
                let text = format!("the choice {choice} is no {}", values.json_type);
                return Err(Error::new_spanned(&words.choices, text));
            }
            values
                .expect(choice)
                .map_err(|text| Error::new_spanned(&words.choices, text))?;
        }
        values.choices = choices;
        Ok(values)
    }

    fn of(json_type: &'static str) -> Self {
        Values {
            json_type,
            minimum: String::new(),
            maximum: String::new(),
            ranged: false,
            choices: Vec::new(),
        }
    }

    fn between(minimum: &str, maximum: &str) -> Self {
        Values {
            minimum: minimum.to_owned(),
            maximum: maximum.to_owned(),
            ..Values::of("integer")
        }
    }

    /// Refuses a literal that is none of these values.
    fn expect(&self, literal: &Value) -> std::result::Result<(), String> {
        let (minimum, maximum) = (self.minimum.parse::<f64>(), self.maximum.parse::<f64>());
        let outside = literal.as_f64().is_some_and(|number| {
            minimum.is_ok_and(|minimum| number < minimum) || maximum.is_ok_and(|maximum| number > maximum)
        });
        if outside || !(self.choices.is_empty() || self.choices.contains(literal)) {
            return Err(format!("expected {}, found {literal}", self.expected()));
        }
        Ok(())
    }

    /// For people.
    fn expected(&self) -> String {
        if !self.choices.is_empty() {
            let choices: Vec<_> = self.choices.iter().map(Value::to_string).collect();
            return format!("one of {}", choices.join(", "));
        }
        let kind = match self.json_type {
            "string" => "a string",
            "integer" => "an integer",
            "number" => "a number",
            "boolean" => "true or false",
            "object" => "an object",
            "array" => "an array",
            _ => "a usable value",
        };
        match (self.minimum.as_str(), self.maximum.as_str()) {
            ("", "") => kind.to_owned(),
            ("0", "") => format!("{kind} that is not negative"),
            (minimum, "") => format!("{kind} of at least {minimum}"),
            ("", maximum) => format!("{kind} of at most {maximum}"),
            (minimum, maximum) => format!("{kind} from {minimum} to {maximum}"),
        }
    }

    /// The author's bounds as an expression of type `Option<(f64, f64)>`.
    fn bounds(&self) -> TokenStream {
        if !self.ranged {
            return quote!(::core::option::Option::None);
        }
        let minimum = self
            .minimum
            .parse::<f64>()
            .map_or(quote!(f64::NEG_INFINITY), |bound| quote!(#bound));
        let maximum = self
            .maximum
            .parse::<f64>()
            .map_or(quote!(f64::INFINITY), |bound| quote!(#bound));
        quote!(::core::option::Option::Some((#minimum, #maximum)))
    }
}

/// The literals of a list of choices.
fn choices(list: &ExprArray) -> Result<Vec<Value>> {
    let refuse =
        |tokens: &dyn quote::ToTokens, text: &str| Err(Error::new_spanned(tokens.to_token_stream(), text));
    let mut choices: Vec<Value> = Vec::new();
    for expr in &list.elems {
        let choice = literal(expr)?;
        match choices.first() {
            Some(first) if type_of(first) != type_of(&choice) => {
                return refuse(expr, "choices are all of one type");
            }
            _ if choices.contains(&choice) => return refuse(expr, "this choice is given twice"),
            _ => choices.push(choice),
        }
    }
    if choices.is_empty() {
        return refuse(list, "a list of choices has at least one");
    }
    Ok(choices)
}

fn type_of(literal: &Value) -> &'static str {
    match literal {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        _ => "integer",
    }
}

/// The JSON type that the author names.
fn named(word: &LitStr) -> Result<Values> {
    let name = word.value();
    match TYPES.iter().find(|known| **known == name) {
        Some(known) => Ok(Values::of(known)),
        None => Err(Error::new_spanned(
            word,
            format!("unknown property type `{name}`; known: {}", TYPES.join(", ")),
        )),
    }
}

/// The JSON type that follows from the field's.
fn follows(ty: &Type) -> Result<Values> {
    let name = match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    };
    Ok(match name.as_str() {
        "String" | "PathBuf" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" | "SocketAddr" => Values::of("string"),
        "u8" => Values::between("0", "255"),
        "u16" => Values::between("0", "65535"),
        "u32" => Values::between("0", "4294967295"),
        "u64" | "usize" => Values::between("0", ""),
        "i8" => Values::between("-128", "127"),
        "i16" => Values::between("-32768", "32767"),
        "i32" => Values::between("-2147483648", "2147483647"),
        "i64" | "isize" => Values::of("integer"),
        "f32" | "f64" => Values::of("number"),
        "bool" => Values::of("boolean"),
        "Vec" => Values::of("array"),
        "HashMap" | "BTreeMap" | "Map" => Values::of("object"),
        "Value" => Values::of("any"),
        _ => {
            return Err(Error::new_spanned(
                ty,
                format!(
                    "say the JSON type of this property: `#[property(type = \"string\")]`, or its `choices`; known: {}",
                    TYPES.join(", ")
                ),
            ))
        }
    })
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

/// A literal as JSON.
fn literal(expr: &Expr) -> Result<Value> {
    let refuse = || Error::new_spanned(expr, "expected a literal: a string, a number, `true` or `false`");
    let (sign, lit) = match expr {
        Expr::Lit(ExprLit { lit, .. }) => ("", lit),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit {
                lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                ..
            }) => ("-", lit),
            _ => return Err(refuse()),
        },
        _ => return Err(refuse()),
    };
    match lit {
        Lit::Str(text) => Ok(Value::from(text.value())),
        Lit::Bool(word) => Ok(Value::from(word.value)),
        Lit::Int(number) => number_of(&format!("{sign}{}", number.base10_digits())).ok_or_else(refuse),
        Lit::Float(number) => number_of(&format!("{sign}{}", number.base10_digits())).ok_or_else(refuse),
        _ => Err(refuse()),
    }
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

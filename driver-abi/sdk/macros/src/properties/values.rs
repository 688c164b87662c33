//! What values a property has: their JSON type, their bounds, their choices.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use serde_json::Value;
use syn::{Error, Expr, ExprArray, ExprLit, ExprUnary, Lit, LitStr, Result, Type, UnOp};

use super::Words;

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "array", "any"];

/// What values a property has.
pub(super) struct Values {
    pub(super) json_type: &'static str,
    /// Bounds of a number, as JSON; empty for none.
    pub(super) minimum: String,
    pub(super) maximum: String,
    /// Whether the author set the bounds: those that follow from the field's type are kept by it.
    ranged: bool,
    /// All that it can be, as JSON; empty if that is not told.
    pub(super) choices: Vec<Value>,
}

impl Values {
    pub(super) fn read(words: &Words, ty: &Type) -> Result<Self> {
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
    pub(super) fn expect(&self, literal: &Value) -> std::result::Result<(), String> {
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
    pub(super) fn expected(&self) -> String {
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
    pub(super) fn bounds(&self) -> TokenStream {
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
    let refuse = |tokens: &dyn ToTokens, text: &str| Err(Error::new_spanned(tokens.to_token_stream(), text));
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

/// A literal as JSON.
pub(super) fn literal(expr: &Expr) -> Result<Value> {
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

//! serde's attributes, as far as a schema can follow them. The others are refused: a schema that guesses would refuse what the driver takes,
//! or let pass what it does not.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue, Result, Token};

/// What serde's attributes say about a type, a field or a variant.
#[derive(Default)]
pub(super) struct Serde {
    /// `rename = "..."`
    pub(super) rename: Option<String>,
    /// `rename_all = "..."`
    pub(super) rename_all: Option<Case>,
    /// `default`, `default = "..."`
    pub(super) default: bool,
    /// `deny_unknown_fields`
    pub(super) deny_unknown_fields: bool,
    /// `transparent`
    pub(super) transparent: bool,
    /// `skip_serializing_if = "..."`, and where it stands.
    pub(super) may_be_left_out: Option<proc_macro2::Span>,
}

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Type,
    Field,
    Variant,
}

/// One of serde's spellings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Serde {
    pub(super) fn read(attributes: &[Attribute], place: Place) -> Result<Self> {
        let mut read = Serde::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"))
        {
            let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
            for word in &words {
                read.word(word, place)?;
            }
        }
        Ok(read)
    }

    fn word(&mut self, word: &Meta, place: Place) -> Result<()> {
        let name = word
            .path()
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match (name.as_str(), place, word) {
            ("rename", _, Meta::NameValue(pair)) => self.rename = Some(text(pair)?.value()),
            ("rename_all", Place::Type, Meta::NameValue(pair)) => {
                self.rename_all = Some(Case::of(&text(pair)?)?)
            }
            ("default", Place::Type | Place::Field, Meta::Path(_) | Meta::NameValue(_)) => {
                self.default = true
            }
            ("deny_unknown_fields", Place::Type, Meta::Path(_)) => self.deny_unknown_fields = true,
            ("transparent", Place::Type, Meta::Path(_)) => self.transparent = true,
            ("skip_serializing_if", Place::Field, Meta::NameValue(_)) => {
                self.may_be_left_out = Some(word.span())
            }
            // They change where serde is found, what its messages say and what is borrowed, but no JSON.
            ("crate" | "expecting", Place::Type, Meta::NameValue(_)) | ("borrow", Place::Field, _) => {}
            _ => {
                let text = format!(
                    "derive(Schema) does not understand serde's `{}` here: write the schema to a file, and name it with the method's `body_schema` or `reply_schema`",
                    if name.is_empty() { "attribute" } else { &name }
                );
                return Err(Error::new_spanned(word, text));
            }
        }
        Ok(())
    }
}

fn text(pair: &MetaNameValue) -> Result<LitStr> {
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => Ok(text.clone()),
        other => Err(Error::new_spanned(other, "expected a string")),
    }
}

impl Case {
    const ALL: [(&'static str, Case); 8] = [
        ("lowercase", Case::Lower),
        ("UPPERCASE", Case::Upper),
        ("PascalCase", Case::Pascal),
        ("camelCase", Case::Camel),
        ("snake_case", Case::Snake),
        ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
        ("kebab-case", Case::Kebab),
        ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
    ];

    fn of(word: &LitStr) -> Result<Self> {
        let found = Case::ALL.iter().find(|(name, _)| *name == word.value());
        found.map(|(_, case)| *case).ok_or_else(|| {
            let known = Case::ALL.map(|(name, _)| name).join(", ");
            Error::new_spanned(word, format!("unknown spelling; known: {known}"))
        })
    }

    /// The name of a field, which is written in `snake_case`.
    pub(super) fn field(self, name: &str) -> String {
        match self {
            Case::Lower | Case::Snake => name.to_owned(),
            Case::Upper | Case::ScreamingSnake => name.to_ascii_uppercase(),
            Case::Pascal => pascal(name),
            Case::Camel => first_lower(&pascal(name)),
            Case::Kebab => name.replace('_', "-"),
            Case::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// The name of a variant, which is written in `PascalCase`.
    pub(super) fn variant(self, name: &str) -> String {
        match self {
            Case::Pascal => name.to_owned(),
            Case::Lower => name.to_ascii_lowercase(),
            Case::Upper => name.to_ascii_uppercase(),
            Case::Camel => first_lower(name),
            Case::Snake => snake(name),
            Case::ScreamingSnake => snake(name).to_ascii_uppercase(),
            Case::Kebab => snake(name).replace('_', "-"),
            Case::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

/// Each underscore goes, and what follows it is a capital.
fn pascal(name: &str) -> String {
    let mut after_underscore = true;
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '_' {
            after_underscore = true;
        } else if std::mem::take(&mut after_underscore) {
            text.push(c.to_ascii_uppercase());
        } else {
            text.push(c);
        }
    }
    text
}

/// Each capital but the first gets an underscore before it.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

fn first_lower(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_ascii_lowercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

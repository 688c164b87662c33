//! The JSON Schema of a type, put together by the compiler: a part for each type, written into the manifest where it is asked for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::manifest::Part;

/// The JSON Schema of a type that serde reads or writes. Derived for structs with named fields, structs around one value, and enums
/// whose variants are plain words.
///
/// A method whose arguments are such a type carries the schema in its manifest as `body_schema`, and one whose answer is (or is a
/// list, a map or an `Option` of) such a type as `reply_schema`; a file that is named with the method's word of the same name takes
/// its place. The host checks the arguments against it before the driver sees the call.
///
/// - The derive follows serde's own attributes: `rename`, `rename_all`, `default`, `deny_unknown_fields`, `transparent`, and
///   `skip_serializing_if` on what may be absent anyway. It refuses every other one, and every kind of type, whose JSON it would have to guess.
/// - A field is required unless it is an `Option` or has a default.
/// - Doc comments become descriptions.
/// - `#[schema(range = 1..=100)]` bounds a number, `#[schema(length = 1..=64)]` the characters of a text or the items of a list,
///   `#[schema(pattern = "^[a-z]+$")]` says what a text looks like, and `#[schema(secret)]` keeps a value out of the host's messages. Only the host
///   checks these; a test bench does not.
///
/// ```
/// use driver_sdk::prelude::*;
/// use driver_sdk::TestBench;
///
/// #[derive(Deserialize, Schema)]
/// #[serde(deny_unknown_fields)]
/// struct Light {
///     /// How bright, in per cent.
///     #[schema(range = 0..=100)]
///     brightness: u8,
///     colour: Option<Colour>,
/// }
///
/// #[derive(Deserialize, Schema)]
/// #[serde(rename_all = "lowercase")]
/// enum Colour { Blue, Amber }
/// # struct Lamp;
///
/// /// Lamps.
/// #[driver(name = "lamp")]
/// impl Lamp {
/// #   #[create]
/// #   fn new() -> Result<Self, Fault> { Ok(Lamp) }
///     /// Switches the lamp on.
///     #[node_method]
///     fn light(&self, args: Light) -> Result<(), Fault> { let _ = (args.brightness, args.colour); Ok(()) }
/// }
///
/// let bench = TestBench::new::<Lamp>(json!({}))?;
/// assert_eq!(bench.manifest()["methods"][0]["body_schema"], json!({
///     "type": "object",
///     "properties": {
///         "brightness": {"type": "integer", "description": "How bright, in per cent.", "minimum": 0, "maximum": 100},
///         "colour": {"type": ["string", "null"], "enum": ["blue", "amber", null]},
///     },
///     "required": ["brightness"],
///     "additionalProperties": false,
/// }));
/// # Ok::<(), Fault>(())
/// ```
pub trait Schema {
    #[doc(hidden)]
    const FORM: &'static Form;
}

/// What is known of the JSON of a type.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Form {
    /// A word of JSON Schema; empty if it may be anything.
    pub json_type: &'static str,
    /// Whether `null` does as well, and so does nothing at all where it is a field.
    pub nullable: bool,
    /// For people; empty for none.
    pub description: &'static str,
    /// The only texts that it can be, as JSON; empty if they are not told.
    pub words: &'static [&'static str],
    /// The least number, or the least length; as JSON, empty for none.
    pub minimum: &'static str,
    /// The greatest.
    pub maximum: &'static str,
    /// Further keywords, each with a comma before it.
    pub keywords: &'static [Part],
    /// Keywords that an author has put on a field, each with a comma before it.
    pub added: &'static str,
    /// Whether an author has derived it, or something in it.
    pub derived: bool,
}

impl Form {
    /// Anything.
    pub const ANY: Form = Form {
        json_type: "",
        nullable: false,
        description: "",
        words: &[],
        minimum: "",
        maximum: "",
        keywords: &[],
        added: "",
        derived: false,
    };

    /// Something of this type.
    pub const fn of(json_type: &'static str) -> Form {
        Form {
            json_type,
            ..Form::ANY
        }
    }

    /// The same with bounds, for a number.
    ///
    /// # Panics
    /// At compile time, when it is no number.
    pub const fn ranged(&'static self, minimum: &'static str, maximum: &'static str) -> Form {
        assert!(
            is(self.json_type, "integer") || is(self.json_type, "number"),
            "`range` is for numbers; what has a length takes `length`"
        );
        Form {
            minimum: if minimum.is_empty() { self.minimum } else { minimum },
            maximum: if maximum.is_empty() { self.maximum } else { maximum },
            ..*self
        }
    }

    /// The same with bounds of its length, for a text or a list.
    ///
    /// # Panics
    /// At compile time, when it has no length.
    pub const fn long(&'static self, minimum: &'static str, maximum: &'static str) -> Form {
        assert!(
            is(self.json_type, "string") || is(self.json_type, "array"),
            "`length` is for texts and lists; a number takes `range`"
        );
        Form {
            minimum,
            maximum,
            ..*self
        }
    }

    /// The same, proven to be a text: for a pattern.
    ///
    /// # Panics
    /// At compile time, when it is none.
    pub const fn text(&'static self) -> Form {
        assert!(is(self.json_type, "string"), "`pattern` is for texts");
        *self
    }
}

/// Whether two words are one.
pub(crate) const fn is(word: &str, other: &str) -> bool {
    let (word, other) = (word.as_bytes(), other.as_bytes());
    if word.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < word.len() {
        if word[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Asks, at compile time, whether a type has a schema that its author wants in the manifest: its own constant is found before the
/// trait's, but only where the type has a [`Schema`].
#[doc(hidden)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

/// The answer for all other types.
#[doc(hidden)]
pub trait WithoutSchema {
    const FORM: Option<&'static Form> = None;
}

impl<T: ?Sized> WithoutSchema for Probe<T> {}

impl<T: Schema> Probe<T> {
    /// The schema, if it was derived.
    pub const FORM: Option<&'static Form> = if T::FORM.derived { Some(T::FORM) } else { None };
}

macro_rules! forms {
    ($($json_type:literal: $($ty:ty),+;)+) => {
        $($(impl Schema for $ty {
            const FORM: &'static Form = &Form::of($json_type);
        })+)+
    };
}

forms! {
    "string": String, Box<str>, Cow<'_, str>, &str, IpAddr, SocketAddr, PathBuf;
    "boolean": bool;
    "number": f32, f64;
    "": Value;
    "object": Map<String, Value>;
    "null": ();
}

macro_rules! integers {
    ($($ty:ty: $minimum:literal $maximum:literal,)+) => {
        $(impl Schema for $ty {
            const FORM: &'static Form = &Form {
                minimum: $minimum,
                maximum: $maximum,
                ..Form::of("integer")
            };
        })+
    };
}

integers! {
    u8: "0" "255",
    u16: "0" "65535",
    u32: "0" "4294967295",
    u64: "0" "18446744073709551615",
    usize: "0" "18446744073709551615",
    i8: "-128" "127",
    i16: "-32768" "32767",
    i32: "-2147483648" "2147483647",
    i64: "-9223372036854775808" "9223372036854775807",
    isize: "-9223372036854775808" "9223372036854775807",
}

impl Schema for char {
    const FORM: &'static Form = &Form {
        minimum: "1",
        maximum: "1",
        ..Form::of("string")
    };
}

impl Schema for Ipv4Addr {
    const FORM: &'static Form = &Form {
        keywords: &[Part::Text(",\"format\":\"ipv4\"")],
        ..Form::of("string")
    };
}

impl Schema for Ipv6Addr {
    const FORM: &'static Form = &Form {
        keywords: &[Part::Text(",\"format\":\"ipv6\"")],
        ..Form::of("string")
    };
}

impl<T: Schema> Schema for Option<T> {
    const FORM: &'static Form = &Form {
        nullable: true,
        ..*T::FORM
    };
}

impl<T: Schema> Schema for Box<T> {
    const FORM: &'static Form = T::FORM;
}

macro_rules! lists {
    ($($ty:ty),+) => {
        $(impl<T: Schema> Schema for $ty {
            const FORM: &'static Form = &Form {
                keywords: &[Part::Text(",\"items\":"), Part::Form { form: T::FORM }],
                derived: T::FORM.derived,
                ..Form::of("array")
            };
        })+
    };
}

lists!(Vec<T>, Box<[T]>, BTreeSet<T>, HashSet<T>);

macro_rules! maps {
    ($($ty:ty),+) => {
        $(impl<T: Schema> Schema for $ty {
            const FORM: &'static Form = &Form {
                keywords: &[Part::Text(",\"additionalProperties\":"), Part::Form { form: T::FORM }],
                derived: T::FORM.derived,
                ..Form::of("object")
            };
        })+
    };
}

maps!(BTreeMap<String, T>, HashMap<String, T>);

//! The calls of Ironic's standard interfaces: `#[power(..)]` and `#[management(..)]`, and what each takes and answers.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Error, Ident, ImplItemFn, LitInt, Result, Type};

use crate::method::{self, Method, On, Run};
use crate::signature::{self, Parameter};
use crate::words::{each_word, names, once, unknown, value};

/// A standard interface.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    Power,
    Management,
}

/// One call of a standard interface.
struct Call {
    interface: Interface,
    /// The word of the attribute, and what follows the colon in the manifest.
    word: &'static str,
    http_method: &'static str,
    is_async: bool,
    require_exclusive_lock: bool,
    /// The type that it takes, if any, and the type that it answers; nothing stands for `()`.
    takes: Option<&'static str>,
    answers: Option<&'static str>,
    accepts: Option<Accepts>,
}

/// The word that lists what a call accepts, and what may be listed: as an author writes it, and as Ironic does.
struct Accepts {
    key: &'static str,
    example: &'static str,
    known: &'static [(&'static str, &'static str)],
}

/// What is declared of a standard call beyond a method.
pub(crate) struct Standard {
    pub(crate) accepted: Option<Accepted>,
    /// Types as the author wrote them, and those of the SDK that they must be.
    types: Vec<(Type, &'static str)>,
}

/// What a declared call accepts.
pub(crate) struct Accepted {
    /// The key of the manifest.
    pub(crate) key: &'static str,
    /// Ironic's words.
    pub(crate) words: Vec<&'static str>,
}

const CALLS: [Call; 5] = [
    Call {
        interface: Interface::Power,
        word: "get",
        http_method: "GET",
        is_async: false,
        require_exclusive_lock: false,
        takes: None,
        answers: Some("PowerState"),
        accepts: None,
    },
    Call {
        interface: Interface::Power,
        word: "set",
        http_method: "PUT",
        is_async: true,
        require_exclusive_lock: true,
        takes: Some("PowerChange"),
        answers: None,
        accepts: Some(Accepts {
            key: "targets",
            example: "targets = [on, off, reboot]",
            known: &[
                ("on", "power on"),
                ("off", "power off"),
                ("reboot", "rebooting"),
                ("soft_off", "soft power off"),
                ("soft_reboot", "soft rebooting"),
            ],
        }),
    },
    Call {
        interface: Interface::Management,
        word: "get_boot_device",
        http_method: "GET",
        is_async: false,
        require_exclusive_lock: false,
        takes: None,
        answers: Some("BootDevice"),
        accepts: None,
    },
    Call {
        interface: Interface::Management,
        word: "set_boot_device",
        http_method: "PUT",
        is_async: false,
        require_exclusive_lock: true,
        takes: Some("BootDeviceChange"),
        answers: None,
        accepts: Some(Accepts {
            key: "devices",
            example: "devices = [pxe, disk]",
            known: &[
                ("pxe", "pxe"),
                ("disk", "disk"),
                ("cdrom", "cdrom"),
                ("bios", "bios"),
                ("safe", "safe"),
                ("wanboot", "wanboot"),
                ("iscsiboot", "iscsiboot"),
                ("floppy", "floppy"),
                ("uefihttp", "uefihttp"),
            ],
        }),
    },
    Call {
        interface: Interface::Management,
        word: "inject_nmi",
        http_method: "PUT",
        is_async: false,
        require_exclusive_lock: true,
        takes: None,
        answers: None,
        accepts: None,
    },
];

impl Interface {
    fn name(self) -> &'static str {
        match self {
            Interface::Power => "power",
            Interface::Management => "management",
        }
    }

    fn calls(self) -> impl Iterator<Item = &'static Call> {
        CALLS.iter().filter(move |call| call.interface == self)
    }

    /// All words of its attribute.
    fn words(self) -> String {
        let calls = self.calls().map(|call| call.word);
        let lists = self
            .calls()
            .filter_map(|call| call.accepts.as_ref().map(|accepts| accepts.key));
        calls
            .chain(lists)
            .chain(["time_limit_ms"])
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The words of one attribute.
struct Words {
    call: &'static Call,
    accepted: Option<Accepted>,
    time_limit_ms: Option<LitInt>,
}

impl Words {
    fn parse(interface: Interface, words: TokenStream, attribute: Span) -> Result<Self> {
        let mut call: Option<(&Call, Ident)> = None;
        let mut list: Option<(Ident, Vec<Ident>)> = None;
        let mut time_limit_ms = None;
        each_word(words, |word, input| {
            let name = word.to_string();
            if let Some(found) = interface.calls().find(|call| call.word == name) {
                return match &call {
                    Some((_, first)) => {
                        let text = format!("a function is one call: `{first}` or `{word}`");
                        Err(Error::new(word.span(), text))
                    }
                    None => once(&mut call, word, (found, word.clone())),
                };
            }
            if let Some(accepts) = lists(interface).find(|accepts| accepts.key == name) {
                let listed = names(input, &format!("names: `{}`", accepts.example))?;
                return once(&mut list, word, (word.clone(), listed));
            }
            match name.as_str() {
                "time_limit_ms" => once(
                    &mut time_limit_ms,
                    word,
                    value(input, "a number of milliseconds: `time_limit_ms = 5000`")?,
                ),
                _ => Err(unknown(word, &interface.words())),
            }
        })?;
        let Some((call, word)) = call else {
            let calls: Vec<_> = interface.calls().map(|call| format!("`{}`", call.word)).collect();
            let text = format!("say which call it is: {}", calls.join(", "));
            return Err(Error::new(attribute, text));
        };
        let accepted = match (&call.accepts, list) {
            (None, None) => None,
            (None, Some((key, _))) => {
                let text = format!("`{key}` is no word of `{}`", call.word);
                return Err(Error::new(key.span(), text));
            }
            (Some(accepts), None) => {
                let text = format!("say what the driver can do: `{}`", accepts.example);
                return Err(Error::new(word.span(), text));
            }
            (Some(accepts), Some((_, listed))) => Some(accepts.read(&listed)?),
        };
        Ok(Words {
            call,
            accepted,
            time_limit_ms,
        })
    }
}

fn lists(interface: Interface) -> impl Iterator<Item = &'static Accepts> {
    interface.calls().filter_map(|call| call.accepts.as_ref())
}

impl Accepts {
    fn read(&self, listed: &[Ident]) -> Result<Accepted> {
        let mut words = Vec::new();
        for ident in listed {
            let name = ident.to_string();
            let Some((_, word)) = self.known.iter().find(|(known, _)| *known == name) else {
                let known: Vec<_> = self.known.iter().map(|(known, _)| *known).collect();
                let text = format!("unknown word `{name}`; known: {}", known.join(", "));
                return Err(Error::new(ident.span(), text));
            };
            if words.contains(word) {
                return Err(Error::new(ident.span(), format!("`{name}` is given twice")));
            }
            words.push(*word);
        }
        Ok(Accepted { key: self.key, words })
    }
}

impl Method {
    /// A call of a standard interface. Lock, verb and the rest are the contract's; the author says what the driver can do.
    pub(crate) fn standard(
        interface: Interface,
        words: TokenStream,
        attribute: Span,
        function: &ImplItemFn,
    ) -> Result<Self> {
        let Words {
            call,
            accepted,
            time_limit_ms,
        } = Words::parse(interface, words, attribute)?;
        let signature = &function.sig;
        signature::plain(signature)?;
        signature::takes_self(signature, "a method")?;
        let parameters = signature::parameters(signature)?;
        let run = method::run(function, &parameters)?;
        method::check_parameters(On::Node, &parameters)?;
        let types = call.types(function, &parameters, run)?;
        Ok(Method {
            ident: signature.ident.clone(),
            on: On::Node,
            name: format!("{}:{}", interface.name(), call.word),
            name_span: attribute,
            http_methods: vec![call.http_method.to_owned()],
            is_async: call.is_async,
            require_exclusive_lock: call.require_exclusive_lock,
            attach: false,
            time_limit_ms: method::time_limit(time_limit_ms.as_ref())?,
            body_schema: None,
            reply_schema: None,
            answer: None,
            description: method::described(function)?,
            run,
            parameters,
            check: None,
            standard: Some(Standard { accepted, types }),
        })
    }
}

impl Standard {
    /// Has the compiler refuse a type of the same name that is another one.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = TokenStream> + '_ {
        self.types.iter().map(|(ty, name)| {
            let expected = Ident::new(name, Span::call_site());
            quote_spanned! {ty.span()=>
                const _: fn(#ty) -> ::driver_sdk::#expected = |it| it;
            }
        })
    }
}

impl Call {
    /// The types that are the contract's. Refuses others by their names, as far as they are written out.
    fn types(
        &self,
        function: &ImplItemFn,
        parameters: &[Parameter],
        run: Run,
    ) -> Result<Vec<(Type, &'static str)>> {
        let mut types = Vec::new();
        let attribute = format!("`#[{}({})]`", self.interface.name(), self.word);
        let args = parameters.iter().find_map(|parameter| match parameter {
            Parameter::Args(ty) => Some(&**ty),
            _ => None,
        });
        match (self.takes, args) {
            (None, None) => {}
            (None, Some(ty)) => {
                let text = format!("{attribute} takes no arguments");
                return Err(Error::new_spanned(ty, text));
            }
            (Some(takes), Some(ty)) if signature::is_named(ty, takes) => types.push((ty.clone(), takes)),
            (Some(takes), other) => {
                let text = format!("{attribute} takes a `{takes}`: what is to change");
                return Err(match other {
                    Some(ty) => Error::new_spanned(ty, text),
                    None => Error::new(function.sig.ident.span(), text),
                });
            }
        }
        let Some(answer) = method::answer_type(function, parameters, run)? else {
            return Ok(types);
        };
        let fits = match self.answers {
            Some(name) => signature::is_named(&answer, name),
            None => matches!(&answer, Type::Tuple(tuple) if tuple.elems.is_empty()),
        };
        if !fits {
            let expected = self.answers.unwrap_or("()");
            return Err(Error::new_spanned(
                answer,
                format!("{attribute} answers `{expected}`"),
            ));
        }
        types.extend(self.answers.map(|name| (answer, name)));
        Ok(types)
    }
}

/// Refuses half a power interface: a host reads the state after each change.
pub(crate) fn check_whole(methods: &[Method]) -> Result<()> {
    for (name, other, attribute) in [
        (
            "power:get",
            "power:set",
            "#[power(set, targets = [on, off, reboot])]",
        ),
        ("power:set", "power:get", "#[power(get)]"),
    ] {
        let find = |name: &str| methods.iter().find(|method| method.name == name);
        if let (Some(method), None) = (find(name), find(other)) {
            let text = format!("a driver that has `{name}` has `{other}` too: `{attribute}`");
            return Err(Error::new(method.name_span, text));
        }
    }
    Ok(())
}

//! What the attribute writes: the author's block as it is, the `Driver` implementation, and the export.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, ItemImpl, Type};

use crate::declaration::Declaration;
use crate::manifest;
use crate::method::{Check, Method, On, Run};
use crate::signature::Parameter;

pub(crate) fn driver(words: TokenStream, block: TokenStream) -> TokenStream {
    let Ok(mut block) = syn::parse2::<ItemImpl>(block.clone()) else {
        let text = "`#[driver]` stands on the `impl` block of the driver's type";
        let error = Error::new(proc_macro2::Span::call_site(), text).into_compile_error();
        return quote!(#error #block);
    };
    match Declaration::read(words, &mut block) {
        Ok(declaration) => {
            let expansion = Expansion {
                ty: &block.self_ty,
                declaration: &declaration,
            }
            .tokens();
            quote!(#block #expansion)
        }
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#block #error)
        }
    }
}

struct Expansion<'a> {
    ty: &'a Type,
    declaration: &'a Declaration,
}

impl Expansion<'_> {
    fn tokens(&self) -> TokenStream {
        let ty = self.ty;
        let parts = manifest::parts(self.declaration);
        let tracked = self
            .declaration
            .methods
            .iter()
            .flat_map(|method| [&method.body_schema, &method.reply_schema])
            .flatten()
            .map(|schema| schema.tracked());
        let standard = self
            .declaration
            .methods
            .iter()
            .filter_map(|method| method.standard.as_ref());
        let proofs = standard.flat_map(|standard| standard.proofs());
        let implementation = self.implementation();
        quote! {
            // Exported macros live in the root of the crate, wherever they are written: the second one is refused, by this name.
            #[doc(hidden)]
            #[macro_export]
            macro_rules! a_library_holds_one_driver {
                () => {};
            }

            const _: () = {
                #(#tracked)*
                #(#proofs)*

                const __PARTS: &[::driver_sdk::__private::Part] = #parts;
                const __JOINED: [u8; ::driver_sdk::__private::length(__PARTS)] =
                    ::driver_sdk::__private::join(__PARTS);
                const __MANIFEST: &str = ::driver_sdk::__private::text(&__JOINED);

                #implementation

                extern "C" fn __create(
                    config: ::driver_sdk::__private::RSlice<'_, u8>,
                    host: ::driver_sdk::__private::HostObject,
                ) -> ::driver_sdk::__private::RResult<
                    ::driver_sdk::__private::DriverObject,
                    ::driver_sdk::__private::AbiFault,
                > {
                    ::driver_sdk::__private::create::<#ty>(config, host)
                }

                ::driver_sdk::__private::export_driver! { create = __create, manifest = __MANIFEST }
            };
        }
    }

    fn implementation(&self) -> TokenStream {
        let Expansion { ty, declaration } = self;
        let name = &declaration.name;
        let methods = declaration.methods.iter().map(|method| {
            let (name, deferred) = (&method.name, method.run != Run::Blocking);
            quote!(::driver_sdk::__private::Method { name: #name, deferred: #deferred })
        });
        let needs_runtime = declaration.methods.iter().any(|method| method.run == Run::Future);
        let found = declaration.methods.iter().enumerate().map(|(number, method)| {
            let (on_node, name) = (method.on == On::Node, &method.name);
            quote!((#on_node, #name) => ::core::option::Option::Some(#number),)
        });
        let create = self.create();
        let validate_node = self.validate_node();
        let validate_call = self.arms(|method| Some(self.validate_call(method)));
        let call = self.arms(|method| (method.run == Run::Blocking).then(|| self.call(method)));
        let start = self.arms(|method| (method.run != Run::Blocking).then(|| self.start(method)));
        let shut_down = self.shut_down();
        let result = quote!(::core::result::Result);
        let fault = quote!(::driver_sdk::Fault);
        quote! {
            #[automatically_derived]
            impl ::driver_sdk::Driver for #ty {
                const NAME: &'static str = #name;
                const MANIFEST: &'static str = __MANIFEST;
                const METHODS: &'static [::driver_sdk::__private::Method] = &[#(#methods),*];
                const NEEDS_RUNTIME: bool = #needs_runtime;

                fn create(__config: &[u8], __host: ::driver_sdk::Host) -> #result<Self, #fault> {
                    #create
                }

                fn find(__on_node: bool, __name: &str) -> ::core::option::Option<usize> {
                    match (__on_node, __name) {
                        #(#found)*
                        _ => ::core::option::Option::None,
                    }
                }

                fn validate_node(&self, __node: &::driver_sdk::Node<'_>) -> #result<(), #fault> {
                    #validate_node
                }

                fn validate_call(
                    &self,
                    __method: usize,
                    __call: &::driver_sdk::Call<'_>,
                    __body: &[u8],
                ) -> #result<(), #fault> {
                    let _ = __body;
                    match __method {
                        #validate_call
                        _ => #result::Err(::driver_sdk::__private::not_here(__call)),
                    }
                }

                fn call(
                    &self,
                    __method: usize,
                    __call: &::driver_sdk::Call<'_>,
                    __body: &[u8],
                ) -> #result<::driver_sdk::__private::Reply, #fault> {
                    let _ = __body;
                    match __method {
                        #call
                        _ => #result::Err(::driver_sdk::__private::not_here(__call)),
                    }
                }

                fn start(
                    self: &::std::sync::Arc<Self>,
                    __method: usize,
                    __pending: &::std::sync::Arc<::driver_sdk::__private::Pending>,
                    __body: &[u8],
                    __runtime: &::driver_sdk::__private::Runtime,
                ) -> #result<(), #fault> {
                    let _ = (__body, __runtime);
                    let __call = __pending.call();
                    match __method {
                        #start
                        _ => #result::Err(::driver_sdk::__private::not_here(__call)),
                    }
                }

                fn shut_down(&self) -> #result<(), #fault> {
                    #shut_down
                }
            }
        }
    }

    fn arms(&self, arm: impl Fn(&Method) -> Option<TokenStream>) -> TokenStream {
        let arms = self.declaration.methods.iter().enumerate();
        arms.filter_map(|(number, method)| arm(method).map(|body| quote!(#number => { #body })))
            .collect()
    }

    fn create(&self) -> TokenStream {
        let Expansion { ty, declaration } = self;
        let (name, ident) = (&declaration.name, &declaration.create.ident);
        let mut config = quote!(::driver_sdk::__private::Nothing);
        let mut given = Vec::new();
        for parameter in &declaration.create.parameters {
            match parameter {
                Parameter::Args(ty) => {
                    config = quote!(#ty);
                    given.push(quote!(__config));
                }
                _ => given.push(quote!(__host)),
            }
        }
        quote! {
            let _ = &__host;
            let __config: #config = ::driver_sdk::__private::configuration(#name, __config)?;
            let _ = &__config;
            <#ty>::#ident(#(#given),*).map_err(::core::convert::Into::into)
        }
    }

    fn validate_node(&self) -> TokenStream {
        let Expansion { ty, declaration } = self;
        let properties = declaration
            .properties
            .as_ref()
            .map(|path| quote!(let _ = __node.driver_info::<#path>()?;));
        let check = match &declaration.validate_node {
            Some(ident) => quote!(<#ty>::#ident(self, __node).map_err(::core::convert::Into::into)),
            None => quote! {
                let _ = __node;
                ::core::result::Result::Ok(())
            },
        };
        quote!(#properties #check)
    }

    /// Reads the arguments only if somebody waits for that: the author's check, or a client that is answered before the method
    /// runs. All other calls read them once, in the call itself, before the method's first line.
    fn validate_call(&self, method: &Method) -> TokenStream {
        if method.check.is_none() && !method.is_async {
            return quote!(::core::result::Result::Ok(()));
        }
        let args = read_args(method);
        let check = method.check.as_ref().map(|Check { ident, parameters, .. }| {
            let ty = self.ty;
            let given = parameters.iter().map(|parameter| match parameter {
                Parameter::ArgsReference(_) => quote!(&__args),
                Parameter::Node(_) => quote!(::driver_sdk::__private::node(__call)?),
                _ => quote!(__call),
            });
            quote!(<#ty>::#ident(self #(, #given)*).map_err(::core::convert::Into::<::driver_sdk::Fault>::into)?;)
        });
        quote! {
            #args
            let _ = &__args;
            #check
            ::core::result::Result::Ok(())
        }
    }

    fn call(&self, method: &Method) -> TokenStream {
        let (args, invocation) = (read_args(method), self.invocation(method, &quote!(self)));
        quote! {
            #args
            ::driver_sdk::__private::reply(#invocation)
        }
    }

    fn start(&self, method: &Method) -> TokenStream {
        let args = read_args(method);
        if method.run == Run::Completion {
            let invocation = self.invocation(method, &quote!(self));
            return quote! {
                #args
                #invocation;
                ::core::result::Result::Ok(())
            };
        }
        let invocation = self.invocation(method, &quote!(&__driver));
        quote! {
            #args
            let __driver = ::std::sync::Arc::clone(self);
            let __held = ::std::sync::Arc::clone(__pending);
            __runtime.spawn(__pending, async move {
                let __call = __held.call();
                let __result = #invocation.await;
                __result.map_err(::core::convert::Into::<::driver_sdk::Fault>::into)
            })
        }
    }

    /// The author's function, with its parameters in the author's order.
    fn invocation(&self, method: &Method, driver: &TokenStream) -> TokenStream {
        let (ty, ident) = (self.ty, &method.ident);
        let given = method.parameters.iter().map(|parameter| match parameter {
            Parameter::Node(_) => quote!(::driver_sdk::__private::node(__call)?),
            Parameter::Args(_) => quote!(__args),
            Parameter::Completion(_) => {
                quote!(::driver_sdk::Completion::new(::std::sync::Arc::clone(__pending)))
            }
            _ => quote!(__call),
        });
        quote!(<#ty>::#ident(#driver #(, #given)*))
    }

    fn shut_down(&self) -> TokenStream {
        let ty = self.ty;
        match &self.declaration.shut_down {
            None => quote!(::core::result::Result::Ok(())),
            Some(end) => {
                let ident = &end.ident;
                match end.fallible {
                    true => quote!(<#ty>::#ident(self).map_err(::core::convert::Into::into)),
                    false => quote! {
                        <#ty>::#ident(self);
                        ::core::result::Result::Ok(())
                    },
                }
            }
        }
    }
}

/// Reads the arguments; a method without any refuses all.
fn read_args(method: &Method) -> TokenStream {
    match method.args() {
        Some(ty) => quote_spanned! {ty.span()=>
            let __args: #ty = ::driver_sdk::__private::arguments(__call.method(), __body)?;
        },
        None => quote! {
            let __args: ::driver_sdk::__private::Nothing =
                ::driver_sdk::__private::arguments(__call.method(), __body)?;
            let _ = &__args;
        },
    }
}

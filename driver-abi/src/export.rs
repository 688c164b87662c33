//! What a driver's library exports. Used by `driver-sdk`; nobody else needs to write it.

/// The symbol of the root module's header. It is abi_stable's own name for it; a test holds the two together.
pub const ROOT_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// Exports a driver: the manifest's note, and the root module with its `create` function.
///
/// `create` is the function of [`DriverModule::create`](crate::DriverModule); it must catch its own panics; `manifest` is a `&'static str` known at
/// compile time. To be used once per library, in its crate root or any module.
#[macro_export]
macro_rules! export_driver {
    (create = $create:path, manifest = $manifest:expr $(,)?) => {
        const _: () = {
            #[used]
            #[link_section = ".note.bmdriver"]
            static NOTE: $crate::Note<{ $crate::padded(str::len($manifest)) }> = $crate::Note::new($manifest);

            fn module() -> $crate::DriverModuleRef {
                $crate::abi_stable::prefix_type::PrefixTypeTrait::leak_into_prefix($crate::DriverModule {
                    create: $create,
                })
            }

            extern "C" fn construct() -> $crate::abi_stable::library::RootModuleResult {
                $crate::abi_stable::library::__call_root_module_loader(module)
            }

            #[export_name = "_1as_0lib_1header_0root_bmodule_bloader"]
            static HEADER: $crate::abi_stable::library::LibHeader = {
                // SAFETY: `construct` erases a `DriverModuleRef`, the type named here.
                unsafe {
                    $crate::abi_stable::library::LibHeader::from_constructor::<$crate::DriverModuleRef>(
                        construct,
                        $crate::abi_stable::library::CheckTypeLayout::Yes,
                    )
                }
            };
        };
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_exported_symbol_is_the_one_that_abi_stable_looks_up() {
        assert_eq!(super::ROOT_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
    }
}

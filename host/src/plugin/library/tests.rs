//! The rule of the boundary's evolution, on a small boundary of its own.

use abi_stable::StableAbi;

use super::*;

/// The same module as four builds of it might have it.
macro_rules! builds {
    ($($build:ident { $($field:tt)* })*) => {
        $(mod $build {
            #![allow(missing_docs, reason = "abi_stable's macros generate public items")]
            #![allow(dead_code, reason = "only the layouts are used")]
            use abi_stable::StableAbi;
            use abi_stable::std_types::{RString, RVec};

            #[repr(C)]
            #[derive(StableAbi)]
            pub(super) struct Answer {
                pub(super) text: RString,
                pub(super) bytes: RVec<u8>,
            }

            #[repr(C)]
            #[derive(StableAbi)]
            #[sabi(kind(Prefix(prefix_ref = ModuleRef)))]
            #[sabi(missing_field(option))]
            pub(super) struct Module { $($field)* }
        })*
    };
}

builds! {
    first {
        #[sabi(last_prefix_field)]
        pub(super) ask: extern "C" fn(u32) -> Answer,
    }
    appended {
        #[sabi(last_prefix_field)]
        pub(super) ask: extern "C" fn(u32) -> Answer,
        pub(super) ask_more: extern "C" fn(u64) -> Answer,
    }
    appended_twice {
        #[sabi(last_prefix_field)]
        pub(super) ask: extern "C" fn(u32) -> Answer,
        pub(super) ask_more: extern "C" fn(u64) -> Answer,
        pub(super) ask_most: extern "C" fn(u8) -> Answer,
    }
    appended_otherwise {
        #[sabi(last_prefix_field)]
        pub(super) ask: extern "C" fn(u32) -> Answer,
        pub(super) other: extern "C" fn(u64) -> Answer,
    }
    changed {
        #[sabi(last_prefix_field)]
        pub(super) ask: extern "C" fn(u64) -> Answer,
    }
    renamed {
        #[sabi(last_prefix_field)]
        pub(super) question: extern "C" fn(u32) -> Answer,
    }
}

#[test]
fn both_sides_may_append_and_nothing_else() {
    let layouts = |name: &str| match name {
        "first" => <first::ModuleRef as StableAbi>::LAYOUT,
        "appended" => <appended::ModuleRef as StableAbi>::LAYOUT,
        "appended twice" => <appended_twice::ModuleRef as StableAbi>::LAYOUT,
        "appended otherwise" => <appended_otherwise::ModuleRef as StableAbi>::LAYOUT,
        "changed" => <changed::ModuleRef as StableAbi>::LAYOUT,
        "renamed" => <renamed::ModuleRef as StableAbi>::LAYOUT,
        other => panic!("{other}"),
    };
    let cases = [
        // host, driver, what comes of it
        ("1.0.0", "first", "1.0.0", "first", "fits"),
        ("1.0.0", "first", "1.1.0", "appended", "fits"),
        ("1.1.0", "appended", "1.0.0", "first", "fits"),
        ("1.0.0", "first", "1.2.0", "appended twice", "fits"),
        ("1.2.0", "appended twice", "1.1.0", "appended", "fits"),
        ("1.0.3", "first", "1.0.7", "first", "fits"),
        ("1.9.0", "first", "1.10.0", "first", "fits"),
        ("1.1.0", "appended", "1.1.0", "appended otherwise", "other types"),
        ("1.0.0", "first", "1.0.0", "changed", "other types"),
        ("1.0.0", "first", "1.1.0", "changed", "other types"),
        ("1.0.0", "first", "1.0.0", "renamed", "other types"),
        ("1.0.0", "first", "2.0.0", "first", "other major"),
        ("2.0.0", "first", "1.0.0", "first", "other major"),
        ("1.0.0", "first", "0.1.0", "first", "other major"),
        ("1.0.0", "first", "one", "first", "other major"),
        ("one", "first", "one", "first", "other major"),
    ];
    for (host_version, host, driver_version, driver, expected) in cases {
        let host = Boundary {
            version: host_version,
            layout: layouts(host),
        };
        let case = format!("{host_version} {driver_version} {driver}");
        let driver = Boundary {
            version: driver_version,
            layout: layouts(driver),
        };
        match check_boundary(&host, &driver) {
            Ok(()) => assert_eq!(expected, "fits", "{case}"),
            Err(LoadCause::OtherMajor {
                expected: ours,
                found,
            }) => {
                assert_eq!(expected, "other major", "{case}");
                assert_eq!((ours.as_str(), found.as_str()), (host_version, driver_version));
            }
            Err(LoadCause::Layout {
                expected: ours,
                found,
                mismatch,
            }) => {
                assert_eq!(expected, "other types", "{case}");
                assert_eq!((ours.as_str(), found.as_str()), (host_version, driver_version));
                assert!(
                    !mismatch.is_empty() && mismatch.len() < 200 && !mismatch.contains('\n'),
                    "{mismatch}"
                );
            }
            Err(other) => panic!("{case}: {other}"),
        }
    }
}

#[test]
fn a_mismatch_names_the_place_and_both_sides() {
    let host = Boundary {
        version: "1.0.0",
        layout: <first::ModuleRef as StableAbi>::LAYOUT,
    };
    let driver = Boundary {
        version: "1.0.0",
        layout: <changed::ModuleRef as StableAbi>::LAYOUT,
    };
    let text = check_boundary(&host, &driver).unwrap_err().to_string();
    assert!(
        text.contains("in ask: type u32 in the host, u64 in the driver"),
        "{text}"
    );
}

#[test]
fn the_order_of_loading_does_not_matter() {
    // With abi_stable's shared memory, the second of two drivers that append differently would be compared with the first.
    let host = Boundary {
        version: "1.0.0",
        layout: <first::ModuleRef as StableAbi>::LAYOUT,
    };
    for layout in [
        <appended::ModuleRef as StableAbi>::LAYOUT,
        <appended_otherwise::ModuleRef as StableAbi>::LAYOUT,
    ] {
        assert_eq!(
            check_boundary(
                &host,
                &Boundary {
                    version: "1.1.0",
                    layout
                }
            ),
            Ok(())
        );
    }
}

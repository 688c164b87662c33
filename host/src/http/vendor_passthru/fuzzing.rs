//! What must hold of the paths of calls.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Address;
use crate::plugin::manifest::CalledOn;

/// A path as it is asked for, once its escapes are known to be UTF-8.
pub(in crate::http) fn address(path: &str) {
    let Some(address) = Address::of(path) else { return };
    assert!(!address.ident.is_empty() && address.method.as_deref() != Some(""));
    let whole = percent_decode_str(path).decode_utf8().unwrap();
    for text in [Some(&address.ident), address.method.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(whole.contains(&**text), "{text:?} stands in {path}");
    }
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let room = match address.on {
        CalledOn::Driver => "drivers",
        CalledOn::Node => "nodes",
    };
    let method = address
        .method
        .as_deref()
        .map(|method| format!("/{}", escaped(method)));
    let printed = format!(
        "/v1/{room}/{}/vendor_passthru{}",
        escaped(&address.ident),
        method.unwrap_or_default()
    );
    assert_eq!(
        Address::of(&printed).as_ref(),
        Some(&address),
        "{path} is {printed}"
    );
}

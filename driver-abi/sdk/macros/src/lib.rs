#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod declaration;
mod description;
mod expansion;
mod manifest;
mod method;
mod properties;
mod range;
mod schema;
mod signature;
mod standard;
mod words;

use proc_macro::TokenStream;

/// Declares a driver: put it on the `impl` block of the driver's type. See the front page of `driver-sdk`.
///
/// ```text
/// #[driver(name = "hello", properties = Device)]
/// ```
/// - `name`: what an operator writes into `enabled_drivers`. Lower-case letters, digits, `_`, `.` and `-`.
/// - `properties`: the type, with `#[derive(Properties)]`, that says what the driver needs to know of a node. Optional.
///
/// The doc comment of the block is the driver's description; the version is the package's. In the block:
///
/// | Attribute | On | Number |
/// |---|---|---|
/// | `#[create]` | `fn(config: Config, host: Host) -> Result<Self, Fault>`, both parameters optional | one |
/// | `#[node_method(..)]` | a method that is called on a node | any |
/// | `#[driver_method(..)]` | a method that is called on the driver itself | any |
/// | `#[power(..)]`, `#[management(..)]` | a call of one of Ironic's standard interfaces | one per call |
/// | `#[validate_node]` | `fn(&self, node: &Node) -> Result<(), Fault>`, after the properties have been read | at most one |
/// | `#[validate_call(f)]` | `fn(&self, call: &Call, args: &Args) -> Result<(), Fault>`, before method `f`, after its arguments have been read | one per method |
/// | `#[shut_down]` | `fn(&self)`, when the host ends | at most one |
///
/// A method takes `&self` and, in any order and all optional, `&Call`, `&Node` (node methods) and one type for its arguments: its own that
/// deserialises, or `RawJson`. It returns a `Result`; or it takes a `Completion` as well, returns nothing at once, and answers later; or
/// it is an `async fn` (feature `tokio`). Its doc comment is its description. The words of a method:
///
/// | Word | Meaning | Default |
/// |---|---|---|
/// | `name = "..."` | the name that clients use | the function's |
/// | `http_methods = [GET, POST]` | the verbs: GET, POST, PUT, PATCH, DELETE | `[POST]` |
/// | `async = true` | the client gets 202 at once and the result from a record | true on nodes, false on drivers |
/// | `require_exclusive_lock = true` | nothing else that is exclusive runs on the node meanwhile | true; nodes only |
/// | `attach` | the answer is an `Attachment`: bytes with a media type; needs `async = false` | JSON |
/// | `time_limit_ms = 5000` | the longest that a call may take | the operator's |
/// | `body_schema`, `reply_schema = "file.json"` | a JSON Schema, in a file beside `Cargo.toml` | that of the type, if it derives `Schema` |
///
/// A standard call is declared like a method, by what it does; its name, verb and lock are the contract's. Its only other word is
/// `time_limit_ms`. With `power(get)` goes `power(set)`.
///
/// | Attribute | Takes | Answers |
/// |---|---|---|
/// | `#[power(get)]` | | `PowerState` |
/// | `#[power(set, targets = [on, off, reboot, soft_off, soft_reboot])]` | `PowerChange` | `()` |
/// | `#[management(get_boot_device)]` | | `BootDevice` |
/// | `#[management(set_boot_device, devices = [pxe, disk, cdrom, bios, safe, wanboot, iscsiboot, floppy, uefihttp])]` | `BootDeviceChange` | `()` |
/// | `#[management(inject_nmi)]` | | `()` |
///
/// `targets` and `devices` list what the driver can do; nothing else reaches it.
#[proc_macro_attribute]
pub fn driver(words: TokenStream, block: TokenStream) -> TokenStream {
    expansion::driver(words.into(), block.into()).into()
}

/// Reads a node's `driver_info` into a struct. See the trait `Properties` of `driver-sdk`.
#[proc_macro_derive(Properties, attributes(property))]
pub fn properties(item: TokenStream) -> TokenStream {
    properties::derive(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// The JSON Schema of a type that serde reads or writes. See the trait `Schema` of `driver-sdk`.
#[proc_macro_derive(Schema, attributes(schema, serde))]
pub fn schema(item: TokenStream) -> TokenStream {
    schema::derive(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

//! What the attribute writes for a driver, and what the rest of the SDK makes an ABI object of.

use std::sync::Arc;

use driver_abi::Reply;

use crate::completion::Pending;
use crate::runtime::Runtime;
use crate::{Call, Fault, Host, Node};

/// A driver. Implemented by [`#[driver]`](macro@crate::driver) and by nothing else.
pub trait Driver: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    const NAME: &'static str;
    #[doc(hidden)]
    const MANIFEST: &'static str;
    /// All methods; their numbers in what follows are their places here.
    #[doc(hidden)]
    const METHODS: &'static [Method];
    /// Whether a method is an `async fn`.
    #[doc(hidden)]
    const NEEDS_RUNTIME: bool;

    #[doc(hidden)]
    fn create(config: &[u8], host: Host) -> Result<Self, Fault>;
    #[doc(hidden)]
    fn find(on_node: bool, name: &str) -> Option<usize>;
    #[doc(hidden)]
    fn validate_node(&self, node: &Node<'_>) -> Result<(), Fault>;
    #[doc(hidden)]
    fn validate_call(&self, method: usize, call: &Call<'_>, body: &[u8]) -> Result<(), Fault>;
    #[doc(hidden)]
    fn call(&self, method: usize, call: &Call<'_>, body: &[u8]) -> Result<Reply, Fault>;
    #[doc(hidden)]
    fn start(
        self: &Arc<Self>,
        method: usize,
        pending: &Arc<Pending>,
        body: &[u8],
        runtime: &Runtime,
    ) -> Result<(), Fault>;
    #[doc(hidden)]
    fn shut_down(&self) -> Result<(), Fault>;
}

/// One method of a driver, as far as the guards need it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub name: &'static str,
    pub deferred: bool,
}

/// The node of a call of a node method.
#[doc(hidden)]
pub fn node<'a, 'b>(call: &'b Call<'a>) -> Result<&'b Node<'a>, Fault> {
    call.node()
        .ok_or_else(|| Fault::internal(format!("method '{}' was called without its node", call.method())))
}

/// The fault for a method that is called in a way that it is not declared for.
#[doc(hidden)]
#[cold]
pub fn not_here(call: &Call<'_>) -> Fault {
    Fault::unsupported(format!("method '{}' cannot be called this way", call.method()))
}

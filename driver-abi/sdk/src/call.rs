//! One call, as a method sees it.

use std::fmt::{self, Display};
use std::time::Duration;

use driver_abi::Context;

use crate::{Level, Node};

/// One call: which method, for which node, how long it may take, and where its log lines go.
///
/// Methods take it as `&Call`; the lifetime need not be written. It may be shared with other threads.
pub struct Call<'a> {
    method: &'static str,
    http_method: &'static str,
    node: Option<Node<'a>>,
    context: Handle<'a>,
}

/// A blocking call borrows the host's context, a deferred one owns it.
enum Handle<'a> {
    Borrowed(&'a Context),
    Owned(Context),
}

impl<'a> Call<'a> {
    pub(crate) fn borrowed(
        method: &'static str,
        http_method: &'static str,
        node: Option<Node<'a>>,
        context: &'a Context,
    ) -> Self {
        Call {
            method,
            http_method,
            node,
            context: Handle::Borrowed(context),
        }
    }

    /// The method's name, as the manifest has it.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The HTTP verb in capitals: one of those that the method lists.
    pub fn http_method(&self) -> &'static str {
        self.http_method
    }

    /// The node, for a method of a node. Such a method can also take a parameter `&Node`.
    pub fn node(&self) -> Option<&Node<'a>> {
        self.node.as_ref()
    }

    /// Time until the call's deadline; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        Duration::from_millis(self.context().remaining_ms())
    }

    /// Whether nobody waits for the answer any more: the deadline has passed, the client asked to cancel, or the host
    /// is shutting down. A method that can stop its work safely should.
    pub fn cancelled(&self) -> bool {
        self.context().cancelled()
    }

    /// Writes one line to the host's log, with the driver's name and the id of the client's request.
    pub fn log(&self, level: Level, message: impl Display) {
        self.context()
            .log(level.number(), message.to_string().as_str().into());
    }

    /// Logs a failure.
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message);
    }

    /// Logs what an operator should look at.
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warn, message);
    }

    /// Logs what an operator may want to know.
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message);
    }

    /// Logs for the driver's author.
    pub fn debug(&self, message: impl Display) {
        self.log(Level::Debug, message);
    }

    fn context(&self) -> &Context {
        match &self.context {
            Handle::Borrowed(context) => context,
            Handle::Owned(context) => context,
        }
    }
}

impl Call<'static> {
    pub(crate) fn owned(
        method: &'static str,
        http_method: &'static str,
        node: Option<Node<'static>>,
        context: Context,
    ) -> Self {
        Call {
            method,
            http_method,
            node,
            context: Handle::Owned(context),
        }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("http_method", &self.http_method)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

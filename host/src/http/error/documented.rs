//! Which error statuses the description of the API names, and for what.

/// A status, and when it is the answer.
pub(in crate::http) type Documented = (u16, &'static str);

/// What every request may be answered with.
pub(in crate::http) const ALWAYS: [Documented; 7] = [
    (
        400,
        "The request cannot be understood, or holds a value that is not allowed.",
    ),
    (
        406,
        "The version of the API is not served, or does not know what is asked for.",
    ),
    (408, "The request did not come in time."),
    (414, "The target is too long."),
    (431, "The head is too large."),
    (
        503,
        "Too many connections are open, a limit is reached, the driver's processes are down or quarantined, or the host cannot do its work now; \
         nothing was begun, and it may be repeated later.",
    ),
    (505, "Another version of HTTP."),
];

/// With a body.
pub(in crate::http) const WITH_BODY: [Documented; 1] =
    [(413, "The body is larger than limits.max_body_bytes.")];

/// About something that has to be there.
pub(in crate::http) const NAMED: [Documented; 1] = [(404, "What the path names does not exist.")];

/// A change of a node.
pub(in crate::http) const CHANGE: [Documented; 2] = [
    (
        409,
        "The node is locked by another request, or what is asked for contradicts what is there.",
    ),
    (500, "The host failed; its log says why."),
];

/// A deletion of a node.
pub(in crate::http) const DELETION: [Documented; 1] = [(403, "The node is protected.")];

/// A call of a driver. Its own faults: 400, 404, 500, 502, 504.
pub(in crate::http) const CALL: [Documented; 5] = [
    (
        404,
        "Node or driver do not exist, or the driver does not find on the device what is asked for.",
    ),
    (409, "The node is locked by another call; nothing was begun."),
    (
        500,
        "The driver failed, or its process ended while it was busy with the call.",
    ),
    (502, "The driver does not reach the device."),
    (
        504,
        "The driver, or the device, did not answer in time; `Location` points at the record of the call.",
    ),
];

/// A cancellation of a call.
pub(in crate::http) const CANCELLATION: [Documented; 1] =
    [(409, "The driver is not busy with the call any more.")];

/// What reads the disk.
pub(in crate::http) const READ: [Documented; 1] = [(500, "The host failed; its log says why.")];

/// All of them, with one text for each status.
pub(in crate::http) fn all() -> impl Iterator<Item = Documented> {
    let others = [&NAMED[..], &WITH_BODY, &DELETION, &CHANGE, &CALL[2..]];
    let mut known = Vec::new();
    ALWAYS
        .into_iter()
        .chain(others.into_iter().flatten().copied())
        .filter(move |(status, _)| {
            let new = !known.contains(status);
            known.push(*status);
            new
        })
}

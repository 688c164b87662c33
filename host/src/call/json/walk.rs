//! The syntax and depth of JSON that is as it should be, in one pass over the bytes: most of it is.
//!
//! Eight bytes at a time where texts are long, without recursion and without memory of its own. It says only yes or no;
//! what is wrong and where is found out by [`check`](super::check) in a second look.

/// The deepest nesting that it can follow: one bit for each level.
const DEEPEST: u32 = u128::BITS;

/// Whether `json`, which is UTF-8, is one JSON value whose arrays and objects nest at most `limit` levels, of which it follows 128.
pub(super) fn is_sound(json: &[u8], limit: u32) -> bool {
    walk(json, limit.min(DEEPEST)).is_some()
}

fn walk(json: &[u8], limit: u32) -> Option<()> {
    // What is open, the innermost in the lowest bit: 1 for an object, 0 for an array.
    let mut open: u128 = 0;
    let mut depth = 0;
    let mut at = 0;
    'value: loop {
        let mut byte;
        (at, byte) = visible(json, at)?;
        at += 1;
        match byte {
            b'"' => at = after_text(json, at)?,
            b'{' | b'[' => {
                if depth == limit {
                    return None;
                }
                let (object, first) = (byte == b'{', visible(json, at)?);
                (at, byte) = first;
                if byte != if object { b'}' } else { b']' } {
                    depth += 1;
                    open = open << 1 | u128::from(object);
                    if object {
                        at = after_key(json, at)?;
                    }
                    continue 'value;
                }
                at += 1;
            }
            b'0'..=b'9' => at = after_number(json, at - 1)?,
            b'-' => at = after_number(json, at)?,
            b't' => at = after_word(json, at, b"rue")?,
            b'f' => at = after_word(json, at, b"alse")?,
            b'n' => at = after_word(json, at, b"ull")?,
            _ => return None,
        }
        // Behind a value: everything that ends here is closed.
        while depth > 0 {
            let object = open & 1 == 1;
            (at, byte) = visible(json, at)?;
            match byte {
                b',' if object => {
                    (at, _) = visible(json, at + 1)?;
                    at = after_key(json, at)?;
                    continue 'value;
                }
                b',' => {
                    at += 1;
                    continue 'value;
                }
                b'}' if object => {}
                b']' if !object => {}
                _ => return None,
            }
            at += 1;
            open >>= 1;
            depth -= 1;
        }
        return visible(json, at).is_none().then_some(());
    }
}

/// The first byte from `at` on that is not white space, and where it stands.
#[inline(always)]
fn visible(json: &[u8], mut at: usize) -> Option<(usize, u8)> {
    loop {
        let byte = *json.get(at)?;
        if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
            return Some((at, byte));
        }
        at += 1;
    }
}

/// Behind the key whose quote stands at `at`, and its colon.
#[inline(always)]
fn after_key(json: &[u8], at: usize) -> Option<usize> {
    if *json.get(at)? != b'"' {
        return None;
    }
    let (at, byte) = visible(json, after_text(json, at + 1)?)?;
    (byte == b':').then_some(at + 1)
}

/// Behind the word whose `rest` should stand at `at`.
#[inline(always)]
fn after_word(json: &[u8], at: usize, rest: &[u8]) -> Option<usize> {
    json.get(at..)?.starts_with(rest).then_some(at + rest.len())
}

/// Behind the number whose digits begin at `at`.
#[inline(always)]
fn after_number(json: &[u8], at: usize) -> Option<usize> {
    let mut end = after_digits(json, at)?;
    if json.get(at) == Some(&b'0') && end > at + 1 {
        return None;
    }
    if json.get(end) == Some(&b'.') {
        end = after_digits(json, end + 1)?;
    }
    if let Some(b'e' | b'E') = json.get(end) {
        end += 1;
        if let Some(b'+' | b'-') = json.get(end) {
            end += 1;
        }
        end = after_digits(json, end)?;
    }
    Some(end)
}

/// Behind one digit at least.
#[inline(always)]
fn after_digits(json: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while let Some(b'0'..=b'9') = json.get(end) {
        end += 1;
    }
    (end > at).then_some(end)
}

/// Behind the text whose content begins at `at`, and its quote.
#[inline(always)]
fn after_text(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = end_of_run(json, at)?;
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = after_escape(json, at + 1)?,
            _ => return None,
        }
    }
}

/// Behind the escape whose backslash stands before `at`. Halves of surrogate pairs are left alone.
fn after_escape(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            let digits = json.get(at + 1..at + 5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
        }
        _ => None,
    }
}

/// Where the run of plain characters from `at` on ends; most are short.
#[inline(always)]
fn end_of_run(json: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..4 {
        let Some(chunk) = json.get(at..).and_then(<[u8]>::first_chunk) else {
            return end_nearby(json, at);
        };
        let ends = ends(u64::from_le_bytes(*chunk));
        if ends != 0 {
            return Some(at + (ends.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    end_of_long_run(json, at)
}

/// The highest bit of each of eight bytes that ends a run. A borrow may mark a byte too many, but only above one that is marked
/// rightly, so the lowest mark is right.
#[inline(always)]
fn ends(bytes: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    // Below 0x20 before the subtraction is beyond 0x7f after it; so is 0, which is what an equal byte leaves.
    let control = bytes.wrapping_sub(EACH * 0x20);
    let quote = (bytes ^ (EACH * u64::from(b'"'))).wrapping_sub(EACH);
    let backslash = (bytes ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    (control | quote | backslash) & !bytes & (EACH << 7)
}

/// Blocks without a branch inside become vector instructions.
#[inline(never)]
fn end_of_long_run(json: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = json.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        if block.iter().fold(false, |any, byte| any | ends_run(*byte)) {
            break;
        }
        at += 32;
    }
    end_nearby(json, at)
}

#[inline(never)]
fn end_nearby(json: &[u8], at: usize) -> Option<usize> {
    let rest = json.get(at..)?;
    rest.iter()
        .position(|byte| ends_run(*byte))
        .map(|plain| at + plain)
}

fn ends_run(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests;

//! The arguments of a URL: each is taken once by its name, and what is left over is refused.

use super::error::ApiError;

/// The most items on a page, and how many there are if the client does not say. Ironic's default.
const MAX_LIMIT: usize = 1000;

/// Words that Ironic takes for a boolean, sorted as its message lists them.
const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];
const FALSE: [&str; 6] = ["0", "f", "false", "n", "no", "off"];

/// The decoded arguments of one request, in their order.
#[derive(Debug)]
pub(super) struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// Decodes the part of a URL behind `?`.
    pub(super) fn parse(query: Option<&str>) -> Self {
        Arguments(
            form_urlencoded::parse(query.unwrap_or("").as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The value of an argument; the last one if it is given several times.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        self.0.retain_mut(|(key, value)| {
            let same = key == name;
            if same {
                found = Some(std::mem::take(value));
            }
            !same
        });
        found
    }

    /// A boolean in one of Ironic's spellings.
    ///
    /// # Errors
    /// Ironic's sentence with all spellings.
    pub(super) fn take_bool(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        boolean(name, &value).map(Some)
    }

    /// A comma-separated list. One without items counts as not given.
    pub(super) fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.take(name)?;
        let items: Vec<_> = value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect();
        (!items.is_empty()).then_some(items)
    }

    /// Refuses what nobody has taken.
    ///
    /// # Errors
    /// Ironic's `Unexpected arguments`.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        Err(ApiError::unexpected_arguments(&names))
    }
}

/// How many items a page has: as many as the client asks for, up to the most.
///
/// # Errors
/// Ironic's sentences for what is no number, or not positive.
pub(super) fn limit(given: Option<String>) -> Result<usize, ApiError> {
    let Some(given) = given else { return Ok(MAX_LIMIT) };
    let digits = given.strip_prefix(['-', '+']).unwrap_or(&given);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::bad_request(format!(
            "Expected an integer for limit: {given}"
        )));
    }
    if given.starts_with('-') || digits.bytes().all(|digit| digit == b'0') {
        return Err(ApiError::bad_request("Limit must be positive"));
    }
    // More digits than a number holds are more than the maximum, too.
    Ok(digits
        .parse()
        .map_or(MAX_LIMIT, |limit: usize| limit.min(MAX_LIMIT)))
}

/// A word that stands for a boolean, in one of Ironic's spellings.
///
/// # Errors
/// Ironic's sentence with all spellings.
pub(super) fn boolean(name: &str, value: &str) -> Result<bool, ApiError> {
    let word = value.trim().to_lowercase();
    if TRUE.contains(&word.as_str()) {
        return Ok(true);
    }
    if FALSE.contains(&word.as_str()) {
        return Ok(false);
    }
    let mut words: Vec<_> = TRUE
        .iter()
        .chain(&FALSE)
        .map(|word| format!("'{word}'"))
        .collect();
    words.sort_unstable();
    Err(ApiError::bad_request(format!(
        "Invalid {name}: Unrecognized value '{value}', acceptable values are: {}",
        words.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_is_refused_by_name() {
        let mut arguments = Arguments::parse(Some("a=1&method=x%20y&b=2"));
        assert_eq!(arguments.take("method").as_deref(), Some("x y"));
        assert_eq!(
            arguments.finish().unwrap_err().text(),
            "Unexpected arguments: a, b"
        );
    }

    #[test]
    fn a_list_without_items_is_no_list() {
        for (query, list) in [
            ("", None),
            ("fields=", None),
            ("fields=%20,,", None),
            ("fields=a,%20b,", Some(vec!["a".to_owned(), "b".to_owned()])),
        ] {
            let mut arguments = Arguments::parse(Some(query));
            assert_eq!(arguments.take_list("fields"), list, "{query}");
            arguments.finish().unwrap();
        }
    }

    #[test]
    fn booleans_have_ironic_s_spellings() {
        for (text, value) in [("True", true), ("yes", true), ("0", false), ("OFF", false)] {
            assert_eq!(
                Arguments::parse(Some(&format!("d={text}")))
                    .take_bool("d")
                    .unwrap(),
                Some(value)
            );
        }
        let error = Arguments::parse(Some("detail=maybe"))
            .take_bool("detail")
            .unwrap_err();
        assert_eq!(
            error.text(),
            "Invalid detail: Unrecognized value 'maybe', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', \
             'off', 'on', 't', 'true', 'y', 'yes'"
        );
    }
}

//! The property `redfish_tls_ciphers`: an OpenSSL cipher list, as far as its suites exist here.

use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite as known;
use thiserror::Error;

/// OpenSSL's names of the suites of TLS 1.2 that are spoken here, and the words that select them.
static SUITES: &[(&str, &[&str], SupportedCipherSuite)] = &[
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        &[
            "ECDHE", "ECDSA", "AES", "AES256", "AESGCM", "SHA384", "HIGH", "DEFAULT", "ALL",
        ],
        known::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        &[
            "ECDHE", "ECDSA", "AES", "AES128", "AESGCM", "SHA256", "HIGH", "DEFAULT", "ALL",
        ],
        known::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        &["ECDHE", "ECDSA", "CHACHA20", "HIGH", "DEFAULT", "ALL"],
        known::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        &[
            "ECDHE", "RSA", "AES", "AES256", "AESGCM", "SHA384", "HIGH", "DEFAULT", "ALL",
        ],
        known::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        &[
            "ECDHE", "RSA", "AES", "AES128", "AESGCM", "SHA256", "HIGH", "DEFAULT", "ALL",
        ],
        known::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        &["ECDHE", "RSA", "CHACHA20", "HIGH", "DEFAULT", "ALL"],
        known::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// Suites of TLS 1.2, by their places in the table. The suites of TLS 1.3 are always offered, as with OpenSSL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CipherList(Vec<usize>);

/// What is wrong with a list.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CipherError {
    #[error(
        "nothing that is spoken here fits '{item}'; known: {known}, and what ECDHE, AESGCM, CHACHA20, ECDSA and RSA select"
    )]
    Unknown { item: String, known: String },
    #[error("the list is empty")]
    Empty,
}

impl CipherList {
    /// Reads a list: suites by name, or words joined by `+`; separated by colons; `!` takes suites away for good.
    pub(crate) fn read(list: &str) -> Result<Self, CipherError> {
        let (mut chosen, mut banned) = (Vec::new(), Vec::new());
        for item in list.split([':', ',', ' ']).filter(|item| !item.is_empty()) {
            if let Some(item) = item.strip_prefix('!') {
                // What is not spoken here is not missed: `!aNULL`, `!MD5`.
                banned.extend(selected(item));
                continue;
            }
            let found = selected(item);
            if found.is_empty() {
                return Err(CipherError::Unknown {
                    item: crate::text::excerpt(item, 100),
                    known: SUITES
                        .iter()
                        .map(|(name, ..)| *name)
                        .collect::<Vec<_>>()
                        .join(", "),
                });
            }
            chosen.extend(found);
        }
        chosen.retain(|number| !banned.contains(number));
        chosen.sort_unstable();
        chosen.dedup();
        if chosen.is_empty() {
            return Err(CipherError::Empty);
        }
        Ok(CipherList(chosen))
    }

    pub(super) fn allows(&self, suite: &SupportedCipherSuite) -> bool {
        let listed = SUITES.iter().position(|(_, _, known)| known == suite);
        listed.is_none_or(|number| self.0.contains(&number))
    }
}

fn selected(item: &str) -> Vec<usize> {
    let fits = |name: &str, words: &[&str]| {
        name.eq_ignore_ascii_case(item)
            || item
                .split('+')
                .all(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
    };
    let numbered = SUITES.iter().enumerate();
    numbered
        .filter(|(_, (name, words, _))| fits(name, words))
        .map(|(number, _)| number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let CipherList(numbers) = CipherList::read(list).unwrap();
        numbers.into_iter().map(|number| SUITES[number].0).collect()
    }

    #[test]
    fn a_list_names_suites_or_selects_them_by_words() {
        assert_eq!(
            names("ECDHE-RSA-AES128-GCM-SHA256"),
            ["ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert_eq!(names("ECDHE+AESGCM").len(), 4);
        assert_eq!(
            names("ECDHE+CHACHA20:!ECDSA:!aNULL"),
            ["ECDHE-RSA-CHACHA20-POLY1305"]
        );
        assert_eq!(names("ALL").len(), SUITES.len());
    }

    #[test]
    fn the_suites_of_tls_13_are_offered_with_every_list() {
        let list = CipherList::read("ECDHE+AESGCM").unwrap();
        assert!(list.allows(&known::TLS13_AES_256_GCM_SHA384));
        assert!(!list.allows(&known::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256));
    }

    #[test]
    fn a_list_of_what_is_not_spoken_is_refused_with_what_is() {
        let text = CipherList::read("ECDHE+AESGCM:DES-CBC3-SHA")
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("'DES-CBC3-SHA'") && text.contains("ECDHE-RSA-AES256-GCM-SHA384"),
            "{text}"
        );
        assert_eq!(CipherList::read(" : ").unwrap_err(), CipherError::Empty);
        assert_eq!(CipherList::read("ECDSA:!ECDSA").unwrap_err(), CipherError::Empty);
    }
}

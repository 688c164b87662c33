//! One place in a manifest: its path, for people, and its value.

use std::borrow::Cow;

use serde_json::Number;

use super::super::ManifestError;
use super::tree::Tree;
use crate::plugin::printable;

/// What an error quotes of a value.
const QUOTED_CHARS: usize = 60;
/// What it quotes of the way to one.
const PLACE_CHARS: usize = 240;

/// A value that may be absent, and where it is.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    at: Place<'a>,
    value: Option<&'a Tree<'a>>,
}

/// The way to a value. It becomes a text only when something is wrong there.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

type Read<T> = Result<T, ManifestError>;

impl<'a> Entry<'a> {
    pub(super) fn root(value: &'a Tree<'a>) -> Self {
        Entry {
            at: Place::Root,
            value: Some(value),
        }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Entry<'a> {
        let members = match self.value {
            Some(Tree::Object(members)) => members.as_slice(),
            _ => &[],
        };
        let member = members.iter().rev().find(|(known, _)| known == key);
        self.member(key, member.map(|(_, value)| value))
    }

    fn member(&'a self, key: &'a str, value: Option<&'a Tree<'a>>) -> Entry<'a> {
        Entry {
            at: Place::Key(&self.at, key),
            value: value.filter(|value| !matches!(value, Tree::Null)),
        }
    }

    /// The keys of an object and what they hold, in the author's order; none when it is absent.
    pub(super) fn members(&'a self) -> Read<impl Iterator<Item = (&'a str, Entry<'a>)>> {
        let members: &[(Cow<'_, str>, Tree<'_>)] = match self.value {
            None => &[],
            Some(Tree::Object(members)) => members,
            Some(_) => return Err(self.wrong("an object")),
        };
        Ok(members
            .iter()
            .map(|(key, value)| (&**key, self.member(key, Some(value)))))
    }

    /// The elements of an array; none when it is absent.
    pub(super) fn items(&'a self) -> Read<impl Iterator<Item = Entry<'a>>> {
        let items: &[Tree<'_>] = match self.value {
            None => &[],
            Some(Tree::Array(items)) => items,
            Some(_) => return Err(self.wrong("an array")),
        };
        Ok(items.iter().enumerate().map(|(i, value)| Entry {
            at: Place::Item(&self.at, i),
            value: Some(value),
        }))
    }

    pub(super) fn value(&self) -> Option<&'a Tree<'a>> {
        self.value
    }

    /// Refuses what is no object, also what is absent.
    pub(super) fn object(&self) -> Read<()> {
        match self.value {
            Some(Tree::Object(_)) => Ok(()),
            _ => Err(self.wrong("an object")),
        }
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        match self.value {
            Some(Tree::String(text)) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    pub(super) fn number(&self) -> Read<u64> {
        match self.value {
            Some(Tree::Number(number)) => number.as_u64(),
            _ => None,
        }
        .ok_or_else(|| self.wrong("a whole number"))
    }

    pub(super) fn any_number(&self) -> Read<Number> {
        match self.value {
            Some(Tree::Number(number)) => Ok(number.clone()),
            _ => Err(self.wrong("a number")),
        }
    }

    pub(super) fn flag_or(&self, default: bool) -> Read<bool> {
        match self.value {
            None => Ok(default),
            Some(Tree::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong("true or false")),
        }
    }

    pub(super) fn text_or(&self, default: &'a str) -> Read<&'a str> {
        if self.value.is_none() {
            Ok(default)
        } else {
            self.text()
        }
    }

    pub(super) fn optional<T>(&self, read: impl FnOnce(&Self) -> Read<T>) -> Read<Option<T>> {
        if self.value.is_none() {
            Ok(None)
        } else {
            read(self).map(Some)
        }
    }

    pub(super) fn wrong(&self, expected: &str) -> ManifestError {
        let at = match self.at {
            Place::Root => "its top level".to_owned(),
            at => shortened(&at.text(), PLACE_CHARS),
        };
        broken(at, expected, self.quoted())
    }

    /// Something wrong deeper inside, where only the one who looked knows the place; `pointer` is a JSON pointer.
    pub(super) fn inside(&self, pointer: &str, expected: &str, found: &str) -> ManifestError {
        broken(
            shortened(&format!("{}{pointer}", self.at.text()), PLACE_CHARS),
            expected,
            shortened(found, QUOTED_CHARS),
        )
    }

    pub(super) fn newer(&self, known: &str) -> ManifestError {
        ManifestError::NeedsNewerHost {
            at: shortened(&self.at.text(), PLACE_CHARS),
            found: self.quoted(),
            known: known.to_owned(),
        }
    }

    fn quoted(&self) -> String {
        let Some(value) = self.value else {
            return "nothing".to_owned();
        };
        shortened(&value.to_value().to_string(), QUOTED_CHARS)
    }
}

impl Place<'_> {
    fn text(self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Key(Place::Root, key) => key.to_owned(),
            Place::Key(before, key) => format!("{}.{key}", before.text()),
            Place::Item(before, i) => format!("{}[{i}]", before.text()),
        }
    }
}

/// A foreign text on one line of at most `most` characters.
fn shortened(text: &str, most: usize) -> String {
    let mut text = printable(text);
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

pub(super) fn broken(at: String, expected: &str, found: String) -> ManifestError {
    ManifestError::BrokenManifest {
        at,
        expected: expected.to_owned(),
        found,
    }
}

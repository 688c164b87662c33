//! What the table of families says of one, and what that means for one outlet.

use serde::Serialize;

use crate::families::FAMILIES;
use crate::oid::ObjectId;

/// One family of PDUs: all that differs between them.
#[derive(Debug)]
pub(crate) struct Family {
    /// What `snmp_driver` says; the first is the one that is shown.
    pub(crate) names: &'static [&'static str],
    /// The object that says what an outlet does; `{outlet}` stands for the outlet's index.
    pub(crate) state: &'static str,
    /// What its values mean. Any other means that something is wrong with the outlet.
    pub(crate) states: &'static [(i64, State)],
    pub(crate) on: Command,
    pub(crate) off: Command,
    /// Off, and on again after a time that the PDU knows. Not every family has it.
    pub(crate) reboot: Option<Command>,
    pub(crate) index: Index,
}

/// An object, as in [`Family::state`], and the INTEGER that is written into it.
#[derive(Debug)]
pub(crate) struct Command(pub(crate) &'static str, pub(crate) i64);

/// How an outlet's number becomes the index of its row.
#[derive(Debug)]
pub(crate) enum Index {
    /// The number is the index.
    Outlet,
    /// These numbers come first.
    Behind(&'static str),
}

/// What an outlet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    On,
    Off,
    /// On its way to on or off, or rebooting.
    Changing,
    /// The PDU says something else, such as a blown fuse.
    Error,
}

impl Family {
    /// The family of a `snmp_driver`.
    pub(crate) fn named(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.names.contains(&name))
    }

    /// Every name of every family.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().flat_map(|family| family.names).copied()
    }

    /// What a value of the state's object means.
    pub(crate) fn meaning(&self, value: i64) -> State {
        let known = self.states.iter().find(|(number, _)| *number == value);
        known.map_or(State::Error, |(_, state)| *state)
    }
}

/// An outlet of a PDU, as `snmp_outlet` names it: a number, or the whole index of its row, such as `2.1.8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outlet {
    /// As it was given.
    pub(crate) name: String,
    index: String,
}

impl Outlet {
    /// The outlet of this name on a PDU of this family.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn new(name: &str, family: &Family) -> Result<Self, &'static str> {
        const EXPECTED: &str = "a number from 1 on, or up to four numbers with dots between them";
        let parts: Vec<u32> = name
            .split('.')
            .map(|part| number(part).ok_or(EXPECTED))
            .collect::<Result<_, _>>()?;
        let index = match (parts.as_slice(), &family.index) {
            ([0], _) | ([_, _, _, _, _, ..], _) => return Err(EXPECTED),
            ([_], Index::Behind(first)) => format!("{first}.{name}"),
            _ => name.to_owned(),
        };
        Ok(Outlet {
            name: name.to_owned(),
            index,
        })
    }

    /// The outlet's own object.
    pub(crate) fn object(&self, template: &str) -> Result<ObjectId, crate::oid::NotAnObjectId> {
        template.replace("{outlet}", &self.index).parse()
    }
}

/// Digits and nothing else: `+1` and `01` would be other outlets to other readers.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_object(family: &Family) -> Vec<&'static str> {
        let mut objects = vec![family.state, family.on.0, family.off.0];
        objects.extend(family.reboot.as_ref().map(|command| command.0));
        objects
    }

    #[test]
    fn every_object_of_the_table_is_one_below_enterprises_with_a_place_for_the_outlet() {
        for family in FAMILIES {
            let outlet = Outlet::new("3", family).unwrap();
            for template in every_object(family) {
                let object = outlet.object(template).unwrap().to_string();
                assert!(object.starts_with("1.3.6.1.4.1."), "{object}");
                assert_eq!(template.matches("{outlet}").count(), 1, "{template}");
            }
        }
    }

    #[test]
    fn every_family_knows_on_and_off_and_every_name_is_one_family_s() {
        for family in FAMILIES {
            for state in [State::On, State::Off] {
                let times = family.states.iter().filter(|(_, known)| *known == state).count();
                assert!(times >= 1, "{:?} {state:?}", family.names);
            }
            for (at, (value, _)) in family.states.iter().enumerate() {
                let earlier = &family.states[..at];
                assert!(
                    !earlier.iter().any(|(known, _)| known == value),
                    "{:?} {value}",
                    family.names
                );
            }
            assert_ne!(
                (family.on.0, family.on.1),
                (family.off.0, family.off.1),
                "{:?}",
                family.names
            );
        }
        let mut names: Vec<_> = Family::names().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    /// Where one object is read and written, what is written is what is read afterwards.
    #[test]
    fn what_is_written_into_the_state_s_own_object_means_what_was_asked() {
        for family in FAMILIES {
            for (command, state) in [(&family.on, State::On), (&family.off, State::Off)] {
                if command.0 == family.state {
                    assert_eq!(family.meaning(command.1), state, "{:?}", family.names);
                }
            }
        }
    }

    #[test]
    fn a_number_gets_the_family_s_first_numbers_and_a_whole_index_stays_as_it_is() {
        let eaton = Family::named("eatonpower").unwrap();
        let object = |name: &str| {
            Outlet::new(name, eaton)
                .unwrap()
                .object(eaton.state)
                .unwrap()
                .to_string()
        };
        assert_eq!(object("3"), "1.3.6.1.4.1.534.6.6.7.6.6.1.2.0.3");
        assert_eq!(object("2.3"), "1.3.6.1.4.1.534.6.6.7.6.6.1.2.2.3");
        let apc = Family::named("apc").unwrap();
        let outlet = Outlet::new("24", apc).unwrap();
        assert_eq!(
            outlet.object(apc.on.0).unwrap().to_string(),
            "1.3.6.1.4.1.318.1.1.4.4.2.1.3.24"
        );
    }

    #[test]
    fn what_is_no_outlet_is_refused() {
        let apc = Family::named("apc_masterswitch").unwrap();
        for name in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            "1.",
            ".1",
            "1..2",
            "x",
            "1 ",
            "1.2.3.4.5",
            "4294967296",
            "1e3",
        ] {
            assert!(Outlet::new(name, apc).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_unknown_value_is_an_error_of_the_outlet() {
        let apc = Family::named("apc").unwrap();
        assert_eq!(apc.meaning(4), State::Error);
        assert_eq!(apc.meaning(3), State::Changing);
    }
}

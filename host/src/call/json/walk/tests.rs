//! The walk takes exactly what serde_json takes, no deeper than the limit.

use super::is_sound;
use crate::call::json::second_look;

/// Compares both; the answer is theirs.
fn taken(text: &str, limit: u32) -> bool {
    let walked = is_sound(text.as_bytes(), limit);
    let looked = second_look(text, limit);
    assert_eq!(walked, looked.is_ok(), "{text:?}, limit {limit}: {looked:?}");
    walked
}

/// Every text of up to `length` of the letters.
fn compare_all(letters: &[char], length: usize) {
    let (mut texts, mut taken_texts) = (vec![String::new()], 0);
    for _ in 0..length {
        texts = texts
            .iter()
            .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
            .collect();
        taken_texts += texts.iter().filter(|text| taken(text, 2)).count();
    }
    assert!(taken_texts > 30, "{taken_texts}");
}

#[test]
fn every_short_text_of_brackets_is_taken_or_refused_by_both() {
    compare_all(&['[', ']', '{', '}', ',', ':', '"', '1', ' '], 5);
}

#[test]
fn every_short_text_of_a_number_or_an_escape_is_taken_or_refused_by_both() {
    compare_all(&['-', '+', '0', '9', '.', 'e', 'E', ' '], 5);
    let escapes = [
        '\\', 'u', '"', '/', 'n', 'x', 'a', 'F', '0', '\n', '\u{1f}', '\u{7f}', 'é',
    ];
    for first in escapes {
        for second in escapes {
            for third in escapes {
                taken(&format!("\"{first}{second}{third}\""), 1);
                taken(&format!("\"\\{first}{second}{third}012\""), 1);
                taken(&format!("\"\\u{first}{second}0{third}\""), 1);
                taken(&format!("\"\\u{first}{second}0{third}"), 1);
            }
        }
    }
}

#[test]
fn a_text_ends_where_it_ends_however_long_and_wherever_it_stands() {
    for before in 0..9 {
        for plain in 0..90 {
            for end in [
                "\"", "\\\"\"", "\\", "\n\"", "\0\"", "\u{7f}\"", "\u{80}\"", "€\"", "\u{1f}\"", " \"",
                "!\"", "#\"", "[\"", "]\"", "",
            ] {
                let body = format!("{}{end}", "é".repeat(plain % 2) + &"p".repeat(plain));
                taken(&format!("{}\"{body}", " ".repeat(before)), 1);
                taken(&format!("{{\"{body}:[\"{body}]}}   \n"), 2);
            }
        }
    }
}

#[test]
fn white_space_is_the_four_of_json() {
    for space in (0..=0xff).filter_map(char::from_u32) {
        for text in [
            "_1",
            "1_",
            "[_]",
            "[1_,1]",
            "[1,_1]",
            "{_}",
            "{\"a\"_:1}",
            "{\"a\":_1}",
            "{\"a\":1,_\"b\":1}",
            "tr_ue",
            "1_2",
        ] {
            taken(&text.replace('_', &space.to_string()), 2);
        }
    }
}

const DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    " true ",
    "false",
    "-0.0e+10",
    "\"\"",
    r#"{"sensor":"temp-001","value":20.5,"unit":"Cel","fine":true}"#,
    r#"[{"a":[1,-2.5,3E7,[]]},{"b":{"c":{},"d":null}},"e\u00e9\n\"",[[],[{}]]]"#,
    "{\n  \"name\": \"rack é 7 € and a text that is longer than the blocks\",\n\t\"list\": [ 0 , 10.01e-9 , false ]\r\n}",
    r#"["\\","\"","\/\b\f\n\r\t\uD800","0123456789012345678901234567890123456789012345678901234567890123456789\\"]"#,
    r#"{"":{"":{"":[[[["deep"]]]]}},"x":[true,false,null,0,-1]}"#,
];

const PIECES: &[&str] = &[
    "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u", " ", "\n", "0", "-", ".", "e", "+", "1", "true", "null",
    "\"a\":", "é", "\u{1}", "[]", "{}", "\u{feff}",
];

/// Repeatable numbers: Steele and Vigna's splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// One letter gone, doubled or replaced; a piece put in; the end cut off; a part taken to another place.
fn changed(text: &str, dice: &mut Dice) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = dice.below(letters.len() + 1);
    let (before, after) = letters.split_at(at);
    let piece = PIECES[dice.below(PIECES.len())].chars();
    let skipped = after.iter().skip(1);
    match dice.below(6) {
        0 => before.iter().chain(skipped).collect(),
        1 => before.iter().chain(after.first()).chain(after).collect(),
        2 => before
            .iter()
            .copied()
            .chain(piece)
            .chain(skipped.copied())
            .collect(),
        3 => before
            .iter()
            .copied()
            .chain(piece)
            .chain(after.iter().copied())
            .collect(),
        4 => before.iter().collect(),
        _ => after.iter().chain(before).collect(),
    }
}

#[test]
fn documents_that_were_damaged_a_little_are_taken_or_refused_by_both() {
    let (mut dice, mut numbers) = (Dice(2019), [0, 0]);
    for document in DOCUMENTS {
        assert!(taken(document, 8), "{document}");
        for _ in 0..3_000 {
            let mut text = (*document).to_owned();
            for _ in 0..=dice.below(3) {
                text = changed(&text, &mut dice);
            }
            let limit = [1, 2, 3, 8][dice.below(4)];
            numbers[usize::from(taken(&text, limit))] += 1;
        }
    }
    assert!(numbers.iter().all(|number| *number > 1_000), "{numbers:?}");
}

#[test]
fn all_levels_that_it_can_follow_keep_their_kind() {
    let mut dice = Dice(1);
    for _ in 0..200 {
        let kinds: Vec<bool> = (0..128).map(|_| dice.below(2) == 0).collect();
        let opened: String = kinds
            .iter()
            .map(|object| if *object { "{\"k\":" } else { "[" })
            .collect();
        let closed: Vec<char> = kinds
            .iter()
            .rev()
            .map(|object| if *object { '}' } else { ']' })
            .collect();
        let text = |closed: &[char]| format!("{opened}1{}", closed.iter().collect::<String>());
        assert!(taken(&text(&closed), 128));
        assert!(!taken(&text(&closed), 127));
        let wrong = dice.below(closed.len());
        let mut other = closed.clone();
        other[wrong] = if closed[wrong] == ']' { '}' } else { ']' };
        assert!(!taken(&text(&other), 128));
    }
}

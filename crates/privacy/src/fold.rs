//! One spelling for words: small letters without accents.

/// The word in small letters of ASCII where its letters have such a base; others stay as they are.
pub(crate) fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            'A'..='Z' => folded.push(letter.to_ascii_lowercase()),
            'a'..='z' | '0'..='9' => folded.push(letter),
            letter if is_ignorable(letter) => {}
            letter => fold_letter(letter, &mut folded),
        }
    }
    folded
}

fn fold_letter(letter: char, folded: &mut String) {
    for small in letter.to_lowercase() {
        match small {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'æ' => folded.push_str("ae"),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' | 'ī' | 'ı' => folded.push('i'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => folded.push('o'),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            other if is_ignorable(other) => {}
            other => folded.push(other),
        }
    }
}

/// What has no width, or is an accent of its own: it changes no word, and hides none.
pub(crate) fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0e}'
            | '\u{fe0f}' | '\u{feff}' | '\u{20e3}'
    )
}

/// The digit that a letter is in any script that numbers are dictated in.
pub(crate) fn digit(letter: char) -> Option<u8> {
    const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];
    ZEROS.iter().find_map(|zero| {
        let above = u32::from(letter).checked_sub(u32::from(*zero))?;
        (above < 10).then_some(above as u8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_width_do_not_count() {
        assert_eq!(fold("Dreißig"), "dreissig");
        assert_eq!(fold("ZÉRO"), "zero");
        assert_eq!(fold("ze\u{301}ro"), "zero");
        assert_eq!(fold("pass\u{200b}word"), "password");
        assert_eq!(fold("İ"), "i");
        assert_eq!(fold("\u{65e5}"), "\u{65e5}");
    }

    #[test]
    fn digits_of_other_scripts_are_digits() {
        assert_eq!(digit('7'), Some(7));
        assert_eq!(digit('\u{ff14}'), Some(4));
        assert_eq!(digit('\u{0664}'), Some(4));
        assert_eq!(digit('x'), None);
        assert_eq!(digit('\u{b2}'), None);
    }
}

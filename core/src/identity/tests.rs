use super::*;

/// The categories are those that Python's `unicodedata` gives.
#[test]
fn tags_hold_letters_numbers_separators_and_a_few_signs() {
    for character in [
        'a', 'Z', '0', ' ', '_', '.', ':', '/', '=', '+', '-', '@', // ASCII
        '\u{e9}', '\u{416}', '\u{4e2d}', '\u{aa}', '\u{2b0}', // Ll, Lu, Lo, Lo, Lm
        '\u{663}', '\u{2167}', '\u{bd}', '\u{b2}', // Nd, Nl, No, No
        '\u{a0}', '\u{2028}', // Zs, Zl
    ] {
        assert!(is_taggable(character), "{character:?}");
    }
    for character in [
        ',',
        '(',
        '"',
        '#',
        '*',
        '\\',
        '\'',
        '&',
        ';',
        '~',
        '\n',
        '\t',
        '\0',
        '\u{7f}', // ASCII
        '\u{301}',
        '\u{93e}',
        '\u{24b6}', // Mn, Mc and So, which `char::is_alphabetic` takes
        '\u{20ac}',
        '\u{d7}',
        '\u{200b}',
        '\u{85}',
        '\u{1f600}', // Sc, Sm, Cf, Cc, So
    ] {
        assert!(!is_taggable(character), "{character:?}");
    }
}

#[test]
fn session_names_follow_stss_pattern() {
    for name in ["ab", "a_b+c=d,e.f@g-h", "0123", &"x".repeat(64)] {
        assert!(is_session_name(name), "{name}");
    }
    for name in ["", "a", "a b", "a/b", "\u{e9}\u{e9}", &"x".repeat(65)] {
        assert!(!is_session_name(name), "{name}");
    }
}

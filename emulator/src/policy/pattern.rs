//! Comparing text with wildcards, in bounded time.

/// What one decision may spend on comparing, in character steps.
///
/// A policy of 4,096 characters against the 50 tags of 256 characters that STS takes needs, when every
/// pattern backtracks as far as it can, about 4,096 × 12,800 steps at worst and some thousands
/// in practice. The bound is far above the second and keeps a decision within tens of milliseconds.
const MAX_STEPS: u32 = 8_000_000;

/// Counts the steps of one decision.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_STEPS)
    }
}

impl Budget {
    /// Takes `steps`; `false` when there are none left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.0 = self.0.saturating_sub(steps);
        self.0 > 0
    }

    /// Whether nothing is left, so that no comparison since then can be believed.
    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// One place of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `*`: any characters, or none.
    Any,
    /// This very character.
    Char(char),
    /// `?`: one character.
    One,
}

/// Whether the whole text fits the whole pattern.
///
/// Backtracks to the last `*` only, which is enough for such patterns: time is at most the product of
/// the two lengths, never exponential.
pub(super) fn matches(pattern: &[Token], text: &str, budget: &mut Budget) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to resume: after the last `*`, with it taking one character more.
    let mut resume: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(at_text) {
        if !budget.spend(1) {
            return false;
        }
        match pattern.get(at_pattern) {
            Some(Token::Any) => {
                at_pattern += 1;
                resume = Some((at_pattern, at_text));
                continue;
            }
            Some(Token::One) => {}
            Some(&Token::Char(expected)) if expected == c => {}
            _ => match resume {
                Some((after_star, taken)) => {
                    at_pattern = after_star;
                    at_text = taken + 1;
                    resume = Some((after_star, at_text));
                    continue;
                }
                None => return false,
            },
        }
        at_pattern += 1;
        at_text += 1;
    }
    pattern
        .iter()
        .skip(at_pattern)
        .all(|token| *token == Token::Any)
}

/// Whether the texts are the same but for case, character by character and without normalisation:
/// `ß` is not `ss`, and a Cyrillic `а` is not a Latin one.
pub(super) fn equals_ignoring_case(
    a: impl Iterator<Item = char>,
    b: impl Iterator<Item = char>,
) -> bool {
    a.map(fold).eq(b.map(fold))
}

/// Upper case, then lower: the way in which Java's `equalsIgnoreCase` compares characters. Mappings
/// to several characters are left out, as they are there.
fn fold(c: char) -> char {
    let upper = single(c, c.to_uppercase());
    single(upper, upper.to_lowercase())
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

//! A JSON text set out in lines, for a person to edit: white space between its parts is all that changes, so numbers,
//! escapes and doubled keys stay as they were sent.

/// Beyond this depth nothing is indented any more.
const DEEPEST: usize = 64;

/// `text`, one part a line.
pub(super) fn in_lines(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() * 2);
    let (mut at, mut depth) = (0, 0_usize);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        (0..depth.min(DEEPEST)).for_each(|_| out.push_str("  "));
    };
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' => string_end(bytes, at),
            b'{' | b'[' | b'}' | b']' | b',' | b':' => at + 1,
            _ => {
                let other = |b: &u8| !b" \t\n\r{}[],:\"".contains(b);
                at + bytes[at..].iter().take_while(|b| other(b)).count()
            }
        };
        match byte {
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    line(&mut out, depth);
                }
            }
            _ => {}
        }
        out.push_str(&text[at..end]);
        match byte {
            b'{' | b'[' => {
                depth += 1;
                let rest = bytes[end..].iter().find(|b| !b.is_ascii_whitespace());
                if !matches!(rest, Some(b'}' | b']')) {
                    line(&mut out, depth);
                }
            }
            b',' => line(&mut out, depth),
            b':' => out.push(' '),
            _ => {}
        }
        at = end;
    }
    out
}

/// One past the closing quote of the string that begins at `at`, or the end of the text.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_stand_in_lines_and_are_what_they_were() {
        let text = r#"{"a" :1.00,"b":[ ],"c":[1,{"d":"x, \" {"}],"a":"\ud83d"}"#;
        let lines = "{\n  \"a\": 1.00,\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": \"x, \\\" {\"\n    }\n  ],\n  \"a\": \"\\ud83d\"\n}";
        assert_eq!(in_lines(text), lines);
        assert_eq!(in_lines(lines), lines);
    }

    proptest! {
        #[test]
        fn any_text_can_be_set_out(text in ".*") {
            let kept = |text: &str| text.split_ascii_whitespace().collect::<String>();
            prop_assert_eq!(kept(&in_lines(&text)), kept(&text));
        }
    }
}

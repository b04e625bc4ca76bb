//! As much of Rust as the rules need: code and comments told apart, tokens, functions, module declarations.

/// A file's text with only the code or only the comments left; everything else is blank, so that places stay the same.
pub(super) struct Split {
    /// Without comments and the insides of strings and characters.
    pub(super) code: String,
    /// Comments alone.
    pub(super) comments: String,
}

/// Tells code and comments apart.
pub(super) fn split(text: &str) -> Split {
    let bytes = text.as_bytes();
    let blank = |byte: &u8| if *byte == b'\n' { b'\n' } else { b' ' };
    let mut code: Vec<u8> = bytes.iter().map(blank).collect();
    let mut comments = code.clone();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, comment) = if rest.starts_with(b"//") {
            (rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with(b"/*") {
            (block_comment(rest), true)
        } else {
            (literal(rest), false)
        };
        if comment {
            comments[at..at + length].copy_from_slice(&rest[..length]);
            at += length;
        } else if length > 0 {
            at += length;
        } else {
            let word = word(rest).max(1);
            code[at..at + word].copy_from_slice(&rest[..word]);
            at += word;
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Split { code: text(code), comments: text(comments) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Bytes of the identifier or number that begins here.
fn word(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| is_word(**byte)).count()
}

/// Bytes of the (nested) block comment that begins here.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Bytes of the string or character literal that begins here, prefix and quotes included; 0 if none does.
fn literal(rest: &[u8]) -> usize {
    let prefix = match word(rest) {
        0 => 0,
        length if matches!(&rest[..length], b"r" | b"br" | b"cr") => return raw_string(rest, length),
        length if matches!(&rest[..length], b"b" | b"c") => length,
        _ => return 0,
    };
    match rest.get(prefix) {
        Some(b'"') => prefix + quoted(&rest[prefix..], b'"'),
        Some(b'\'') if rest.get(prefix + 1) == Some(&b'\\') => prefix + quoted(&rest[prefix..], b'\''),
        Some(b'\'') => {
            // A character is closed after one scalar value; a lifetime is not closed at all.
            let inner = &rest[prefix + 1..];
            let width = 1 + inner.iter().skip(1).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
            if inner.get(width) == Some(&b'\'') { prefix + width + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// Bytes up to the closing quote that no backslash escapes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Bytes of a raw string whose prefix has `prefix` bytes; 0 if it is a word (or `r#word`) after all.
fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let start = prefix + hashes + 1;
    let inner = rest[start..].windows(end.len()).position(|window| window == end);
    inner.map_or(rest.len(), |length| start + length + end.len())
}

/// A word, `::`, or one other character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// As written.
    pub(super) text: &'a str,
    /// Byte offset.
    pub(super) at: usize,
}

/// The tokens of code as [`split`] leaves it.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let (bytes, mut at, mut tokens) = (code.as_bytes(), 0, Vec::new());
    while at < bytes.len() {
        let length = match word(&bytes[at..]) {
            0 if bytes[at..].starts_with(b"::") => 2,
            0 => 1,
            length => length,
        };
        if !bytes[at].is_ascii_whitespace() {
            tokens.push(Token { text: &code[at..at + length], at });
        }
        at += length;
    }
    tokens
}

/// The line of a byte offset, from 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The tokens without the items under `#[cfg(test)]`.
pub(super) fn production<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at += item(&tokens[at..]);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

fn is_test_attribute(tokens: &[Token<'_>]) -> bool {
    let starts = tokens.iter().zip(["#", "[", "cfg", "("]).filter(|(token, text)| token.text == *text).count() == 4;
    let words = || tokens.iter().take_while(|token| token.text != "]");
    starts && words().any(|token| token.text == "test") && !words().any(|token| token.text == "not")
}

/// How many tokens the item that begins here has, attributes included.
fn item(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" if depth <= 1 => return index + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// Where `fn` stands.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(super) lines: usize,
}

/// The functions of code as [`split`] leaves it, those in others included.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let tokens = tokens(code);
    let mut functions = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        if keyword.text == "fn" && name.text.bytes().all(is_word) {
            let length = item(&tokens[index..]);
            let end = tokens[index + length - 1];
            if end.text == "}" {
                let (first, last) = (line(code, keyword.at), line(code, end.at));
                functions.push(Function { name: name.text.to_owned(), line: first, lines: last - first + 1 });
            }
        }
    }
    functions
}

/// `mod name;` in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    /// The module's name.
    pub(super) name: String,
    /// What `#[path = "…"]` says.
    pub(super) path: Option<String>,
    /// Only compiled for tests.
    pub(super) test: bool,
}

/// The modules a file declares and keeps in files of their own.
pub(super) fn declarations(text: &str) -> Vec<Declaration> {
    let code = split(text).code;
    let all = tokens(&code);
    let kept = production(&all);
    let mut found = Vec::new();
    for (index, three) in all.windows(3).enumerate() {
        let [keyword, name, end] = three else { continue };
        if keyword.text != "mod" || end.text != ";" {
            continue;
        }
        let start = all[..index].iter().rposition(|token| matches!(token.text, ";" | "{" | "}")).map_or(0, |at| at + 1);
        let path = all[start..index].windows(2).find(|two| two[0].text == "path" && two[1].text == "=");
        let path = path.and_then(|two| text[two[1].at..].split('"').nth(1)).map(str::to_owned);
        found.push(Declaration { name: name.text.to_owned(), path, test: !kept.contains(name) });
    }
    found
}

#[test]
fn strings_and_comments_are_no_code() {
    let text = "let a = \"fn // x\"; /* b /* c */ d */ e('\"', '\\'', b'x', r#\"f\"g\"#, 'é'); // h\nfn i<'j>(r#k: &'j str) {}";
    let split = split(text);
    let words: Vec<&str> =
        tokens(&split.code).iter().map(|token| token.text).filter(|text| word(text.as_bytes()) > 0).collect();
    assert_eq!(words, ["let", "a", "e", "fn", "i", "j", "r", "k", "j", "str"]);
    assert_eq!(split.comments.split_whitespace().collect::<Vec<_>>().join(" "), "/* b /* c */ d */ // h");
    assert_eq!((split.code.len(), split.comments.len()), (text.len(), text.len()));
}

#[test]
fn functions_are_measured_by_their_lines() {
    let text = "trait A { fn none(x: [u8; 2]); }\nfn a(x: [u8; 2])\nwhere\n{\n  if x { \"}\" }\n}\nfn b() {}\nlet c: fn(u8) = b;";
    let found: Vec<(String, usize, usize)> =
        functions(&split(text).code).into_iter().map(|found| (found.name, found.line, found.lines)).collect();
    assert_eq!(found, [("a".to_owned(), 2, 5), ("b".to_owned(), 7, 1)]);
}

#[test]
fn declarations_know_their_files_and_tests() {
    let text = "mod a;\n#[cfg(test)]\nmod b;\n#[path = \"x/y.rs\"]\npub(crate) mod c;\nmod d { fn e() {} }\n#[cfg(not(test))]\nmod f;";
    let found: Vec<(String, Option<String>, bool)> =
        declarations(text).into_iter().map(|found| (found.name, found.path, found.test)).collect();
    let plain = |name: &str, test| (name.to_owned(), None, test);
    let with_path = ("c".to_owned(), Some("x/y.rs".to_owned()), false);
    assert_eq!(found, [plain("a", false), plain("b", true), with_path, plain("f", false)]);
}

#[test]
fn items_for_tests_are_left_out() {
    let code = "use a::b;\n#[cfg(test)]\nmod tests { use c::d; fn e() { {} } }\n#[cfg(test)]\nuse f::g;\nfn h() {}";
    let words: Vec<&str> = production(&tokens(code)).iter().map(|token| token.text).collect();
    assert_eq!(words.join(" "), "use a :: b ; fn h ( ) { }");
}

//! Secrets come from variables and files made for the merchant, and are never repeated.

use super::{MERCHANT, SECRET, complaint, read, says, source_with};

#[test]
fn secrets_come_from_somewhere_and_are_never_repeated() {
    let unset = source_with("secrets = [\n  \"env:PERKGATE_SECRET_K_NOPE\",\n]");
    says(
        &unset,
        "12: an entry in `secrets` of [[sources]]: the environment variable PERKGATE_SECRET_K_NOPE is not set",
        "try again",
    );
    says(
        &source_with("secrets = [\"env:PERKGATE_SECRET_K_EMPTY\"]"),
        "11: an entry in `secrets`",
        "PERKGATE_SECRET_K_EMPTY is empty; set it and try again",
    );
    says(&source_with("secrets = [\"env:\"]"), "11: an entry in `secrets`", "write \"env:NAME\"");
    says(&source_with("secrets = [\"\"]"), "11: an entry in `secrets` of [[sources]] is empty", "from the environment");
    says(
        &source_with("secrets = []"),
        "8: `secrets` of [[sources]] is empty",
        "[\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"]",
    );
    says(
        &source_with(""),
        "8: [[sources]] lacks `secrets`",
        "add `secrets = [\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"]`",
    );
    says(&source_with("secrets = \"hush\""), "11: `secrets` of [[sources]] must be a list of texts", "and is text");
    for wrong in
        ["url = \"hush.example\"", "api = { token = \"hush\", base = \"ftp://hush@x\" }", "api = { token = 1 }"]
    {
        let said = complaint(&source_with(&format!("secrets = [\"hush\"]\n{wrong}")));
        assert!(said.starts_with("kavarna.toml:12:") && !said.contains("hush"), "{said}");
    }
}

#[test]
fn a_variable_of_anybody_else_is_not_read() {
    let of_k =
        "put the value into one whose name begins with PERKGATE_SECRET_K_, and write \"env:PERKGATE_SECRET_K_…\"";
    for name in ["PERKGATE_KEY", "PATH", "SECRET", "PERKGATE_SECRET_KAVARNA_SHOPIFY", "PERKGATE_SECRET_K__2_SECRET"] {
        let start = format!(
            "11: an entry in `secrets` of [[sources]] names the environment variable {name}, which was not made for the merchant \"k\""
        );
        says(&source_with(&format!("secrets = [\"env:{name}\"]")), &start, of_k);
        let token = format!("secrets = [\"s\"]\napi = {{ token = \"env:{name}\", base = \"http://10.0.0.1\" }}");
        says(&source_with(&token), "12: `token` of `api` of [[sources]] names the environment variable", of_k);
    }
    for (channel, line) in [
        ("kind = \"webhook\"\nurl = \"env:PERKGATE_KEY\"\nsecret = \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"", 10),
        ("kind = \"webhook\"\nurl = \"https://a.b\"\nsecret = \"env:PERKGATE_KEY\"", 11),
        ("kind = \"email\"\nsmtp = \"env:PERKGATE_DATABASE\"\nfrom = \"a@b.c\"", 10),
    ] {
        says(&format!("[[channels]]\n{channel}\n"), &format!("{line}: `"), of_k);
    }
    says("url = \"env:PERKGATE_DATABASE\"\n", "8: `url` of [merchant] names the environment variable", of_k);
}

#[test]
fn a_file_of_the_merchant_s_is_read_without_its_last_newline() {
    let file = read(&format!("{MERCHANT}{}", source_with("secrets = [\"file:till\"]"))).expect("it is there");
    assert_eq!(file.sources[0].secrets, [SECRET]);
    says(&source_with("secrets = [\"file:none\"]"), "11: an entry in `secrets` of [[sources]]: there is no k/none", "");
    says(
        &source_with("secrets = [\"file:blank\"]"),
        "11: an entry in `secrets`",
        "write the secret into it and try again",
    );
    for name in ["", "../other/till", "/etc/passwd", ".", "a b"] {
        let cure = "letters, digits, dots, dashes and underscores, and no dot in front";
        says(&source_with(&format!("secrets = [\"file:{name}\"]")), "11: an entry in `secrets`", cure);
    }
}

#[test]
fn whose_file_it_is_comes_before_its_secrets() {
    let with = |id: &str, secret: &str| {
        let text = format!("{MERCHANT}{}", source_with(&format!("secrets = [\"{secret}\"]")));
        read(&text.replacen("id = \"k\"", id, 1)).expect_err("not its own").to_string()
    };
    for secret in ["env:PERKGATE_SECRET_OTHER_X", "file:till"] {
        let said = with("id = \"other\"", secret);
        assert!(said.ends_with("`secrets` of [[sources]]: this is not other.toml"), "{said}");
        let said = with("id = \"K\"", secret);
        assert!(said.contains("this file names no merchant; give [merchant] a right `id` first"), "{said}");
    }
    let said = with("id = \"other\"", "env:PERKGATE_KEY");
    assert!(said.contains("which was not made for the merchant \"other\""), "nobody's secret is called theirs: {said}");
    let literal = format!("{MERCHANT}{}", source_with("secrets = [\"s\"]")).replacen("id = \"k\"", "id = \"other\"", 1);
    assert!(read(&literal).is_ok(), "what it holds itself is its own");
    assert!(complaint(&source_with("secrets = [\"env:\"]")).contains("without a name"));
}

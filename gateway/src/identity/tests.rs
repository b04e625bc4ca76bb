//! The same person in different notation has the same key, and different people never do.

use super::*;
use perkgate_domain::ids::MerchantId;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn merchant(country: Option<&str>) -> Merchant {
    Merchant {
        id: MerchantId::from("kavarna"),
        name: "Kaviareň".into(),
        currency: perkgate_domain::money::Currency::parse("EUR").unwrap(),
        timezone: "Europe/Bratislava".into(),
        locale: "sk".into(),
        country: country.map(Into::into),
        url: None,
        rules: perkgate_domain::rules::Rules::default(),
    }
}

fn vault() -> Vault {
    Vault::new([1; 32])
}

fn same(normalise: impl Fn(&str) -> Option<String>, texts: &[&str], expected: &str) {
    for text in texts {
        assert_eq!(normalise(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn one_address_in_many_notations() {
    same(
        email,
        &[
            "jana@example.com",
            " Jana@Example.COM\n",
            "JANA@EXAMPLE.COM",
            "ｊａｎａ＠example.com",
            "\u{feff}jana@example.com\u{a0}",
        ],
        "jana@example.com",
    );
    // Composed and decomposed, capital and small, Unicode and ASCII domains.
    same(email, &["žofia@example.sk", "z\u{30c}ofia@example.sk", "ŽOFIA@Example.SK"], "žofia@example.sk");
    same(
        email,
        &["a@müller.de", "a@MÜLLER.de", "a@mu\u{308}ller.de", "a@xn--mller-kva.de", "a@XN--Mller-KVA.de"],
        "a@xn--mller-kva.de",
    );
    same(email, &["o'neil@example.com"], "o'neil@example.com");
}

#[test]
fn tags_and_dots_keep_people_apart() {
    let all =
        ["jana@example.com", "jana+eshop@example.com", "ja.na@example.com", "jana@example.org", "jána@example.com"];
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            assert_ne!(email(one), email(other));
        }
        assert_eq!(email(one).as_deref(), Some(*one));
    }
}

#[test]
fn what_is_no_address_is_ignored() {
    let long = format!("{}@example.com", "a".repeat(65));
    for text in [
        "",
        "@",
        "jana",
        "jana@",
        "@example.com",
        "jana@localhost",
        "jana@127.0.0.1",
        "jana@[127.0.0.1]",
        "ja na@example.com",
        "jana@exa mple.com",
        "jana@example..com",
        ".jana@example.com",
        "jana.@example.com",
        "ja..na@example.com",
        "jana@example.com.",
        "a@b@example.com",
        "\"jana\"@example.com",
        "jana@example.com\r\nBcc: x@example.com",
        "jana@-example.com",
        "jana@example_x.com",
        "Jana <jana@example.com>",
        "jana@example.c",
        &long,
        "ja\u{0}na@example.com",
    ] {
        assert_eq!(email(text), None, "{text:?}");
    }
}

#[test]
fn one_number_in_many_notations() {
    let read = |country: &'static str| move |text: &str| phone(text, [Some(country), None]);
    same(
        read("SK"),
        &[
            "+421905123456",
            "+421 905 123 456",
            "00421 905 123 456",
            "0905 123 456",
            "0905/123 456",
            "0905-123-456",
            "905 123 456",
            "+421 (0) 905 123 456",
            "(0905) 123456",
            "＋421 905 123 456",
            "\u{200e}+421 905 123 456",
            "tel:+421-905-123-456",
        ],
        "+421905123456",
    );
    same(
        read("CZ"),
        &["+420 601 123 456", "00420601123456", "601 123 456", "601123456", "+420-601-123-456"],
        "+420601123456",
    );
    same(read("PL"), &["+48 512 345 678", "0048 512345678", "512 345 678", "512-345-678"], "+48512345678");
    same(read("de"), &["+49 1512 3456789", "01512 3456789", "0049 1512 3456789"], "+4915123456789");
    // A leading zero that belongs to the number stays.
    same(read("IT"), &["+39 06 6982 1234", "06 6982 1234"], "+390669821234");
}

#[test]
fn a_country_decides_how_a_local_number_is_read() {
    assert_eq!(phone("601 123 456", [Some("CZ"), Some("SK")]).as_deref(), Some("+420601123456"));
    assert_eq!(phone("0905 123 456", [None, Some("SK")]).as_deref(), Some("+421905123456"));
    assert_eq!(phone("0905 123 456", [Some("nowhere"), Some("SK")]).as_deref(), Some("+421905123456"));
    assert_eq!(phone("0905 123 456", [None, None]), None);
    assert_eq!(phone("+421 905 123 456", [None, None]).as_deref(), Some("+421905123456"));
    assert_eq!(phone("00421 905 123 456", [Some("US"), None]).as_deref(), Some("+421905123456"));
}

#[test]
fn what_is_no_number_is_ignored() {
    for text in [
        "",
        "+",
        "00",
        "0",
        "call me",
        "123",
        "+421 12",
        "+999 123 456 789",
        "0905 123 456 789 012",
        "+421 905 123 456 ext. 7",
        "+0",
    ] {
        assert_eq!(phone(text, [Some("SK"), None]), None, "{text}");
    }
}

#[test]
fn one_card_in_many_notations() {
    same(card, &["ABC123", "abc-123", " abc 123 ", "ABC\u{2013}123", "ａｂｃ１２３", "a b c - 1 2 3"], "ABC123");
    for text in ["", " ", "-", "a\u{0}b", &"9".repeat(256)] {
        assert_eq!(card(text), None, "{text:?}");
    }
}

#[test]
fn an_identity_gives_its_keys_strongest_first() {
    let identity = Identity {
        customer_id: Some(" 6890 ".into()),
        email: Some(" Jana@Example.com".into()),
        phone: Some("0905 123 456".into()),
        card: Some("k-42".into()),
        name: Some(" Jana\r\n Nováková ".into()),
        country: None,
        locale: Some("sk_SK".into()),
        consent: Some(true),
        ..Identity::default()
    };
    let (vault, merchant, source) = (vault(), merchant(Some("SK")), SourceId::from("eshop"));
    let known = known(&vault, &merchant, &source, &identity);
    let expected = [
        (KeyKind::Card, "K42"),
        (KeyKind::Id, "eshop|6890"),
        (KeyKind::Email, "jana@example.com"),
        (KeyKind::Phone, "+421905123456"),
    ]
    .map(|(kind, text)| MemberKey { kind, hash: vault.blind("kavarna", kind, text) });
    assert_eq!(known.keys, expected);
    let Contact { email, phone, name } = known.contact;
    assert_eq!(
        (email.as_deref(), phone.as_deref(), name.as_deref()),
        (Some("jana@example.com"), Some("+421905123456"), Some("Jana Nováková"))
    );
    assert_eq!((known.locale.as_deref(), known.consent), (Some("sk-SK"), Some(true)));
}

#[test]
fn nothing_known_is_nobody() {
    let identity = Identity {
        email: Some("none".into()),
        phone: Some("0".into()),
        locale: Some("?".into()),
        ..Identity::default()
    };
    let known = known(&vault(), &merchant(None), &SourceId::from("till"), &identity);
    assert_eq!((known.keys, known.contact.is_empty(), known.locale, known.consent), (vec![], true, None, None));
}

#[test]
fn a_key_of_the_command_line_finds_what_an_arrival_made() {
    let (vault, merchant) = (vault(), merchant(Some("CZ")));
    let sources = [SourceId::from("eshop"), SourceId::from("till")];
    let identity = Identity {
        customer_id: Some("77".into()),
        email: Some("jana@example.com".into()),
        phone: Some("+420601123456".into()),
        card: Some("K42".into()),
        ..Identity::default()
    };
    let known = known(&vault, &merchant, &sources[1], &identity);
    for (text, kind) in [
        ("card:k 42", KeyKind::Card),
        ("id:77", KeyKind::Id),
        ("email:JANA@example.com", KeyKind::Email),
        ("phone: 601 123 456", KeyKind::Phone),
    ] {
        let Ok(Lookup::Keys(keys)) = parse_key(&vault, &merchant, sources.iter(), text) else { panic!("{text}") };
        let made = known.keys.iter().find(|key| key.kind == kind).unwrap();
        assert!(keys.contains(made), "{text}");
        assert_eq!(keys.len(), if kind == KeyKind::Id { 2 } else { 1 });
    }
    let member = parse_key(&vault, &merchant, sources.iter(), "id:mem_1");
    assert_eq!(member, Ok(Lookup::Member(MemberId::from("mem_1"))));
}

#[test]
fn a_key_that_is_none_gets_a_sentence_without_it() {
    for text in ["jana@example.com", "mail:jana@example.com", "email:jana", "phone:jana", "card:-", "id:", "id:77", ""]
    {
        let error = parse_key(&vault(), &merchant(None), std::iter::empty(), text).unwrap_err();
        assert!(!error.is_empty() && !error.contains("jana"), "{error}");
    }
}

fn same_cases_every_time() -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(same_cases_every_time())]

    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC{0,12}@\\PC{1,8}\\.(com|sk|рф)", code in "\\PC{0,20}") {
        if let Some(once) = email(&text) {
            prop_assert_eq!(email(&once), Some(once));
        }
        if let Some(once) = card(&code) {
            prop_assert_eq!(card(&once), Some(once));
        }
    }

    #[test]
    fn case_and_composition_do_not_matter(local in "[a-záčďéíĺľňóôŕšťúýžąęłńśźżěřů]{1,10}", domain in "[a-z]{1,10}") {
        let plain = format!("{local}@{domain}.sk");
        prop_assert!(email(&plain).is_some());
        prop_assert_eq!(email(&plain), email(&plain.to_uppercase()));
        prop_assert_eq!(email(&plain), email(&plain.nfd().collect::<String>()));
    }

    #[test]
    fn a_slovak_mobile_is_one_however_written(rest in 0_u32..1_000_000, gaps in proptest::collection::vec("[ /-]?", 9)) {
        let digits = format!("905{rest:06}");
        let spaced = digits.chars().zip(&gaps).fold(String::new(), |text, (digit, gap)| text + &digit.to_string() + gap);
        let expected = Some(format!("+421{digits}"));
        for text in [format!("0{spaced}"), format!("+421 {spaced}"), format!("00421 {spaced}")] {
            prop_assert_eq!(&phone(&text, [Some("SK"), None]), &expected, "{}", text);
        }
    }
}

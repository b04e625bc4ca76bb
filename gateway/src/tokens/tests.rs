//! Good tokens are believed; everything else that could be sent in their place is not.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW: Moment = Moment(1_780_315_200_000);

fn tokens() -> Tokens {
    Tokens::new(&Vault::new([7; 32]))
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&Vault::new([7; 32]).token_seeds()[0].1).unwrap()
}

/// The parts of a token, opened.
fn opened(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A token as somebody with the key would sign it, whatever it says.
fn signed(header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn anna() -> Actor {
    Actor::command("anna@till")
}

fn issued(access: &Access, days: u32) -> Issued {
    tokens().issue(access, None, NOW, days, &anna()).unwrap()
}

/// Header and claims of a good token, to be spoilt.
fn good() -> [Value; 2] {
    opened(&issued(&Access::Merchant("kavarna".into()), 1).token)
}

/// Whom a token speaks for, by what it says itself.
fn access(token: &str, now: Moment) -> Result<Access, TokenError> {
    tokens().read(token, now).map(|caller| caller.access)
}

#[test]
fn a_token_speaks_for_whom_it_was_made() {
    for access in [Access::Operator, Access::Merchant("kavarna".into()), Access::Partner("kino-lumiere".into())] {
        let Issued { token, row } = issued(&access, 30);
        assert_eq!((row.role.as_str(), row.created_by.as_str()), (access.role(), "command anna@till"));
        assert_eq!(tokens().read(&token, NOW), Ok(Caller { id: row.id, access }));
    }
    let [header, mut claims] = good();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("JWT")));
    assert_eq!(header["kid"].as_str().unwrap().len(), KID_DIGITS);
    let id = claims["jti"].take();
    assert!(id.as_str().is_some_and(|id| id.starts_with("tok_") && id.len() == 30), "{id}");
    assert_eq!(
        claims,
        json!({"iss": "perkgate", "aud": "perkgate", "sub": "merchant/kavarna", "role": "merchant", "merchant": "kavarna",
               "jti": null, "iat": 1_780_315_200, "exp": 1_780_401_600})
    );
    claims["jti"] = id;
    assert_eq!(access(&signed(&header, &claims), NOW), Ok(Access::Merchant("kavarna".into())));
    // One of before, when tokens had no id.
    claims["jti"] = Value::Null;
    assert_eq!(access(&signed(&header, &claims), NOW), Err(TokenError::Unlisted));
}

#[test]
fn a_token_is_not_good_before_it_begins() {
    let [header, claims] = good();
    for (name, ahead, taken) in
        [("iat", 61, false), ("iat", 60, true), ("nbf", 61, false), ("nbf", 60, true), ("nbf", -9, true)]
    {
        let mut early = claims.clone();
        early[name] = json!(NOW.seconds() + ahead);
        let read = access(&signed(&header, &early), NOW);
        assert_eq!(read.is_ok(), taken, "{name} {ahead}: {read:?}");
        assert!(taken || read == Err(TokenError::Early));
    }
    let mut without = claims.clone();
    without["iat"] = Value::Null;
    assert!(access(&signed(&header, &without), NOW).is_ok());
    for name in ["iat", "nbf"] {
        let mut odd = claims.clone();
        odd[name] = json!("yesterday");
        assert_eq!(access(&signed(&header, &odd), NOW), Err(TokenError::Foreign), "{name}");
    }
}

#[test]
fn a_merchant_manages_itself_and_a_partner_nobody() {
    let (kavarna, pekaren) = (MerchantId::from("kavarna"), MerchantId::from("pekaren"));
    assert!(Access::Operator.manages(&kavarna));
    let own = Access::Merchant(kavarna.clone());
    assert!(own.manages(&kavarna) && !own.manages(&pekaren));
    assert!(!Access::Partner("kavarna".into()).manages(&kavarna));
}

#[test]
fn a_token_ends_by_the_clock_it_is_told() {
    let token = issued(&Access::Operator, 1).token;
    let end = NOW.plus_ms(DAY * 1000);
    assert_eq!(access(&token, end.plus_ms(-1000)), Ok(Access::Operator));
    assert_eq!(tokens().read(&token, end), Err(TokenError::Expired));
    for days in [0, DAYS + 1] {
        assert_eq!(tokens().issue(&Access::Operator, None, NOW, days, &anna()).err(), Some(TokenError::Days));
    }
}

#[test]
fn another_installations_token_is_foreign() {
    let others = Tokens::new(&Vault::new([8; 32]));
    let token = others.issue(&Access::Operator, None, NOW, 1, &anna()).unwrap().token;
    assert_eq!(tokens().read(&token, NOW), Err(TokenError::Foreign));
    assert!(others.read(&token, NOW).is_ok());
}

#[test]
fn what_is_not_said_right_is_foreign_even_if_it_is_signed() {
    let [header, claims] = good();
    for (name, value) in [
        ("aud", json!("somebody")),
        ("aud", json!(null)),
        ("iss", json!("somebody")),
        ("sub", json!(null)),
        ("exp", json!(null)),
        ("exp", json!("1780401600")),
        ("role", json!("operator")),
        ("role", json!("partner")),
        ("role", json!("root")),
        ("merchant", json!(null)),
        ("partner", json!("kino")),
    ] {
        let mut spoilt = claims.clone();
        spoilt[name] = value.clone();
        assert_eq!(tokens().read(&signed(&header, &spoilt), NOW), Err(TokenError::Foreign), "{name}: {value}");
    }
    for kid in [json!("0123456789abcdef"), json!(null)] {
        let mut spoilt = header.clone();
        spoilt["kid"] = kid;
        assert_eq!(tokens().read(&signed(&spoilt, &claims), NOW), Err(TokenError::Foreign));
    }
}

#[test]
fn the_algorithm_is_never_read_from_the_token() {
    let [mut header, claims] = good();
    let public = pair().public_key().as_ref().to_vec();
    for algorithm in ["none", "None", "", "HS256", "HS512", "RS256", "ES256"] {
        header["alg"] = json!(algorithm);
        let message = message(&header, &claims);
        // The classic confusion: the public key, which is no secret, taken for the secret of an HMAC.
        let mut mac = Hmac::<Sha256>::new_from_slice(&public).unwrap();
        mac.update(message.as_bytes());
        let forged = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let own = URL_SAFE_NO_PAD.encode(pair().sign(message.as_bytes()));
        for signature in [forged.as_str(), own.as_str(), ""] {
            let token = format!("{message}.{signature}");
            assert_eq!(tokens().read(&token, NOW), Err(TokenError::Foreign), "{algorithm}");
        }
    }
}

#[test]
fn a_changed_token_is_foreign() {
    let [header, claims] = good();
    let token = signed(&header, &claims);
    let (kept, signature) = token.rsplit_once('.').unwrap();
    let mut other = claims.clone();
    other["merchant"] = json!("pekaren");
    for wrong in [
        format!("{}.{signature}", message(&header, &other)),
        format!("{kept}."),
        kept.to_owned(),
        format!("{token}.x"),
        format!("{token}A"),
        String::new(),
        "..".to_owned(),
    ] {
        assert_eq!(tokens().read(&wrong, NOW), Err(TokenError::Foreign), "{wrong}");
    }
}

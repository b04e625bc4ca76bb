//! Who may ask the management API: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037).
//!
//! The key pair is derived from the vault's key, so whoever can make tokens is whoever has that key, and no other secret is to be
//! kept. Nothing a token says about itself is believed before its signature holds: the algorithm is the only one this process has,
//! the key is the only one it has, and `kid` is only compared.

use crate::vault::Vault;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use perkgate_domain::ids::{Digest, MerchantId, PartnerId};
use perkgate_domain::time::Moment;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// What tokens are for and by whom they are made: `aud` and `iss`.
const NAME: &str = "perkgate";
/// Hexadecimal digits of the public key's hash in `kid`.
const KID_DIGITS: usize = 16;
/// A day in seconds.
const DAY: i64 = 24 * 3600;
/// The longest a token may be good for, days.
pub const DAYS: u32 = 3650;

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever runs the gateway: every merchant.
    Operator,
    /// One merchant.
    Merchant(MerchantId),
    /// One partner: nothing of the merchants' own.
    Partner(PartnerId),
}

impl Access {
    /// Whether it may look at and act on a merchant's members.
    #[must_use]
    pub fn manages(&self, merchant: &MerchantId) -> bool {
        match self {
            Self::Operator => true,
            Self::Merchant(own) => own == merchant,
            Self::Partner(_) => false,
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Merchant(merchant) => format!("merchant/{merchant}"),
            Self::Partner(partner) => format!("partner/{partner}"),
        }
    }
}

/// Why there is no token, or why one is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by this gateway's key for this use, or no token at all.
    #[error("the token is none of this gateway's: `perkgate token create` makes one")]
    Foreign,
    /// It was good once.
    #[error("the token has expired: `perkgate token create` makes a new one")]
    Expired,
    /// Asked for one that is good for too long or not at all.
    #[error("a token is good for 1 to {DAYS} days")]
    Days,
    /// The key does not sign; the vault's keys always do.
    #[error("the token cannot be signed")]
    Signing,
}

/// What a token says. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partner: Option<PartnerId>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Operator,
    Merchant,
    Partner,
}

/// Makes tokens and reads them. Cheap to make: the keys are derived.
pub struct Tokens {
    signing: EncodingKey,
    public: DecodingKey,
    kid: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Tokens {
    /// With the key pair of this installation.
    ///
    /// # Panics
    /// Never: any 32 bytes are an Ed25519 seed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "any 32 bytes are an Ed25519 seed (RFC 8032, section 5.1.5)")]
    pub fn new(vault: &Vault) -> Self {
        // One for the process; if it is set already, it is this one.
        let _ = PROVIDER.install_default();
        let seed = vault.token_seed();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed of 32 bytes");
        let public = pair.public_key().as_ref();
        let digest = Digest::of(public).to_string();
        let digits = digest.rsplit(':').next().unwrap_or_default();
        let kid = digits.chars().take(KID_DIGITS).collect();
        // The library asks for DER where it means whatever its provider reads: ours reads the bare keys.
        Self { signing: EncodingKey::from_ed_der(&seed), public: DecodingKey::from_ed_der(public), kid }
    }

    /// A token that is good from now on for so many days.
    ///
    /// # Errors
    /// [`TokenError::Days`]; [`TokenError::Signing`] never happens.
    pub fn issue(&self, access: &Access, now: Moment, days: u32) -> Result<String, TokenError> {
        if !(1..=DAYS).contains(&days) {
            return Err(TokenError::Days);
        }
        let iat = now.seconds();
        let (role, merchant, partner) = match access {
            Access::Operator => (Role::Operator, None, None),
            Access::Merchant(merchant) => (Role::Merchant, Some(merchant.clone()), None),
            Access::Partner(partner) => (Role::Partner, None, Some(partner.clone())),
        };
        let claims = Claims {
            iss: NAME.to_owned(),
            aud: NAME.to_owned(),
            sub: access.subject(),
            iat,
            exp: iat.saturating_add(i64::from(days) * DAY),
            role,
            merchant,
            partner,
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|_| TokenError::Signing)
    }

    /// Whom a token speaks for, if it is one of ours and still good.
    ///
    /// # Errors
    /// [`TokenError::Foreign`] or [`TokenError::Expired`].
    pub fn read(&self, token: &str, now: Moment) -> Result<Access, TokenError> {
        let mut wanted = Validation::new(Algorithm::EdDSA);
        wanted.set_audience(&[NAME]);
        wanted.set_issuer(&[NAME]);
        wanted.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // By the gateway's clock, below.
        wanted.validate_exp = false;
        let read = jsonwebtoken::decode::<Claims>(token, &self.public, &wanted).map_err(|_| TokenError::Foreign)?;
        if read.header.kid.as_deref() != Some(&self.kid) {
            return Err(TokenError::Foreign);
        }
        if read.claims.exp <= now.seconds() {
            return Err(TokenError::Expired);
        }
        match (read.claims.role, read.claims.merchant, read.claims.partner) {
            (Role::Operator, None, None) => Ok(Access::Operator),
            (Role::Merchant, Some(merchant), None) => Ok(Access::Merchant(merchant)),
            (Role::Partner, None, Some(partner)) => Ok(Access::Partner(partner)),
            _ => Err(TokenError::Foreign),
        }
    }
}

/// Ed25519 by *ring*, which the process has for TLS anyway, and nothing else: no other algorithm can be talked into.
static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

struct Pen(Ed25519KeyPair);
struct Lens(UnparsedPublicKey<Vec<u8>>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library wants it so")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> JwtResult<Box<dyn JwtSigner>> {
    let pair = Ed25519KeyPair::from_seed_unchecked(key.as_bytes()).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    if *algorithm == Algorithm::EdDSA { Ok(Box::new(Pen(pair))) } else { Err(ErrorKind::InvalidAlgorithm.into()) }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library wants it so")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    let lens = Lens(UnparsedPublicKey::new(&ED25519, key.try_get_as_bytes()?.to_vec()));
    if *algorithm == Algorithm::EdDSA { Ok(Box::new(lens)) } else { Err(ErrorKind::InvalidAlgorithm.into()) }
}

impl Signer<Vec<u8>> for Pen {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for Pen {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

impl Verifier<Vec<u8>> for Lens {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Lens {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests;

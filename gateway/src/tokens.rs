//! Who may ask the management API: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037).
//!
//! The key pair is derived from a key of the vault's, so whoever can make tokens is whoever has that key, and no other secret is to be
//! kept. Nothing a token says about itself is believed before its signature holds: the algorithm is the only one this process has, and
//! `kid` only chooses among the generations of the vault's key. And it is believed only as long as the database lists it: a token that
//! was revoked is refused by the next request, in every process.

use crate::store::{Actor, Store, StoreError, TokenRow};
use crate::vault::{Purpose, Vault};
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
/// How far the clock of whoever made a token may be ahead, seconds.
const SKEW: i64 = 60;
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

    /// `operator`, `merchant` or `partner`.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Merchant(_) => "merchant",
            Self::Partner(_) => "partner",
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
    /// From before tokens had ids.
    #[error(
        "the token is of an older Perkgate and cannot be taken back, so it is not taken: `perkgate token create` makes a new one"
    )]
    Unlisted,
    /// Not in the list of this database, or not as it says.
    #[error("the token is not in this database's list: `perkgate token create` makes one")]
    Unknown,
    /// Taken back.
    #[error("the token was revoked: `perkgate token create` makes a new one")]
    Revoked,
    /// Not yet.
    #[error("the token is not good yet: check this machine's clock and that of whoever made it")]
    Early,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
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

/// A token that was made and is not in the list yet.
pub struct Issued {
    /// What whoever is to have it is given, once.
    pub token: String,
    /// What the list says of it.
    pub row: TokenRow,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("row", &self.row).finish_non_exhaustive()
    }
}

/// Somebody with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which token: `tok_…`
    pub id: String,
    /// Whom it speaks for.
    pub access: Access,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Because of the token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The list cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes tokens and reads them.
pub struct Tokens {
    vault: Vault,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// The key pair of one generation. Cheap to make: it is derived.
struct Pair {
    generation: u32,
    signing: EncodingKey,
    public: DecodingKey,
    kid: String,
}

impl Pair {
    #[expect(clippy::expect_used, reason = "any 32 bytes are an Ed25519 seed (RFC 8032, section 5.1.5)")]
    fn new(generation: u32, seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed of 32 bytes");
        let public = pair.public_key().as_ref();
        let digest = Digest::of(public).to_string();
        let digits = digest.rsplit(':').next().unwrap_or_default();
        let kid = digits.chars().take(KID_DIGITS).collect();
        // The library asks for DER where it means whatever its provider reads: ours reads the bare keys.
        let (signing, public) = (EncodingKey::from_ed_der(seed), DecodingKey::from_ed_der(public));
        Self { generation, signing, public, kid }
    }
}

impl Tokens {
    /// With the keys of this installation, those that come later included.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        // One for the process; if it is set already, it is this one.
        let _ = PROVIDER.install_default();
        Self { vault: vault.clone() }
    }

    /// A token that is good from now on for so many days, once it is in the list.
    ///
    /// # Errors
    /// [`TokenError::Days`]; [`TokenError::Signing`] never happens.
    pub fn issue(
        &self,
        access: &Access,
        name: Option<String>,
        now: Moment,
        days: u32,
        by: &Actor,
    ) -> Result<Issued, TokenError> {
        if !(1..=DAYS).contains(&days) {
            return Err(TokenError::Days);
        }
        let iat = now.seconds();
        let (role, merchant, partner) = match access {
            Access::Operator => (Role::Operator, None, None),
            Access::Merchant(merchant) => (Role::Merchant, Some(merchant.clone()), None),
            Access::Partner(partner) => (Role::Partner, None, Some(partner.clone())),
        };
        let exp = iat.saturating_add(i64::from(days) * DAY);
        let id = format!("tok_{}", self.vault.draw(26));
        let claims = Claims {
            iss: NAME.to_owned(),
            aud: NAME.to_owned(),
            sub: access.subject(),
            jti: Some(id.clone()),
            iat: Some(iat),
            nbf: None,
            exp,
            role,
            merchant: merchant.clone(),
            partner: partner.clone(),
        };
        let signing = self.vault.generation(Purpose::Token);
        let seeds = self.vault.token_seeds();
        let (generation, seed) =
            seeds.iter().find(|(generation, _)| *generation == signing).ok_or(TokenError::Signing)?;
        let pair = Pair::new(*generation, seed);
        let header = Header { kid: Some(pair.kid), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &pair.signing).map_err(|_| TokenError::Signing)?;
        let row = TokenRow {
            id,
            role: access.role().to_owned(),
            merchant,
            partner,
            name,
            generation: pair.generation,
            created_at: now,
            created_by: by.to_string(),
            expires_at: Moment(exp.saturating_mul(1000)),
            revoked_at: None,
            revoked_by: None,
        };
        Ok(Issued { token, row })
    }

    /// Whom a token speaks for, if it is one of ours and still good by what it says itself.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn read(&self, token: &str, now: Moment) -> Result<Caller, TokenError> {
        let claims = self.claims(token)?;
        let seconds = now.seconds();
        if claims.exp <= seconds {
            return Err(TokenError::Expired);
        }
        let begins = claims.nbf.into_iter().chain(claims.iat).max();
        if begins.is_some_and(|begins| begins > seconds.saturating_add(SKEW)) {
            return Err(TokenError::Early);
        }
        let access = match (claims.role, claims.merchant, claims.partner) {
            (Role::Operator, None, None) => Access::Operator,
            (Role::Merchant, Some(merchant), None) => Access::Merchant(merchant),
            (Role::Partner, None, Some(partner)) => Access::Partner(partner),
            _ => return Err(TokenError::Foreign),
        };
        Ok(Caller { id: claims.jti.ok_or(TokenError::Unlisted)?, access })
    }

    /// What a token says, if a key of ours signed it.
    fn claims(&self, token: &str) -> Result<Claims, TokenError> {
        let mut wanted = Validation::new(Algorithm::EdDSA);
        wanted.set_audience(&[NAME]);
        wanted.set_issuer(&[NAME]);
        wanted.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // By the gateway's clock, not the library's.
        wanted.validate_exp = false;
        for (generation, seed) in self.vault.token_seeds().iter().rev() {
            let pair = Pair::new(*generation, seed);
            if let Ok(read) = jsonwebtoken::decode::<Claims>(token, &pair.public, &wanted)
                && read.header.kid.as_deref() == Some(&pair.kid)
            {
                return Ok(read.claims);
            }
        }
        Err(TokenError::Foreign)
    }

    /// Whom a token speaks for, if it also stands in the list as it says.
    ///
    /// # Errors
    /// [`CheckError`]
    pub async fn check(&self, store: &dyn Store, token: &str, now: Moment) -> Result<Caller, CheckError> {
        let caller = self.read(token, now)?;
        let row = store.token(&caller.id).await?.ok_or(TokenError::Unknown)?;
        if row.revoked_at.is_some() {
            return Err(TokenError::Revoked.into());
        }
        let (merchant, partner) = match &caller.access {
            Access::Operator => (None, None),
            Access::Merchant(merchant) => (Some(merchant), None),
            Access::Partner(partner) => (None, Some(partner)),
        };
        let is_listed = row.role == caller.access.role()
            && (row.merchant.as_ref(), row.partner.as_ref()) == (merchant, partner)
            && row.expires_at > now;
        if is_listed { Ok(caller) } else { Err(TokenError::Unknown.into()) }
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

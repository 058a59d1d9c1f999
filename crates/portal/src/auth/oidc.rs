//! Signing in with another server (OpenID Connect Core 1.0, code flow, with PKCE): what is asked of it, what is remembered until
//! the browser comes back, and what is believed of its answer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use sealgate_mail::{Address, Timestamp};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::doors::Visitor;
use super::secrets::secret;
use super::sign_in::own_page;
use super::tries::{Key, network};
use super::who::sha256;
use crate::Portal;
use crate::limits::{
    FOREIGN_KEYS_SECONDS, FOREIGN_LEEWAY_SECONDS, FOREIGN_SECONDS, FOREIGN_SUBJECT_OCTETS,
    FOREIGN_WAITING,
};
use crate::office::accounts::{Question, Vouched};
use crate::problem::Problem;

/// Signatures that count: no MAC and no "none", whatever a token says (RFC 8725 section 3.1).
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256];

/// Where the browser comes back to.
pub const CALLBACK: &str = "/login/oidc/callback";

/// The other server, as the operator named it.
#[derive(Clone)]
pub struct Issuer {
    /// Its identifier, an address.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Zeroizing<String>,
    /// What the button calls it.
    pub name: String,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issuer({})", self.issuer)
    }
}

/// Why somebody was not let in: for the log only.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The browser brings nothing that we wait for.
    #[error("nothing waits for this answer: {0}")]
    Unknown(&'static str),
    /// The server said no.
    #[error("the server said no: {0}")]
    Said(String),
    /// What the server published cannot be used.
    #[error("what the server publishes cannot be used: {0}")]
    Published(String),
    /// The token does not hold.
    #[error("the ID token does not hold: {0}")]
    Token(String),
}

/// What the server publishes of itself (OpenID Connect Discovery 1.0 section 3).
#[derive(Clone, Debug, Deserialize)]
struct Published {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: String,
    jwks_uri: String,
}

/// Sign-ins that wait for their browser, and what the server published.
#[derive(Debug, Default)]
pub struct Foreign {
    waiting: Mutex<Waiting>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: HashMap<[u8; 32], Pending>,
    order: VecDeque<[u8; 32]>,
}

/// A sign-in under way. The browser holds the secret that it is found by.
#[derive(Clone, Debug)]
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    network: Option<Key>,
    began: Timestamp,
}

#[derive(Debug, Default)]
struct Known {
    published: Option<(Published, i64)>,
    keys: Option<(JwkSet, i64)>,
}

impl Foreign {
    fn remember(&self, key: [u8; 32], pending: Pending) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.order.len() >= FOREIGN_WAITING {
            if let Some(oldest) = waiting.order.pop_front() {
                waiting.entries.remove(&oldest);
            }
        }
        waiting.order.push_back(key);
        waiting.entries.insert(key, pending);
    }

    /// What waits for this browser; it waits no longer.
    fn take(&self, key: &[u8; 32], now: Timestamp) -> Option<Pending> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = waiting.entries.remove(key)?;
        waiting.order.retain(|own| own != key);
        (pending.began.plus(FOREIGN_SECONDS).0 > now.0).then_some(pending)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a sign-in.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub to: Url,
    /// What it must bring back in its cookie.
    pub secret: Zeroizing<String>,
}

/// Sends somebody to the other server. A network that began many and finished none waits.
pub async fn begin(
    portal: &Portal,
    issuer: &Issuer,
    (visitor, next): (&Visitor, &str),
) -> Result<Begun, Problem> {
    let (network, began) = (network(visitor.address), portal.now());
    let begun = portal.doors.foreign_begun.begin(network.as_slice(), began);
    begun.map_err(|_| Problem::new("too-many-tries"))?;
    let published = published(portal, issuer).await.map_err(unavailable)?;
    let browser = secret()?;
    let pending = Pending {
        state: secret()?.to_string(),
        nonce: secret()?.to_string(),
        verifier: secret()?.to_string(),
        next: own_page(portal, next).to_owned(),
        network,
        began,
    };
    let mut to = published.authorization_endpoint;
    to.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &issuer.client_id)
        .append_pair("redirect_uri", &callback(portal)?)
        .append_pair("scope", "openid email")
        .append_pair("state", &pending.state)
        .append_pair("nonce", &pending.nonce)
        .append_pair("code_challenge", &challenge(&pending.verifier))
        .append_pair("code_challenge_method", "S256");
    let key = sha256(&[browser.as_bytes()]);
    portal.doors.foreign.remember(key, pending);
    Ok(Begun {
        to,
        secret: browser,
    })
}

/// The challenge of a verifier (RFC 7636 section 4.2).
fn challenge(verifier: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(sha256(&[verifier.as_bytes()]))
}

fn callback(portal: &Portal) -> Result<String, Problem> {
    let url = portal.settings.url.join(CALLBACK);
    Ok(url.map_err(Problem::internal)?.to_string())
}

fn unavailable(refusal: Refusal) -> Problem {
    tracing::warn!(reason = %refusal, "signing in with another server is not possible now");
    Problem::new("unavailable")
}

/// What the browser brings back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Brought {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Who came back, and where they want to go.
#[derive(Debug)]
pub struct Came {
    /// Who.
    pub who: Vouched,
    /// Where to.
    pub next: String,
}

/// Believes an answer, or says why not. A sign-in is asked about once, whatever comes of it.
pub async fn finish(
    portal: &Portal,
    issuer: &Issuer,
    browser: &str,
    brought: Brought,
) -> Result<Came, Refusal> {
    let key = sha256(&[browser.as_bytes()]);
    let pending = portal.doors.foreign.take(&key, portal.now());
    let pending = pending.ok_or(Refusal::Unknown("none of this browser"))?;
    let state = brought.state.unwrap_or_default();
    if verify_slices_are_equal(state.as_bytes(), pending.state.as_bytes()).is_err() {
        return Err(Refusal::Unknown("another state"));
    }
    // RFC 9207 section 2.4.
    if brought.iss.is_some_and(|iss| iss != issuer.issuer) {
        return Err(Refusal::Unknown("another issuer"));
    }
    if let Some(error) = brought.error {
        return Err(Refusal::Said(error));
    }
    let code = brought.code.ok_or(Refusal::Unknown("no code"))?;
    let token = redeem(portal, issuer, &pending, &code).await?;
    let who = believe(portal, issuer, &token, &pending.nonce).await?;
    let begun = &portal.doors.foreign_begun;
    begun.succeeded(pending.network.as_slice(), pending.began);
    Ok(Came {
        who,
        next: pending.next,
    })
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// The code becomes an ID token (OpenID Connect Core 1.0 section 3.1.3).
async fn redeem(
    portal: &Portal,
    issuer: &Issuer,
    pending: &Pending,
    code: &str,
) -> Result<Zeroizing<String>, Refusal> {
    let published = published(portal, issuer).await?;
    let callback = callback(portal).map_err(|problem| Refusal::Published(problem.code.into()))?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &callback)
        .append_pair("code_verifier", &pending.verifier)
        .finish();
    // RFC 6749 section 2.3.1.
    let encoded =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = format!(
        "{}:{}",
        encoded(&issuer.client_id),
        encoded(&issuer.client_secret)
    );
    let basic = base64_simd::STANDARD.encode_to_string(pair);
    let question = Question {
        url: published.token_endpoint,
        form: Some((
            Zeroizing::new(form),
            Zeroizing::new(format!("Basic {basic}")),
        )),
    };
    let tokens: Tokens = ask(portal, question).await?;
    Ok(Zeroizing::new(tokens.id_token))
}

async fn ask<T: serde::de::DeserializeOwned>(
    portal: &Portal,
    question: Question,
) -> Result<T, Refusal> {
    let place = question.url.clone();
    let heard = portal.office.ask_issuer(question).await;
    let heard = heard.map_err(Refusal::Said)?;
    serde_json::from_slice(&heard).map_err(|error| Refusal::Published(format!("{place}: {error}")))
}

/// What the server publishes of itself, asked anew now and then.
async fn published(portal: &Portal, issuer: &Issuer) -> Result<Published, Refusal> {
    let now = portal.now();
    if let Some((kept, until)) = &portal.doors.foreign.known().published
        && *until > now.0
    {
        return Ok(kept.clone());
    }
    let base = issuer.issuer.trim_end_matches('/');
    let question = Question {
        url: format!("{base}/.well-known/openid-configuration"),
        form: None,
    };
    let found: Published = ask(portal, question).await?;
    // Section 4.3 there: it must be exactly the one that was asked.
    if found.issuer != issuer.issuer {
        return Err(Refusal::Published(format!(
            "it calls itself {}",
            found.issuer
        )));
    }
    let until = now.plus(FOREIGN_SECONDS).0;
    portal.doors.foreign.known().published = Some((found.clone(), until));
    Ok(found)
}

/// The keys of the server; asked anew if none is called `kid`, but not all the time.
async fn keys(portal: &Portal, issuer: &Issuer, kid: Option<&str>) -> Result<JwkSet, Refusal> {
    let now = portal.now();
    if let Some((kept, asked)) = &portal.doors.foreign.known().keys {
        let is_fresh = asked.saturating_add(FOREIGN_KEYS_SECONDS) > now.0;
        let is_there = kid.is_none_or(|kid| kept.find(kid).is_some());
        let is_old = asked.saturating_add(FOREIGN_SECONDS) <= now.0;
        if (is_there || is_fresh) && !is_old {
            return Ok(kept.clone());
        }
    }
    let question = Question {
        url: published(portal, issuer).await?.jwks_uri,
        form: None,
    };
    let found: JwkSet = ask(portal, question).await?;
    portal.doors.foreign.known().keys = Some((found.clone(), now.0));
    Ok(found)
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    azp: Option<String>,
    nonce: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: Verified,
}

/// One audience, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(#[allow(dead_code)] String),
    Many(Vec<String>),
}

/// A truth value; some servers write it as text.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Verified {
    Plain(bool),
    Text(String),
    #[default]
    Absent,
}

impl Verified {
    fn is_true(&self) -> bool {
        match self {
            Self::Plain(value) => *value,
            Self::Text(text) => text == "true",
            Self::Absent => false,
        }
    }
}

/// Checks an ID token (OpenID Connect Core 1.0 section 3.1.3.7).
async fn believe(
    portal: &Portal,
    issuer: &Issuer,
    token: &str,
    nonce: &str,
) -> Result<Vouched, Refusal> {
    let header = decode_header(token).map_err(|error| Refusal::Token(error.to_string()))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Token(format!("{:?} is not taken", header.alg)));
    }
    let keys = keys(portal, issuer, header.kid.as_deref()).await?;
    judge(issuer, &keys, token, nonce)
}

/// The same, with the keys at hand.
fn judge(issuer: &Issuer, keys: &JwkSet, token: &str, nonce: &str) -> Result<Vouched, Refusal> {
    let wrong = |text: &str| Refusal::Token(text.to_owned());
    let header = decode_header(token).map_err(|error| Refusal::Token(error.to_string()))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Token(format!("{:?} is not taken", header.alg)));
    }
    let key = key_for(keys, header.kid.as_deref()).ok_or_else(|| wrong("no key of that name"))?;
    let key = DecodingKey::from_jwk(key).map_err(|error| Refusal::Token(error.to_string()))?;
    let mut rules = Validation::new(header.alg);
    rules.leeway = FOREIGN_LEEWAY_SECONDS;
    rules.validate_nbf = true;
    rules.set_issuer(&[&issuer.issuer]);
    rules.set_audience(&[&issuer.client_id]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = decode::<Claims>(token, &key, &rules)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => wrong("its signature"),
            _ => Refusal::Token(error.to_string()),
        })?
        .claims;
    let several = matches!(&claims.aud, Audience::Many(all) if all.len() > 1);
    let party = claims.azp.as_deref();
    if party.is_some_and(|party| party != issuer.client_id) || (several && party.is_none()) {
        return Err(wrong("it is for another party"));
    }
    let given = claims.nonce.as_deref().unwrap_or_default();
    if verify_slices_are_equal(given.as_bytes(), nonce.as_bytes()).is_err() {
        return Err(wrong("another nonce"));
    }
    if claims.sub.is_empty() || claims.sub.len() > FOREIGN_SUBJECT_OCTETS {
        return Err(wrong("its subject"));
    }
    let email = claims.email.filter(|_| claims.email_verified.is_true());
    Ok(Vouched {
        issuer: issuer.issuer.clone(),
        subject: claims.sub,
        address: email.and_then(|email| Address::parse(&email).ok()),
    })
}

/// The key that a token names; the only one, if it names none.
fn key_for<'a>(keys: &'a JwkSet, kid: Option<&str>) -> Option<&'a Jwk> {
    let signs = |key: &&Jwk| {
        let purpose = &key.common.public_key_use;
        !matches!(purpose, Some(PublicKeyUse::Encryption))
    };
    let mut fitting = keys.keys.iter().filter(signs).filter(|key| match kid {
        Some(kid) => key.common.key_id.as_deref() == Some(kid),
        None => true,
    });
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    const NONCE: &str = "the nonce";

    fn issuer() -> Issuer {
        Issuer {
            issuer: "https://login.example".into(),
            client_id: "sealgate".into(),
            client_secret: Zeroizing::new("secret".into()),
            name: "Example".into(),
        }
    }

    fn encoded(octets: impl AsRef<[u8]>) -> String {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(octets)
    }

    fn key() -> EcdsaKeyPair {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
    }

    fn jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
        let point = key.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
    }

    fn set(keys: &[Value]) -> JwkSet {
        serde_json::from_value(json!({ "keys": keys })).unwrap()
    }

    fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(claims.to_string())
        );
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", encoded(signature.as_ref()))
    }

    fn now() -> i64 {
        i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap()
    }

    fn good() -> Value {
        json!({
            "iss": "https://login.example", "aud": "sealgate", "sub": "u1", "nonce": NONCE, "exp": now() + 300,
            "iat": now(), "email": "a@example.com", "email_verified": true,
        })
    }

    fn with(changes: &Value) -> Value {
        let mut claims = good();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    #[test]
    fn what_is_believed() {
        let own = key();
        let keys = set(&[jwk(&own, "1")]);
        let header = json!({"alg": "ES256", "kid": "1"});
        let address = Address::parse("a@example.com").ok();
        for (changes, expected) in [
            (json!({}), Some(address.clone())),
            (json!({"aud": ["sealgate"]}), Some(address.clone())),
            (
                json!({"aud": ["sealgate", "other"], "azp": "sealgate"}),
                Some(address.clone()),
            ),
            (json!({"email_verified": "true"}), Some(address)),
            (json!({"email_verified": false}), Some(None)),
            (json!({"email_verified": null}), Some(None)),
            (json!({"email": null}), Some(None)),
            (json!({"email": "no address"}), Some(None)),
            (json!({"iss": "https://evil.example"}), None),
            (json!({"iss": null}), None),
            (json!({"aud": "other"}), None),
            (json!({"aud": null}), None),
            (json!({"aud": ["sealgate", "other"]}), None),
            (json!({"azp": "other"}), None),
            (json!({"nonce": "another"}), None),
            (json!({"nonce": null}), None),
            (json!({"exp": now() - 300}), None),
            (json!({"exp": null}), None),
            (json!({"nbf": now() + 300}), None),
            (json!({"sub": ""}), None),
            (json!({"sub": null}), None),
            (json!({"sub": "x".repeat(256)}), None),
        ] {
            let token = signed(&own, &header, &with(&changes));
            let found = judge(&issuer(), &keys, &token, NONCE);
            let found = found.ok().map(|vouched| vouched.address);
            assert_eq!(found, expected, "{changes}");
        }
    }

    #[test]
    fn which_signatures_count() {
        let (own, other) = (key(), key());
        let keys = set(&[jwk(&own, "1"), jwk(&other, "2")]);
        let taken = |keys: &JwkSet, token: &str| judge(&issuer(), keys, token, NONCE).is_ok();
        let by = |key, header: Value| signed(key, &header, &good());
        assert!(taken(&keys, &by(&own, json!({"alg": "ES256", "kid": "1"}))));
        for (what, header) in [
            ("another key's name", json!({"alg": "ES256", "kid": "2"})),
            ("an unknown key", json!({"alg": "ES256", "kid": "3"})),
            ("no name of two", json!({"alg": "ES256"})),
            ("another algorithm", json!({"alg": "RS256", "kid": "1"})),
            ("none", json!({"alg": "none", "kid": "1"})),
            ("a longer hash", json!({"alg": "ES384", "kid": "1"})),
        ] {
            assert!(!taken(&keys, &by(&own, header)), "{what}");
        }
        let one = set(&[jwk(&own, "1")]);
        assert!(taken(&one, &by(&own, json!({"alg": "ES256"}))));
        assert!(!taken(&one, &by(&other, json!({"alg": "ES256"}))));
        let mut for_encryption = jwk(&own, "1");
        for_encryption["use"] = json!("enc");
        let for_encryption = set(&[for_encryption]);
        let token = by(&own, json!({"alg": "ES256", "kid": "1"}));
        assert!(!taken(&for_encryption, &token));
        let unsigned = token.rsplit_once('.').unwrap().0;
        assert!(!taken(&keys, &format!("{unsigned}.")));
        // The public key taken for the secret of a MAC (RFC 8725 section 2.1).
        let head = encoded(json!({"alg": "HS256", "kid": "1"}).to_string());
        let text = format!("{head}.{}", encoded(good().to_string()));
        let mac = hmac::Key::new(hmac::HMAC_SHA256, own.public_key().as_ref());
        let mac = encoded(hmac::sign(&mac, text.as_bytes()).as_ref());
        assert!(!taken(&keys, &format!("{text}.{mac}")));
    }

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_sign_in_is_waited_for_once_and_not_forever() {
        let foreign = Foreign::default();
        let pending = Pending {
            state: "s".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            next: String::new(),
            network: None,
            began: Timestamp(100 - FOREIGN_SECONDS),
        };
        foreign.remember([1; 32], pending.clone());
        assert!(foreign.take(&[2; 32], Timestamp(0)).is_none());
        assert!(foreign.take(&[1; 32], Timestamp(99)).is_some());
        assert!(foreign.take(&[1; 32], Timestamp(99)).is_none(), "once");
        foreign.remember([1; 32], pending.clone());
        assert!(foreign.take(&[1; 32], Timestamp(100)).is_none(), "late");
        for number in 0..FOREIGN_WAITING + 5 {
            foreign.remember(sha256(&[&number.to_be_bytes()]), pending.clone());
        }
        assert_eq!(
            foreign.waiting.lock().unwrap().entries.len(),
            FOREIGN_WAITING
        );
    }
}

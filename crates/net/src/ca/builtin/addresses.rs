//! Where the built-in CA publishes: the addresses that its certificates name, and the paths its web server answers.

use url::Url;

/// What is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The root certificate.
    RootCertificate,
    /// The issuing CA's certificate.
    IssuingCertificate,
    /// What the root revoked.
    RootList,
    /// What the issuing CA revoked.
    IssuingList,
    /// Answers about single certificates of the issuing CA.
    Ocsp,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::RootCertificate,
        Self::IssuingCertificate,
        Self::RootList,
        Self::IssuingList,
        Self::Ocsp,
    ];

    /// Its path below the base.
    pub const fn path(self) -> &'static str {
        match self {
            Self::RootCertificate => "/root.crt",
            Self::IssuingCertificate => "/issuing.crt",
            Self::RootList => "/root.crl",
            Self::IssuingList => "/issuing.crl",
            Self::Ocsp => "/ocsp",
        }
    }
}

/// The base of all addresses in certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Without a slash at its end.
    base: String,
    path: String,
    is_http: bool,
}

/// Why a text is no such base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a URL such as http://pki.example.org, without user, query and fragment")]
pub struct NotABase;

impl Addresses {
    /// Reads a base such as `http://pki.example.org` or `http://pki.example.org/ca`.
    pub fn parse(text: &str) -> Result<Self, NotABase> {
        let url = Url::parse(text).map_err(|_| NotABase)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || !nobody {
            return Err(NotABase);
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            path: url.path().trim_end_matches('/').to_owned(),
            is_http: url.scheme() == "http",
        })
    }

    /// Whether it begins with `http://`. Over `https://` a client would have to judge a certificate to judge a certificate
    /// (RFC 5280 section 8).
    pub fn is_http(&self) -> bool {
        self.is_http
    }

    /// Where something lies.
    pub fn of(&self, resource: Resource) -> String {
        format!("{}{}", self.base, resource.path())
    }

    /// What is asked for with this path, and what stands behind it, from its slash on.
    pub fn find<'p>(&self, path: &'p str) -> Option<(Resource, &'p str)> {
        let path = path.strip_prefix(self.path.as_str())?;
        Resource::ALL.into_iter().find_map(|resource| {
            let rest = path.strip_prefix(resource.path())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((resource, rest))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_read_and_lead_to_paths() {
        for (base, root) in [
            ("http://pki.example.org", "http://pki.example.org/root.crt"),
            ("http://pki.example.org/", "http://pki.example.org/root.crt"),
            (
                "http://127.0.0.1:8080/ca/",
                "http://127.0.0.1:8080/ca/root.crt",
            ),
        ] {
            let addresses = Addresses::parse(base).unwrap();
            assert_eq!(addresses.of(Resource::RootCertificate), root);
            assert!(addresses.is_http());
            let path = Url::parse(root).unwrap().path().to_owned();
            assert_eq!(addresses.find(&path), Some((Resource::RootCertificate, "")));
        }
        assert!(!Addresses::parse("https://x.example").unwrap().is_http());
        for bad in [
            "",
            "pki.example.org",
            "ftp://x.example",
            "http://",
            "http://u@x.example",
            "http://x.example/?a",
            "http://x.example/#a",
            "file:///etc",
        ] {
            assert_eq!(Addresses::parse(bad), Err(NotABase), "{bad}");
        }
    }

    #[test]
    fn nothing_else_is_found() {
        let addresses = Addresses::parse("http://x.example/ca").unwrap();
        for path in [
            "/root.crt",
            "/ca",
            "/ca/",
            "/ca/root.crtx",
            "/ca/other",
            "/ca/../x",
        ] {
            assert_eq!(addresses.find(path), None, "{path}");
        }
        assert_eq!(
            addresses.find("/ca/ocsp/MEow"),
            Some((Resource::Ocsp, "/MEow"))
        );
    }
}

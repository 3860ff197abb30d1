//! Certificates for one test: an authority, and servers called `localhost`.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair};

/// An authority that clients of a test trust.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// The certificate of a server called `localhost`, and its key.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    /// The certificate as PEM.
    pub certificate: String,
    /// The private key as PEM (PKCS#8).
    pub key: String,
    /// The certificate as DER.
    pub certificate_der: Vec<u8>,
    /// The private key as DER (PKCS#8).
    pub key_der: Vec<u8>,
}

/// A day: year, month and day of the month.
pub type Day = (i32, u8, u8);

impl Authority {
    /// Creates an authority.
    ///
    /// # Panics
    ///
    /// Panics if the system has no randomness.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Returns its certificate as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns its certificate as DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.der
    }

    /// Signs a certificate that is valid now.
    pub fn server(&self) -> ServerCertificate {
        self.server_between((2020, 1, 1), (2999, 1, 1))
    }

    /// Signs a certificate that is valid between these days.
    ///
    /// # Panics
    ///
    /// Panics if there is no such day.
    pub fn server_between(&self, first: Day, last: Day) -> ServerCertificate {
        let names = vec!["localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name = DistinguishedName::new();
        params.not_before = rcgen::date_time_ymd(first.0, first.1, first.2);
        params.not_after = rcgen::date_time_ymd(last.0, last.1, last.2);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        ServerCertificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            certificate_der: certificate.der().to_vec(),
            key_der: key.serialize_der(),
        }
    }
}

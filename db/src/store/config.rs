//! Where the object storage is. The API and the worker read it from the same variables.

use secrecy::SecretString;
use url::Url;

/// A variable that is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum S3ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name}: `{value}` is not a URL")]
    NotAUrl { name: &'static str, value: String },
}

/// Where the objects are.
#[derive(Clone, Debug)]
pub struct S3Config {
    pub endpoint: Url,
    /// What browsers reach it by; presigned URLs carry this one.
    pub public_endpoint: Url,
    pub region: String,
    pub bucket: String,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

impl S3Config {
    /// Reads it from a source of variables; blanks count as unset.
    pub fn read(lookup: &dyn Fn(&'static str) -> Option<String>) -> Result<Self, S3ConfigError> {
        let given = |name| lookup(name).map(|value| value.trim().to_owned()).filter(|value: &String| !value.is_empty());
        let url = |name| match given(name) {
            Some(value) => value.parse::<Url>().map(Some).map_err(|_| S3ConfigError::NotAUrl { name, value }),
            None => Ok(None),
        };
        let endpoint = url("S3_ENDPOINT")?.ok_or(S3ConfigError::Missing("S3_ENDPOINT"))?;
        let required = |name| given(name).ok_or(S3ConfigError::Missing(name));
        Ok(Self {
            public_endpoint: url("S3_PUBLIC_ENDPOINT")?.unwrap_or_else(|| endpoint.clone()),
            endpoint,
            region: given("S3_REGION").unwrap_or_else(|| "us-east-1".into()),
            bucket: given("S3_BUCKET").unwrap_or_else(|| "heimdex".into()),
            access_key_id: required("S3_ACCESS_KEY_ID")?,
            secret_access_key: required("S3_SECRET_ACCESS_KEY")?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_variables_are_enough_and_a_wrong_one_is_named() {
        let with = |endpoint: &'static str| {
            S3Config::read(&move |name| match name {
                "S3_ENDPOINT" => Some(endpoint.to_owned()),
                "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY" => Some(" key ".to_owned()),
                _ => None,
            })
        };
        let config = with("http://127.0.0.1:8490").unwrap();
        assert_eq!((&config.public_endpoint, config.bucket.as_str()), (&config.endpoint, "heimdex"));
        assert_eq!(config.access_key_id, "key");
        assert_eq!(with("nowhere").unwrap_err().to_string(), "S3_ENDPOINT: `nowhere` is not a URL");
        assert_eq!(with(" ").unwrap_err().to_string(), "S3_ENDPOINT is not set");
    }
}

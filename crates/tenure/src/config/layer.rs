use tenure_core::Result;
use tenure_core::guard::TrustedProxies;
#[cfg(feature = "tower")]
use tenure_tower::SessionLayer;

use super::reader::Reader;
use super::{guards, refused};

/// The settings of the layer, which sees requests before there is a session: `trusted_proxies`,
/// `proxy_headers`, `skip_paths` and `skip_below`.
///
/// Sessions cannot carry them. So that none of them is lost, sessions are built only when they were
/// [taken](super::SessionConfig::take_layer).
///
/// ```
/// # #[cfg(feature = "axum")]
/// # async fn example() -> tenure::Result<()> {
/// use std::net::SocketAddr;
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use tenure::config::SessionConfig;
/// use tenure::tower::SessionLayer;
///
/// # let settings = r#"{"store": "memory:", "trusted_proxies": ["10.0.0.0/8"], "skip_paths": ["/health"]}"#;
/// let mut config = SessionConfig::sources().json(settings).read()?;
/// let settings = config.take_layer();
/// let layer = SessionLayer::new(config.build().await?).peer_from(|request| {
///     request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
/// });
/// let app: Router = Router::new()
///     .route("/health", get(|| async { "ok" }))
///     .layer(settings.apply(layer));
/// # Ok(())
/// # }
/// # #[cfg(feature = "axum")]
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
///
/// # Deployment caveat
/// Trusting proxies by their addresses begins from the address of the peer, which the layer must be
/// told, as above. See [`TrustedProxies`].
#[derive(Clone, Debug, Default)]
#[must_use = "the settings do nothing until they are applied to the layer"]
pub struct LayerConfig {
    proxies: Option<TrustedProxies>,
    skip_paths: Vec<String>,
    skip_below: Vec<String>,
    /// Which of them were set.
    set: Vec<&'static str>,
}

impl LayerConfig {
    /// Tells the layer what was set; what was not stays as it is.
    ///
    /// See the example of [`LayerConfig`].
    #[cfg(feature = "tower")]
    pub fn apply<R>(self, layer: SessionLayer<R>) -> SessionLayer<R> {
        let layer = match self.proxies {
            Some(proxies) => layer.trusted_proxies(proxies),
            None => layer,
        };
        let layer = layer.skip_paths(self.skip_paths);
        self.skip_below.into_iter().fold(layer, SessionLayer::skip_below)
    }

    /// Whom to believe where a request comes from, for what is no layer for tower; nobody, if nothing
    /// was set.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use tenure::{config::SessionConfig, engine::Connection};
    ///
    /// let mut config = SessionConfig::sources().json(r#"{"trusted_proxies": 1}"#).read()?;
    /// let settings = config.take_layer();
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    /// let client = settings.trusted_proxies().resolve(&headers, Connection::new());
    /// assert_eq!(client.ip(), Some("192.0.2.7".parse().unwrap()));
    /// # Ok::<(), tenure::Error>(())
    /// ```
    #[must_use]
    pub fn trusted_proxies(&self) -> TrustedProxies {
        self.proxies.clone().unwrap_or_else(TrustedProxies::none)
    }

    /// The paths of requests that have no session, for what is no layer for tower.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let text = r#"{"skip_paths": ["/health"], "skip_below": ["/assets"]}"#;
    /// let settings = SessionConfig::sources().json(text).read()?.take_layer();
    /// assert_eq!(settings.skip_paths(), ["/health"]);
    /// assert_eq!(settings.skip_below(), ["/assets"]);
    /// # Ok::<(), tenure::Error>(())
    /// ```
    #[must_use]
    pub fn skip_paths(&self) -> &[String] {
        &self.skip_paths
    }

    /// The paths that stand for all below them, too. See the example of
    /// [`skip_paths`](Self::skip_paths).
    #[must_use]
    pub fn skip_below(&self) -> &[String] {
        &self.skip_below
    }

    pub(super) fn of(reader: &mut Reader) -> Self {
        let all = ["trusted_proxies", "proxy_headers", "skip_paths", "skip_below"];
        let set = all.into_iter().filter(|path| reader.has(path)).collect();
        let [skip_paths, skip_below] = ["skip_paths", "skip_below"].map(|name| paths(reader, name));
        Self { proxies: guards::proxies(reader), skip_paths, skip_below, set }
    }

    pub(super) fn check_taken(&self) -> Result<()> {
        if self.set.is_empty() {
            return Ok(());
        }
        Err(refused(format!(
            "{}: only the layer can do that; take its settings first, by \
             `SessionConfig::take_layer`, and apply them to it",
            self.set.join(", ")
        )))
    }
}

fn paths(reader: &mut Reader, setting: &str) -> Vec<String> {
    let paths = reader.read(setting, |entry| {
        let paths = entry.as_list().filter(|paths| paths.iter().all(|path| is_path(path)));
        paths.ok_or_else(|| {
            "write paths that begin with `/`, as they are sent, without a query or a pattern, such \
             as [\"/health\"]"
                .to_owned()
        })
    });
    paths.unwrap_or_default()
}

/// Whether a request may have this path, and not one that only looks like it.
fn is_path(path: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_graphic() && !b"?#*".contains(&octet);
    path.starts_with('/') && path.bytes().all(fits)
}

use tenure_test_servers::{Result, Server};
use tenure_testkit::server::missing;

/// The server, or none when it is not installed, which is counted.
pub(crate) fn installed(server: Result<Server>) -> Option<Server> {
    match server {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            missing(&error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

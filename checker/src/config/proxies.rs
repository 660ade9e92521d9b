//! The environment's variables that name a proxy, by which many programs go and webmon does not.

use runtime::config::ProcessEnvironment;

/// Says in the log that such variables are there, if they are. What they hold is not said: it may be a password.
pub fn warn_of_proxies() {
    let environment = ProcessEnvironment::of_process();
    let variables = environment.proxy_variables();
    if !variables.is_empty() {
        tracing::warn!(
            variables = variables.join(", "),
            "the environment names a proxy, which webmon does not use: write it as request.proxy into the sites \
             file, for all sites below defaults"
        );
    }
}

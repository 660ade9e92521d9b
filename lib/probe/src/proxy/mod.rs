//! `request.proxy`: a check by way of an HTTP proxy.
//!
//! The [`Route`] stands in for the site where the way begins: its name is looked up, and its address vetted and
//! dialled. For `https` a [`tunnel`] through the proxy is opened, and TLS is spoken with the site. For `http` the
//! proxy is asked for the [absolute form](absolute_form) of the URL.
//!
//! What goes wrong up to there is the proxy's, and inconclusive, unless the proxy says what went wrong behind it. The
//! address policy judges the proxy; it cannot judge the addresses behind it.

mod absolute_form;
mod answer;
mod refusal;
mod route;
mod tunnel;

pub(crate) use self::absolute_form::AbsoluteFormConnector;
pub(crate) use self::route::Route;
pub(crate) use self::tunnel::TunnelConnector;

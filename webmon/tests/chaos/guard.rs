//! A server that is started again when it has ended.

use testbed::Server;

use crate::action::Deed;

/// A server, and whether it is to run.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// The server.
    pub(crate) server: Server,
    /// Whether it is to run.
    wanted: bool,
}

impl Guarded {
    /// A server that is to run.
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            wanted: true,
        }
    }

    /// Starts it if it is to run and does not.
    pub(crate) fn supervise(&mut self) {
        if self.wanted {
            self.server.start();
        }
    }

    /// Does something to it.
    pub(crate) fn act(&mut self, deed: Deed) {
        self.wanted = !matches!(deed, Deed::Kill | Deed::Stop | Deed::Wipe);
        match deed {
            Deed::Kill => self.server.kill(),
            Deed::Stop => self.server.quit(),
            Deed::Freeze => self.server.freeze(),
            Deed::Thaw => self.server.thaw(),
            Deed::Wipe => self.server.wipe(),
            Deed::Fill => self.server.fill(),
            Deed::Free => self.server.free(),
            Deed::Start => {}
        }
    }
}

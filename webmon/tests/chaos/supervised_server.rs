//! A server that is started again when it has ended.

use testbed::Server;

use crate::action::Operation;

/// A server, and whether it is to run.
#[derive(Debug)]
pub(crate) struct SupervisedServer {
    /// The server.
    pub(crate) server: Server,
    /// Whether it is to run.
    wanted: bool,
}

impl SupervisedServer {
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
    pub(crate) fn act(&mut self, operation: Operation) {
        self.wanted = !matches!(
            operation,
            Operation::Kill | Operation::Stop | Operation::Wipe
        );
        match operation {
            Operation::Kill => self.server.kill(),
            Operation::Stop => self.server.quit(),
            Operation::Freeze => self.server.freeze(),
            Operation::Thaw => self.server.thaw(),
            Operation::Wipe => self.server.wipe(),
            Operation::Fill => self.server.fill(),
            Operation::Free => self.server.free(),
            Operation::Start => {}
        }
    }
}

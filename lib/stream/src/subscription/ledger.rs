//! Ledger: which offsets may be committed.
//!
//! A position travels with its message to the end. Committed is, per partition, what is durable and
//! contiguous in the order of delivery, and nothing else. So after a crash no message is lost: those that were not
//! done are read again, and also those that were done since the last commit, or behind one that is open. Messages end
//! in any order, so the ledger keeps the open ones, as ranges: a thousand neighbours that are all open are one range.

use std::collections::BTreeMap;

/// Where a message stood, and under which assignment it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partition of the topic.
    pub partition: i32,
    /// The number of the account that it was delivered under; nothing is committed of an account that is closed.
    pub assignment: u64,
    /// The offset in the partition.
    offset: i64,
}

/// The assigned partitions.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The account of each partition.
    accounts: BTreeMap<i32, Account>,
    /// How many accounts were opened.
    assignments: u64,
    /// Whether accounts were opened or closed since the last [`Self::changed`].
    changed: bool,
}

/// One partition under one assignment.
#[derive(Debug)]
struct Account {
    /// See [`Position::assignment`].
    assignment: u64,
    /// The offset after the last one delivered; `None` before the first.
    next: Option<i64>,
    /// Delivered and not done: ranges `start..end` by start.
    open: BTreeMap<i64, i64>,
    /// The offset that was last given out for a commit; whether the commit succeeded is not known.
    last_given_out: Option<i64>,
}

impl Ledger {
    /// Starts new accounts for these partitions.
    pub fn assign(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.open_account(*partition);
        }
    }

    /// Closes the accounts of these partitions: nothing more is committed of them, and another member reads on from
    /// the last commit.
    pub fn revoke(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.accounts.remove(partition);
        }
        self.changed = true;
    }

    /// The current assignment of each partition, if any has changed since this was last asked.
    pub fn changed(&mut self) -> Option<BTreeMap<i32, u64>> {
        let assignment = |(partition, account): (&i32, &Account)| (*partition, account.assignment);
        std::mem::take(&mut self.changed).then(|| self.accounts.iter().map(assignment).collect())
    }

    /// The assigned partitions.
    pub fn partitions(&self) -> impl Iterator<Item = i32> {
        self.accounts.keys().copied()
    }

    /// Whether no partition is assigned.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Opens a message that was just read. An offset that does not go forward means that the partition
    /// was made anew, or is read again: its account starts anew.
    pub fn deliver(&mut self, partition: i32, offset: i64) -> Position {
        let backwards = |account: &Account| account.next.is_some_and(|next| offset < next);
        if self.accounts.get(&partition).is_none_or(backwards) {
            self.open_account(partition);
        }
        let mut assignment = 0;
        if let Some(account) = self.accounts.get_mut(&partition) {
            account.deliver(offset);
            assignment = account.assignment;
        }
        Position {
            partition,
            assignment,
            offset,
        }
    }

    /// Closes a message with which nothing remains to be done.
    pub fn done(&mut self, position: Position) {
        let account = self.accounts.get_mut(&position.partition);
        if let Some(account) = account.filter(|account| account.assignment == position.assignment) {
            account.done(position.offset);
        }
    }

    /// The offsets to commit, per partition that has moved since they were last asked for.
    pub fn commits(&mut self) -> Vec<(i32, i64)> {
        self.accounts
            .iter_mut()
            .filter_map(|(partition, account)| Some((*partition, account.commit()?)))
            .collect()
    }

    /// Starts a new account.
    fn open_account(&mut self, partition: i32) {
        self.assignments += 1;
        self.changed = true;
        let assignment = self.assignments;
        let account = Account {
            assignment,
            next: None,
            open: BTreeMap::new(),
            last_given_out: None,
        };
        self.accounts.insert(partition, account);
    }
}

impl Account {
    /// Opens an offset: the last range grows if it is its neighbour.
    fn deliver(&mut self, offset: i64) {
        self.next = Some(offset + 1);
        match self.open.last_entry() {
            Some(mut last) if *last.get() == offset => *last.get_mut() = offset + 1,
            _ => drop(self.open.insert(offset, offset + 1)),
        }
    }

    /// Closes an offset: its range shrinks, or falls into two.
    fn done(&mut self, offset: i64) {
        let Some((&start, &end)) = self.open.range(..=offset).next_back() else {
            return;
        };
        if offset >= end {
            return;
        }
        self.open.remove(&start);
        if start < offset {
            self.open.insert(start, offset);
        }
        if offset + 1 < end {
            self.open.insert(offset + 1, end);
        }
    }

    /// The offset to commit, if it has moved.
    fn commit(&mut self) -> Option<i64> {
        let durable = self
            .open
            .first_key_value()
            .map(|(start, _)| *start)
            .or(self.next)?;
        let moved = self.last_given_out != Some(durable);
        self.last_given_out = Some(durable);
        moved.then_some(durable)
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;

//! Bytes that are held for a connection.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::account::{Account, MAX_SHARE};
use doyen_core::sync::lock;

/// Bytes that are held: released when dropped.
pub(crate) struct Charge {
    account: Arc<Account>,
    bytes: usize,
    is_response: bool,
}

impl Charge {
    pub(super) fn new(account: &Arc<Account>, bytes: usize) -> Self {
        let mut charge = Self {
            account: Arc::clone(account),
            bytes: 0,
            is_response: false,
        };
        charge.add(bytes);
        charge
    }

    /// Bytes that are charged.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// True if the connection is to be closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.account.is_closing()
    }

    /// Creates another charge of the same account and kind.
    pub(crate) fn sibling(&self, bytes: usize) -> Self {
        let mut sibling = Self {
            account: Arc::clone(&self.account),
            bytes: 0,
            is_response: self.is_response,
        };
        sibling.add(bytes);
        sibling
    }

    /// Turns it into the charge of a response.
    pub(crate) fn into_response(mut self) -> Self {
        if !std::mem::replace(&mut self.is_response, true) {
            lock(&self.account.held).responses += self.bytes;
        }
        self
    }

    /// Changes the charge to this number of bytes.
    pub(crate) fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) if more > 0 => self.add(more),
            Some(_) => {}
            None => self.remove(self.bytes - bytes),
        }
    }

    /// Returns the bytes, which stay charged until the last reference to them is dropped.
    pub(crate) fn attach(self, bytes: Bytes) -> Bytes {
        struct Charged(Bytes, #[allow(dead_code, reason = "held, not read")] Charge);

        impl AsRef<[u8]> for Charged {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Charged(bytes, self))
    }

    /// Charges more. If the limit is reached, the client that holds the most is disconnected, which
    /// may be this one.
    pub(crate) fn add(&mut self, bytes: usize) {
        if !self.fits(bytes) {
            self.account.budget.reclaim(None);
        }
    }

    /// Charges more, unless the limit is reached and this client holds the most.
    pub(crate) fn try_add(&mut self, bytes: usize) -> bool {
        if self.fits(bytes) || self.account.budget.reclaim(Some(&self.account)) {
            return true;
        }
        self.remove(bytes);
        false
    }

    /// Adds bytes; false if all accounts together are over the limit now.
    fn fits(&mut self, bytes: usize) -> bool {
        let budget = &self.account.budget;
        let bytes = bytes.min(budget.limit / MAX_SHARE);
        self.bytes += bytes;
        self.account.add(bytes, self.is_response);
        !budget.is_over()
    }

    /// Releases bytes.
    pub(crate) fn remove(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.account.remove(bytes, self.is_response);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.remove(self.bytes);
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charge").field(&self.bytes).finish()
    }
}

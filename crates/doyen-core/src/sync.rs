//! Locks that ignore poisoning.
//!
//! A lock is poisoned when a thread panics while it holds the guard. The framework catches panics
//! of handlers and keeps serving, and its critical sections leave their data valid at every step.
//! Propagating the poison would only turn one failed request into many.

use std::sync::{
    LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

/// Locks the mutex.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}

/// Locks for shared read access.
pub fn read<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    ignore_poison(lock.read())
}

/// Locks for exclusive write access.
pub fn write<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    ignore_poison(lock.write())
}

/// Returns the guard, whether or not the lock is poisoned. For the results of a condition variable.
pub fn ignore_poison<G>(result: LockResult<G>) -> G {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_usable_after_a_panic_in_another_thread() {
        let (mutex, shared) = (Mutex::new(0), RwLock::new(0));
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let (mut number, mut other) = (lock(&mutex), write(&shared));
                (*number, *other) = (1, 2);
                panic!("while both locks are held");
            });
            assert!(holder.join().is_err());
        });
        assert!(mutex.is_poisoned() && shared.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
        assert_eq!(*read(&shared), 2);
        assert_eq!(*write(&shared), 2);
    }
}

//! Test an application from outside, on both databases

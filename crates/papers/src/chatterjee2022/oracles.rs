//! The theorems on examples that can be done by hand.

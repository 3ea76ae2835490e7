//! Data sets: reading, validation, targets, duplicates.

//! Enclosures of elementary functions.

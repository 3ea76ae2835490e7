//! Certificates of gradcert and their independent checker.

//! Audits: next to given parameters there are others that interpolate exactly (T15), (T16).

pub(crate) mod limits;

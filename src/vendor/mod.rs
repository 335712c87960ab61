//! A stand-in external system.

//! The built app in its real window, driven as a person would.

mod smoke;

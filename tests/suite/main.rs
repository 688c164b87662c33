//! Every test of the whole, in one binary.

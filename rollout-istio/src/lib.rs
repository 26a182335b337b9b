//! Istio traffic backend.

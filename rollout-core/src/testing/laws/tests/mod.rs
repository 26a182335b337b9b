//! Each checker can fail: for every law a sequence of moments, made by hand, that breaks it, and one close
//! to it that does not.

mod about_decisions;
mod about_the_function;
mod about_the_world;
mod scene;

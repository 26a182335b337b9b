//! Proof that each checker can fail: for every law, a hand-made sequence of moments that breaks it, and a similar one
//! that does not.

mod about_decisions;
mod about_the_function;
mod about_the_world;
mod scene;

//! What is said, in all five languages: goldens of whole explanations, and the reasons why nothing came of a purchase.

mod balance;
mod ground;
mod order;
mod why;
mod words;

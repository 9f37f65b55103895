//! Every value of `tests/vectors`, which the real programs made, and what nobody made.

mod express;
mod hostile;
mod http;
mod ktor_files;
mod ktor_form;
mod ktor_json;
mod ktor_transforms;
mod support;
mod tokens;
mod vectors;

use crate::error::{Error, Result};

/// Refuses names of fields whose value would not come back from a form.
pub(crate) fn check_field(name: &str) -> Result<()> {
    let why = if name.is_empty() {
        "fields without a name are not sent"
    } else if name.eq_ignore_ascii_case("_charset_") {
        "browsers put the name of an encoding into a hidden field of that name (HTML, section \
         \"Constructing the entry list\")"
    } else if name.contains(char::is_control) {
        "there are control characters in it, which forms may change"
    } else {
        return Ok(());
    };
    Err(Error::config(format!("csrf_field: {name:?} cannot be one: {why}; take `_csrf`, say")))
}

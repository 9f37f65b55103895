use serde_json::{Map, Number, Value};
use tenure_core::Result;

use super::write::refused;
use super::{TYPE, TypedForm, TypedValue};

pub(super) fn from_json(value: &Value, depth: usize) -> Result<TypedForm> {
    let Value::Object(members) = value else {
        return Err(refused("a session is an object; give one"));
    };
    let mut form = TypedForm::new();
    for (name, value) in members {
        form = match (name.as_str(), value) {
            (TYPE, Value::String(class)) => form.with_type_name(class.as_str()),
            (name, value) => form.with(name, typed(value, depth)?),
        };
    }
    Ok(form)
}

fn typed(value: &Value, depth: usize) -> Result<TypedValue> {
    let depth =
        depth.checked_sub(1).ok_or_else(|| refused("values are nested too deep; flatten them"))?;
    Ok(match value {
        Value::Null => TypedValue::Null,
        Value::Bool(value) => TypedValue::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => match i32::try_from(number) {
                Ok(number) => TypedValue::Int(number),
                Err(_) => TypedValue::Long(number),
            },
            (None, Some(number)) if !is_unsigned(value) => TypedValue::Double(number),
            _ => return Err(refused("an integer is beyond 64 bits; use `BigInteger`")),
        },
        Value::String(text) => TypedValue::Text(text.clone()),
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| typed(element, depth));
            TypedValue::List(elements.collect::<Result<_>>()?)
        }
        Value::Object(_) => TypedValue::Object(from_json(value, depth)?),
    })
}

fn is_unsigned(value: &Value) -> bool {
    value.as_u64().is_some()
}

pub(super) fn to_json(form: &TypedForm) -> Result<Value> {
    let members = form.members.iter().map(|(name, value)| Ok((name.clone(), plain(value)?)));
    let mut object = members.collect::<Result<Map<_, _>>>()?;
    if let Some(name) = &form.type_name {
        object.insert(TYPE.to_owned(), name.as_str().into());
    }
    Ok(Value::Object(object))
}

fn plain(value: &TypedValue) -> Result<Value> {
    Ok(match value {
        TypedValue::Null | TypedValue::Optional(None) => Value::Null,
        TypedValue::Int(number) => (*number).into(),
        TypedValue::Long(number) => (*number).into(),
        TypedValue::Double(number) => Number::from_f64(*number)
            .ok_or_else(|| refused("a number is not finite, which JSON cannot say"))?
            .into(),
        TypedValue::Bool(value) => (*value).into(),
        TypedValue::Char(sign) => sign.to_string().into(),
        TypedValue::Text(text) | TypedValue::BigDecimal(text) | TypedValue::BigInteger(text) => {
            text.as_str().into()
        }
        TypedValue::Optional(Some(present)) => plain(present)?,
        TypedValue::List(elements) | TypedValue::Set(elements) => {
            Value::Array(elements.iter().map(plain).collect::<Result<_>>()?)
        }
        TypedValue::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| match key {
                TypedValue::Text(key) => Ok((key.clone(), plain(value)?)),
                _ => Err(refused("a map has keys that are no text, which JSON cannot say")),
            });
            Value::Object(entries.collect::<Result<_>>()?)
        }
        TypedValue::Object(form) => to_json(form)?,
    })
}

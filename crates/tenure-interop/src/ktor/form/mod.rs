mod json;
mod percent;
mod read;
mod write;

use std::collections::BTreeMap;
use std::collections::btree_map;

use tenure_core::Result;

/// A session in the text form of Ktor until 2.3: `count=%23i3&id=%23sabc`, each member with its type.
///
/// It is read in any order of members and written sorted by name, which all of Ktor's serializers of
/// this form read.
///
/// ```
/// use tenure_interop::ktor::{TypedForm, TypedValue};
///
/// let form = TypedForm::parse("id=%23sabc&count=%23i3").unwrap();
/// assert_eq!(form.get("count"), Some(&TypedValue::Int(3)));
/// assert_eq!(form.to_text()?, "count=%23i3&id=%23sabc");
/// assert_eq!(TypedForm::new().with("member", TypedValue::Bool(true)).to_text()?, "member=%23bot");
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// - The other side's class decides: it needs every member, of that very type.
/// - An empty list needs the reflection serializer on the other side.
/// - `&` in an element of a list, set or map, and `=` in a map's key, do not survive this form;
///   writing them is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypedForm {
    members: BTreeMap<String, TypedValue>,
    type_name: Option<String>,
}

/// A value of a [`TypedForm`].
///
/// ```
/// use tenure_interop::ktor::{TypedForm, TypedValue};
///
/// let tags = TypedValue::List(vec![TypedValue::Text("a".into()), TypedValue::Null]);
/// let form = TypedForm::new().with("tags", tags);
/// assert_eq!(form.to_text()?, "tags=%23cl%23sa%26%23n");
/// assert_eq!(TypedForm::parse("tags=%23cl%23sa%26%23n"), Some(form));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TypedValue {
    /// `null`, written `#n`.
    Null,
    /// `Int`, written `#i1`.
    Int(i32),
    /// `Long`, written `#l1`.
    Long(i64),
    /// `Float` or `Double`, written `#f1.5`.
    Double(f64),
    /// `Boolean`, written `#bot` or `#bof`.
    Bool(bool),
    /// `Char`, written `#chX`.
    Char(char),
    /// `String`, an enum's entry or a `UUID`, written `#sabc`.
    Text(String),
    /// `BigDecimal`, written `#bd1.50`.
    BigDecimal(String),
    /// `BigInteger`, written `#bi1`.
    BigInteger(String),
    /// `Optional`, written `#om` or `#op` and the value.
    Optional(Option<Box<TypedValue>>),
    /// `List`, written `#cl` and the elements.
    List(Vec<TypedValue>),
    /// `Set`, written `#cs` and the elements.
    Set(Vec<TypedValue>),
    /// `Map`, written `#m` and the entries.
    Map(Vec<(TypedValue, TypedValue)>),
    /// An object of another class, written `##` and its members.
    Object(TypedForm),
}

impl TypedForm {
    /// The deepest nesting that is read or written.
    pub const MAX_DEPTH: usize = 32;

    /// A form without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What `text` says; none, whatever is wrong with it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read::form(text, Self::MAX_DEPTH)
    }

    /// The text of this form.
    ///
    /// # Errors
    /// [`ErrorKind::Type`](tenure_core::ErrorKind::Type) for what does not survive this form.
    pub fn to_text(&self) -> Result<String> {
        write::form(self, Self::MAX_DEPTH)
    }

    /// The form that this JSON object becomes: integers an `Int` where they fit, otherwise a `Long`;
    /// other numbers a `Double`; arrays a list; objects an object of a class.
    ///
    /// JSON says less than this form: put right by [`with`](Self::with) what the class has as `Long`,
    /// `Char`, `Set`, `Map` and so on.
    ///
    /// ```
    /// # use tenure_interop::ktor::TypedForm;
    /// let json = serde_json::json!({ "id": "abc", "count": 3 });
    /// assert_eq!(TypedForm::from_json(&json)?.to_text()?, "count=%23i3&id=%23sabc");
    /// assert!(TypedForm::from_json(&serde_json::json!([1])).is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](tenure_core::ErrorKind::Type) for what is no object, and for an integer
    /// beyond 64 bits.
    pub fn from_json(value: &serde_json::Value) -> Result<Self> {
        json::from_json(value, Self::MAX_DEPTH)
    }

    /// This form as a JSON object: sets are arrays, an absent `Optional` is null, and a `BigDecimal`,
    /// a `BigInteger` and a `Char` are texts.
    ///
    /// ```
    /// # use tenure_interop::ktor::TypedForm;
    /// let form = TypedForm::parse("count=%23i3&price=%23bd1.50").unwrap();
    /// assert_eq!(form.to_json()?, serde_json::json!({ "count": 3, "price": "1.50" }));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](tenure_core::ErrorKind::Type) for a `Double` that is no finite number, and
    /// for a map with keys that are no text.
    pub fn to_json(&self) -> Result<serde_json::Value> {
        json::to_json(self)
    }

    /// This form with another member, or with another value of one.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: TypedValue) -> Self {
        self.members.insert(name.into(), value);
        self
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&TypedValue> {
        self.members.get(name)
    }

    /// All members, sorted by name.
    ///
    /// ```
    /// # use tenure_interop::ktor::TypedForm;
    /// let form = TypedForm::parse("id=%23sabc&count=%23i3").unwrap();
    /// assert_eq!(form.members().map(|(name, _)| name).collect::<Vec<_>>(), ["count", "id"]);
    /// ```
    pub fn members(&self) -> impl Iterator<Item = (&str, &TypedValue)> {
        self.members.iter().map(|(name, value): (&String, _)| (name.as_str(), value))
    }

    /// The name of the class, which objects of sealed classes carry.
    ///
    /// ```
    /// # use tenure_interop::ktor::TypedForm;
    /// let form = TypedForm::parse("id=%23sabc&%24type=Guest").unwrap();
    /// assert_eq!(form.type_name(), Some("Guest"));
    /// ```
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.type_name.as_deref()
    }

    /// This form with the name of the class.
    ///
    /// ```
    /// # use tenure_interop::ktor::TypedForm;
    /// assert_eq!(TypedForm::new().with_type_name("Guest").to_text()?, "%24type=Guest");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_type_name(mut self, name: impl Into<String>) -> Self {
        self.type_name = Some(name.into());
        self
    }
}

/// The member that holds the class.
const TYPE: &str = "$type";

impl IntoIterator for TypedForm {
    type Item = (String, TypedValue);
    type IntoIter = btree_map::IntoIter<String, TypedValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

//! Values that `PostgreSQL` has as enums: each is stored by its name, which `contract` alone knows.

use std::fmt::Debug;
use std::str::FromStr;

use contract::outcome::{Outcome, Reason};
use sea_orm::sea_query::{
    ArrayType, ColumnType, IntoIden as _, Nullable, Value, ValueType, ValueTypeErr,
};
use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError, TryGetable};

/// A value of `contract` whose names are those of an enum in `PostgreSQL`.
pub trait NamedValue: Copy + FromStr + 'static {
    /// The enum's name.
    const TYPE: &'static str;

    /// Every value, in the order of the enum.
    const ALL: &'static [Self];

    /// The name of this value.
    fn name(self) -> &'static str;
}

impl NamedValue for Outcome {
    const TYPE: &'static str = "check_outcome";
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl NamedValue for Reason {
    const TYPE: &'static str = "check_reason";
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

/// A named value as a column has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named<T>(pub T);

impl<T: PartialEq> PartialEq<T> for Named<T> {
    fn eq(&self, other: &T) -> bool {
        self.0 == *other
    }
}

impl<T> From<T> for Named<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: NamedValue> From<Named<T>> for Value {
    fn from(value: Named<T>) -> Self {
        value.0.name().into()
    }
}

impl<T: NamedValue> TryGetable for Named<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let name = String::try_get_by(row, index)?;
        let unknown = || DbErr::Type(format!("{} has no value {name:?}", T::TYPE));
        let value = name.parse().map_err(|_| unknown())?;
        Ok(Self(value))
    }
}

impl<T: NamedValue> Nullable for Named<T> {
    fn null() -> Value {
        String::null()
    }
}

impl<T: NamedValue> ValueType for Named<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let name = <String as ValueType>::try_from(value)?;
        name.parse().map(Self).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        T::TYPE.to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Enum {
            name: T::TYPE.into_iden(),
            variants: T::ALL
                .iter()
                .map(|value| value.name().into_iden())
                .collect(),
        }
    }

    fn enum_type_name() -> Option<&'static str> {
        Some(T::TYPE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_postgresql_and_in_text() {
        for outcome in Outcome::ALL {
            let name = String::from(outcome.as_str());
            assert_eq!(Value::from(Named(*outcome)), name.clone().into());
            assert_eq!(Named::<Outcome>::unwrap(name.into()), *outcome);
        }
        for reason in Reason::ALL {
            let name = String::from(reason.as_str());
            assert_eq!(Value::from(Named(*reason)), name.clone().into());
            assert_eq!(Named::<Reason>::unwrap(name.into()), *reason);
        }
    }
}

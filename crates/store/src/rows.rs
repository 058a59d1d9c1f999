//! Between rows and types: words of enums, JSON of structures, numbers. What does not read back was damaged.

use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, ReversePath, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::error::StoreError;

/// The kebab-case word of an enum.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(StoreError::damaged("not a word")),
    }
}

/// The enum of a word.
pub(crate) fn of_word<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word))
        .map_err(|error| StoreError::damaged(error.to_string()))
}

/// JSON of anything.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::damaged(error.to_string()))
}

/// Anything of JSON.
pub(crate) fn of_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(text).map_err(|error| StoreError::damaged(error.to_string()))
}

/// A told sentence as the columns `text` and `said` hold it: its English, for searches and the command line, and its JSON if it has
/// words in another language too.
pub(crate) fn sentence(said: &Saying) -> Result<(String, Option<String>), StoreError> {
    let json = match said {
        Saying::Words(_) => None,
        said => Some(json(said)?),
    };
    Ok((said.to_string(), json))
}

/// A told sentence as a column of its own holds it: words of others as they are, else its JSON.
pub(crate) fn told(said: &Saying) -> Result<String, StoreError> {
    match said {
        Saying::Words(words) if !words.starts_with('{') => Ok(words.clone()),
        said => json(said),
    }
}

/// A size as a column holds it.
pub(crate) fn column(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A size of a column.
pub(crate) fn size(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

/// The columns of a row, as types.
pub(crate) trait Columns {
    /// The column as it is.
    fn field<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &'r self,
        name: &str,
    ) -> Result<T, StoreError>;

    /// A time.
    fn time(&self, name: &str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp(self.field(name)?))
    }
    /// A time, or none.
    fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.field::<Option<i64>>(name)?.map(Timestamp))
    }
    /// The word of an enum.
    fn word<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        of_word(self.field(name)?)
    }
    /// JSON.
    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        of_json(self.field::<&str>(name)?.as_bytes())
    }
    /// An address.
    fn address(&self, name: &str) -> Result<Address, StoreError> {
        address(self.field(name)?)
    }
    /// An address, or none.
    fn optional_address(&self, name: &str) -> Result<Option<Address>, StoreError> {
        self.field::<Option<&str>>(name)?.map(address).transpose()
    }
    /// An envelope sender; null is `<>`.
    fn reverse_path(&self, name: &str) -> Result<ReversePath, StoreError> {
        Ok(self
            .optional_address(name)?
            .map_or(ReversePath::Null, ReversePath::Address))
    }
    /// A told sentence; in English only where it has no other words, or keys that this program does not know.
    fn said(&self) -> Result<Saying, StoreError> {
        let stored: Option<&str> = self.field("said")?;
        let known = stored.and_then(|json| serde_json::from_str(json).ok());
        known.map_or_else(|| Ok(Saying::Words(self.field("text")?)), Ok)
    }
    /// A told sentence of a column of its own.
    fn told(&self, name: &str) -> Result<Option<Saying>, StoreError> {
        let stored: Option<&str> = self.field(name)?;
        let read = |stored: &str| {
            let known = serde_json::from_str(stored).ok();
            let known = known.filter(|_| stored.starts_with('{'));
            known.unwrap_or_else(|| Saying::words(stored))
        };
        Ok(stored.map(read))
    }

    /// An organisation's number.
    fn organisation(&self, name: &str) -> Result<OrganisationId, StoreError> {
        Ok(OrganisationId(self.field(name)?))
    }
}

impl Columns for SqliteRow {
    fn field<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &'r self,
        name: &str,
    ) -> Result<T, StoreError> {
        Ok(self.try_get(name)?)
    }
}

fn address(text: &str) -> Result<Address, StoreError> {
    Address::parse(text).map_err(|error| StoreError::damaged(error.to_string()))
}

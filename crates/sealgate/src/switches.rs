//! Switches by name and word, as commands, pages and the API give them.

use sealgate_core::saying::{Inputs, Saying};
use sealgate_core::tenant::Settings;
use serde_json::Value;

/// `settings` with the switch `name` at `value`; the error is one line that says what to write instead.
pub fn set(settings: Settings, name: &str, value: &str) -> Result<Settings, Saying> {
    let mut changed =
        serde_json::to_value(settings).map_err(|error| Saying::words(error.to_string()))?;
    let place = changed
        .get_mut(name)
        .ok_or_else(|| unknown(name, &settings))?;
    *place = match (&place, value) {
        (Value::Bool(_), "on") => Value::Bool(true),
        (Value::Bool(_), "off") => Value::Bool(false),
        (Value::Bool(_), _) => {
            return Err(Inputs::OnOrOff {
                name: name.to_owned(),
                value: value.to_owned(),
            }
            .into());
        }
        (_, word) => Value::String(word.to_owned()),
    };
    // What stands there instead: `unknown variant ..., expected one of ...`.
    serde_json::from_value(changed).map_err(|error| {
        Inputs::NotOfSwitch {
            name: name.to_owned(),
            value: value.to_owned(),
            why: error.to_string(),
        }
        .into()
    })
}

fn unknown(name: &str, settings: &Settings) -> Saying {
    let words = settings.words();
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    Inputs::NoSwitch {
        name: name.to_owned(),
        names: names.join(", "),
    }
    .into()
}

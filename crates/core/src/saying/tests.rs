use super::*;

fn values(text: &str) -> Vec<&str> {
    let mut names: Vec<_> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn both_languages_name_the_same_values() {
    let mut count = 0;
    for (english, german) in Saying::texts() {
        assert_eq!(values(english), values(german), "{english} / {german}");
        count += 1;
    }
    assert!(count > 150, "{count}");
}

#[test]
fn a_saying_is_small_json_and_comes_back() {
    let saying = Saying::from(Changes::MoveRule {
        id: 7,
        from: 3,
        to: 1,
    });
    let json = serde_json::to_string(&saying).unwrap();
    assert_eq!(
        json,
        r#"{"changes":{"move-rule":{"id":7,"from":3,"to":1}}}"#
    );
    assert_eq!(serde_json::from_str::<Saying>(&json).unwrap(), saying);
}

#[test]
fn inner_sayings_and_times_are_told_in_the_language() {
    let until = Timestamp(1_767_225_600);
    let saying = Saying::from(Accounts::TokenMade {
        name: "backup".into(),
        what: Accounts::ToRole { role: Role::Read }.into(),
        until,
    });
    assert_eq!(
        saying.to_string(),
        "make API token backup, role read, until 2026-01-01T00:00:00Z"
    );
    assert_eq!(
        saying.told(Language::De),
        "API-Token backup gemacht, Rolle Lesen, gültig bis 01.01.2026, 00:00 Uhr (UTC)"
    );
}

#[test]
fn words_of_others_stay_as_they_are() {
    let saying = Saying::from(Certificates::WillNotCome {
        address: "a@example.com".into(),
        why: Box::new(Saying::words("rejectedIdentifier {x}")),
    });
    assert!(
        saying
            .told(Language::De)
            .ends_with("rejectedIdentifier {x}")
    );
}

/// What another server said stands in quotation marks, and nothing of it ends them, hides or turns the direction of writing.
#[test]
fn words_of_other_servers_are_quoted() {
    let words = "no such \"person\"".to_owned();
    let table: [(Saying, &str, &str); 4] = [
        (
            Authorities::Says {
                words: words.clone(),
            }
            .into(),
            "the authority says: \"no such 'person'\"",
            "Die Zertifizierungsstelle sagt: „no such 'person'“",
        ),
        (
            Servers::Answered {
                reply: "550 5.1.1 no".into(),
            }
            .into(),
            "the server answered: \"550 5.1.1 no\"",
            "der Server hat geantwortet: „550 5.1.1 no“",
        ),
        (
            Servers::Reported { words }.into(),
            "\"no such 'person'\"",
            "„no such 'person'“",
        ),
        (
            Servers::Answered {
                reply: "550 x“; „an operator” may\u{202e}\u{2066}\u{2028}\r\nallow it".into(),
            }
            .into(),
            "the server answered: \"550 x'; 'an operator' may     allow it\"",
            "der Server hat geantwortet: „550 x'; 'an operator' may     allow it“",
        ),
    ];
    for (saying, english, german) in table {
        assert_eq!(saying.to_string(), english);
        assert_eq!(saying.told(Language::De), german);
    }
}

#[test]
fn names_are_listed_in_the_language() {
    let names = |count: usize| ["a", "b", "c"].map(str::to_owned)[..count].to_vec();
    let table = [
        (0, "", ""),
        (1, "a", "a"),
        (2, "a and b", "a oder b"),
        (3, "a, b and c", "a, b oder c"),
    ];
    for (count, all, any) in table {
        assert_eq!(Names::All(names(count)).told(Language::En), all);
        assert_eq!(Names::Any(names(count)).told(Language::De), any);
    }
}

//! The list of rules: put, edited, moved, deleted and restored one by one, against a list that does the same the simple way.

use sealgate_core::change::{Change, MoveRule};
use sealgate_core::rules::{InboundMode, OutboundMode, Rule, RuleId};

use crate::RuleQuery;
use crate::error::StoreError;
use crate::limits::REMOVED_RULE_SECONDS;
use crate::testing::{NOW, World, world};

fn rule(external: &str) -> Rule {
    Rule {
        id: RuleId(0),
        managed: "all".parse().unwrap(),
        external: external.parse().unwrap(),
        inbound: None,
        outbound: Some(OutboundMode::Optional),
    }
}

async fn apply(world: &World, change: Change) -> Result<u64, StoreError> {
    world.store.apply("example", &[change], "test", NOW).await
}

async fn listed(world: &World) -> Vec<Rule> {
    let rules = world.store.described("example").await.unwrap().rules;
    let query = RuleQuery {
        limit: 1_000,
        ..RuleQuery::default()
    };
    let page = world.store.rule_page(world.organisation, &query).await;
    let page = page.unwrap();
    let places: Vec<u64> = page.iter().map(|row| row.priority).collect();
    assert_eq!(places, (1..).take(page.len()).collect::<Vec<u64>>());
    let page: Vec<Rule> = page.into_iter().map(|row| row.rule).collect();
    assert_eq!(page, rules, "the page and the snapshot have one order");
    rules
}

fn moved(rules: &[Rule], from: usize, to: usize) -> Change {
    Change::MoveRule(MoveRule {
        id: rules[from - 1].id,
        from,
        to,
        passes: Some(rules[to - 1].id),
    })
}

#[tokio::test]
async fn a_new_rule_comes_first() {
    let world = world().await;
    for name in ["a.example", "b.example", "c.example"] {
        apply(&world, Change::AddRule(rule(name))).await.unwrap();
    }
    let names: Vec<String> = listed(&world)
        .await
        .iter()
        .map(|rule| rule.external.to_string())
        .collect();
    assert_eq!(names, ["c.example", "b.example", "a.example"]);
}

#[tokio::test]
async fn moves_are_as_in_a_simple_list() {
    let world = world().await;
    let first: Vec<Rule> = (0..9).map(|n| rule(&format!("r{n}.example"))).collect();
    apply(&world, Change::Rules(first)).await.unwrap();
    let mut expected = listed(&world).await;
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from((random >> 33) % below).unwrap() + 1
    };
    for _ in 0..120 {
        let (from, to) = (next(9), next(9));
        apply(&world, moved(&expected, from, to)).await.unwrap();
        let own = expected.remove(from - 1);
        expected.insert(to - 1, own);
        assert_eq!(listed(&world).await, expected, "from {from} to {to}");
    }
}

/// Always between the same two: the gaps are used up, and all get new numbers.
#[tokio::test]
async fn there_is_always_room_between_two_rules() {
    let world = world().await;
    let first: Vec<Rule> = (0..4).map(|n| rule(&format!("r{n}.example"))).collect();
    apply(&world, Change::Rules(first)).await.unwrap();
    let mut expected = listed(&world).await;
    for _ in 0..60 {
        apply(&world, moved(&expected, 4, 2)).await.unwrap();
        let own = expected.remove(3);
        expected.insert(1, own);
    }
    assert_eq!(listed(&world).await, expected);
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_lost() {
    let world = world().await;
    let first: Vec<Rule> = (0..3).map(|n| rule(&format!("r{n}.example"))).collect();
    apply(&world, Change::Rules(first)).await.unwrap();
    let seen = listed(&world).await;
    let strict = Rule {
        inbound: Some(InboundMode::Enforce),
        ..seen[0].clone()
    };
    let edit = |becomes: &Rule| Change::EditRule {
        was: seen[0].clone(),
        becomes: becomes.clone(),
    };
    apply(&world, edit(&strict)).await.unwrap();
    let absent = Rule {
        id: RuleId(4_711),
        ..seen[0].clone()
    };
    let late: Vec<(&str, Change)> = vec![
        ("edit", edit(&seen[0])),
        ("delete", Change::RemoveRule(seen[0].clone())),
        (
            "stale priority",
            Change::MoveRule(MoveRule {
                id: seen[2].id,
                from: 2,
                to: 1,
                passes: None,
            }),
        ),
        (
            "stale neighbour",
            Change::MoveRule(MoveRule {
                id: seen[2].id,
                from: 3,
                to: 2,
                passes: Some(seen[0].id),
            }),
        ),
        (
            "too far",
            Change::MoveRule(MoveRule {
                id: seen[2].id,
                from: 3,
                to: 4,
                passes: None,
            }),
        ),
    ];
    for (name, change) in late {
        let refusal = apply(&world, change).await;
        assert!(matches!(refusal, Err(StoreError::Refused(_))), "{name}");
    }
    let gone = apply(&world, Change::RemoveRule(absent)).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    let expected = [strict, seen[1].clone(), seen[2].clone()];
    assert_eq!(listed(&world).await, expected);
}

#[tokio::test]
async fn a_deletion_can_be_taken_back_for_a_while() {
    let world = world().await;
    let first: Vec<Rule> = (0..4).map(|n| rule(&format!("r{n}.example"))).collect();
    apply(&world, Change::Rules(first)).await.unwrap();
    let before = listed(&world).await;
    let remove = Change::RemoveRule(before[2].clone());
    apply(&world, remove.clone()).await.unwrap();
    let removed = world.store.removed_rules(world.organisation, NOW);
    let removed = removed.await.unwrap();
    assert_eq!((removed[0].priority, &removed[0].rule), (3, &before[2]));
    apply(&world, Change::RestoreRule(before[2].id))
        .await
        .unwrap();
    assert_eq!(listed(&world).await, before);

    apply(&world, remove).await.unwrap();
    let later = NOW.plus(REMOVED_RULE_SECONDS + 1);
    let restore = [Change::RestoreRule(before[2].id)];
    let late = world.store.apply("example", &restore, "test", later).await;
    assert!(matches!(late, Err(StoreError::NotFound(_))));
    let left = world.store.removed_rules(world.organisation, later);
    assert!(left.await.unwrap().is_empty());
}

#[tokio::test]
async fn the_list_is_searched_and_paged() {
    let world = world().await;
    let mut rules: Vec<Rule> = (0..30).map(|n| rule(&format!("r{n}.example"))).collect();
    rules[20] = rule("all");
    apply(&world, Change::Rules(rules)).await.unwrap();
    let table: &[(u64, Option<&str>, u32, &[u64])] = &[
        (0, None, 3, &[1, 2, 3]),
        (28, None, 3, &[29, 30]),
        (0, Some("R7.Example"), 9, &[8]),
        (0, Some("r1"), 3, &[2, 11, 12]),
        (12, Some("r1"), 3, &[13, 14, 15]),
        (0, Some("Nothing"), 3, &[]),
        (30, None, 3, &[]),
    ];
    for (after, search, limit, expected) in table {
        let query = RuleQuery {
            after: *after,
            search: search.map(str::to_owned),
            limit: *limit,
        };
        let page = world.store.rule_page(world.organisation, &query).await;
        let page: Vec<u64> = page.unwrap().iter().map(|row| row.priority).collect();
        assert_eq!(page, *expected, "{query:?}");
    }
}

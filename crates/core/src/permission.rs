//! Who may do what: roles in an organisation, resellers, the operator, and what a request needs (requirements.md S62, S93).

use serde::{Deserialize, Serialize};

use crate::tenant::OrganisationId;

/// Number of a portal user in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Number of a reseller in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResellerId(pub i64);

/// What a user or an API token is in an organisation; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees routes, mailboxes, rules, keys and the mail overview.
    Read,
    /// Also changes them, and decides about held mail.
    Write,
    /// Also users, API tokens, authorities, trust, sending clients, switches and the audit log.
    Admin,
}

impl Role {
    /// The word of the API and of lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What somebody was given: a user, or an API token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Runs the installation.
    pub operator: bool,
    /// Books licences for the organisations of this reseller.
    pub reseller: Option<ResellerId>,
    /// Roles in organisations, each organisation once.
    pub roles: Vec<(OrganisationId, Role)>,
}

impl Grants {
    /// The role in `organisation`. The operator is an administrator everywhere: the command line lets him be one, and the audit
    /// log names him.
    pub fn role(&self, organisation: OrganisationId) -> Option<Role> {
        if self.operator {
            return Some(Role::Admin);
        }
        let mut own = self.roles.iter().filter(|(id, _)| *id == organisation);
        own.next().map(|(_, role)| *role)
    }
}

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// To be somebody: one's own account.
    Oneself,
    /// A role in the organisation, or a higher one.
    Role(Role),
    /// To book licences for the organisation.
    Book,
    /// To be a reseller.
    Resell,
    /// To run the installation.
    Operate,
}

/// The organisation that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Its number.
    pub organisation: OrganisationId,
    /// Who books its licences.
    pub reseller: Option<ResellerId>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Do it.
    Allowed,
    /// Say that the role is not enough: it is known to them that the thing exists.
    Forbidden,
    /// Say that there is no such thing: nothing of it is known to them.
    Hidden,
}

/// Whether `grants` are enough for `permission` on `whose` organisation; none where the request is about no organisation.
pub fn decide(grants: &Grants, permission: Permission, whose: Option<Whose>) -> Verdict {
    let allowed = |yes: bool, otherwise| if yes { Verdict::Allowed } else { otherwise };
    match (permission, whose) {
        (Permission::Oneself, _) => Verdict::Allowed,
        (Permission::Operate, _) => allowed(grants.operator, Verdict::Hidden),
        (Permission::Resell, _) => allowed(
            grants.operator || grants.reseller.is_some(),
            Verdict::Hidden,
        ),
        (Permission::Role(_) | Permission::Book, None) => Verdict::Hidden,
        (Permission::Role(needed), Some(whose)) => match grants.role(whose.organisation) {
            Some(role) => allowed(role >= needed, Verdict::Forbidden),
            None if books(grants, whose) => Verdict::Forbidden,
            None => Verdict::Hidden,
        },
        (Permission::Book, Some(whose)) if books(grants, whose) => Verdict::Allowed,
        (Permission::Book, Some(whose)) => match grants.role(whose.organisation) {
            Some(_) => Verdict::Forbidden,
            None => Verdict::Hidden,
        },
    }
}

fn books(grants: &Grants, whose: Whose) -> bool {
    grants.operator || (grants.reseller.is_some() && grants.reseller == whose.reseller)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Whose = Whose {
        organisation: OrganisationId(1),
        reseller: Some(ResellerId(7)),
    };
    const NEEDS: [Permission; 7] = [
        Permission::Oneself,
        Permission::Role(Role::Read),
        Permission::Role(Role::Write),
        Permission::Role(Role::Admin),
        Permission::Book,
        Permission::Resell,
        Permission::Operate,
    ];

    fn verdicts(grants: &Grants) -> String {
        let letter = |permission| match decide(grants, permission, Some(OURS)) {
            Verdict::Allowed => 'A',
            Verdict::Forbidden => 'f',
            Verdict::Hidden => 'h',
        };
        NEEDS.into_iter().map(letter).collect()
    }

    fn member(role: Role) -> Grants {
        Grants {
            roles: vec![(OrganisationId(2), Role::Admin), (OrganisationId(1), role)],
            ..Grants::default()
        }
    }

    fn reseller(id: i64) -> Grants {
        Grants {
            reseller: Some(ResellerId(id)),
            ..Grants::default()
        }
    }

    #[test]
    fn who_may_what_in_an_organisation() {
        let stranger = Grants {
            roles: vec![(OrganisationId(2), Role::Admin)],
            ..Grants::default()
        };
        let operator = Grants {
            operator: true,
            ..Grants::default()
        };
        //                     oneself, read, write, admin, book, resell, operate
        for (who, grants, expected) in [
            ("nothing", Grants::default(), "Ahhhhhh"),
            (
                "an administrator of another organisation",
                stranger,
                "Ahhhhhh",
            ),
            ("reader", member(Role::Read), "AAfffhh"),
            ("writer", member(Role::Write), "AAAffhh"),
            ("administrator", member(Role::Admin), "AAAAfhh"),
            ("its reseller", reseller(7), "AfffAAh"),
            ("another reseller", reseller(8), "AhhhhAh"),
            ("operator", operator, "AAAAAAA"),
        ] {
            assert_eq!(verdicts(&grants), expected, "{who}");
        }
    }

    #[test]
    fn an_organisation_without_reseller_is_nobodys() {
        let whose = Whose {
            reseller: None,
            ..OURS
        };
        let nobody = Grants::default();
        assert_eq!(
            decide(&nobody, Permission::Book, Some(whose)),
            Verdict::Hidden
        );
        assert_eq!(
            decide(&reseller(7), Permission::Book, Some(whose)),
            Verdict::Hidden
        );
    }

    #[test]
    fn without_an_organisation_no_role_is_enough() {
        for permission in [Permission::Role(Role::Read), Permission::Book] {
            let operator = Grants {
                operator: true,
                ..Grants::default()
            };
            assert_eq!(decide(&operator, permission, None), Verdict::Hidden);
        }
    }
}

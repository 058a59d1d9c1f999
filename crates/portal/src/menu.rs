//! The menu beside every page: what there is, in the seeds' order and words, as far as whoever looks may use it.

use std::sync::LazyLock;

use sealgate_core::permission::Permission;

use crate::lang::key;
use crate::pages;

/// The menu of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// Its groups, none of them empty.
    pub groups: Vec<Group>,
}

/// Items that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Key of its title in the catalogues.
    pub title: Option<&'static str>,
    /// Its items.
    pub items: Vec<Item>,
}

/// A way to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Key of its text in the catalogues.
    pub text: &'static str,
    /// Where it leads.
    pub address: String,
    /// Whether the page is there, or below.
    pub is_here: bool,
}

/// Title, then text and route of each item. What has no route is not in the menu.
type Row = (
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
);

const GROUPS: [Row; 7] = [
    (None, &[(key("nav-overview"), "/o/{organisation}")]),
    (
        Some(key("nav-mail-security")),
        &[
            (key("nav-inbound"), "/o/{organisation}/inbound"),
            (key("nav-mails"), "/o/{organisation}/mails"),
            (key("nav-held"), "/o/{organisation}/held"),
        ],
    ),
    (
        Some(key("nav-mail-security-smime")),
        &[
            (key("nav-smime"), "/o/{organisation}/smime/mailboxes"),
            (key("nav-rules"), "/o/{organisation}/smime/rules"),
            (key("nav-keys"), "/o/{organisation}/smime/keys"),
        ],
    ),
    (
        Some(key("nav-trust-group")),
        &[
            (key("nav-certificates"), "/o/{organisation}/certificates"),
            (key("nav-domains"), "/o/{organisation}/domains"),
            (key("nav-authorities"), "/o/{organisation}/authorities"),
            (key("nav-trust"), "/o/{organisation}/trust"),
        ],
    ),
    (
        Some(key("nav-organisation")),
        &[
            (key("nav-clients"), "/o/{organisation}/clients"),
            (key("nav-users"), "/o/{organisation}/users"),
            (key("nav-tokens"), "/o/{organisation}/tokens"),
            (key("nav-webhooks"), "/o/{organisation}/webhooks"),
            (key("nav-audit"), "/o/{organisation}/audit"),
            (key("nav-events"), "/o/{organisation}/events"),
            (key("nav-settings"), "/o/{organisation}/settings"),
        ],
    ),
    (
        Some(key("nav-system-group")),
        &[
            (key("nav-system"), "/system"),
            (key("nav-organisations"), "/system/organisations"),
            (key("nav-users"), "/system/users"),
            (key("nav-resellers"), "/system/resellers"),
            (key("nav-queue"), "/system/queue"),
        ],
    ),
    (
        None,
        &[
            (key("nav-licences"), "/reseller"),
            (key("account"), "/account"),
            (key("nav-help"), "/o/{organisation}/help"),
            (key("nav-help"), "/help"),
        ],
    ),
];

/// Pages that belong to an item whose address is not above theirs: the tabs of "Public keys".
const ELSEWHERE: [(&str, &str); 2] = [
    ("/smime/directories", "/smime/keys"),
    ("/smime/partners", "/smime/keys"),
];

/// What each page needs that has a place in the menu.
static NEEDS: LazyLock<Vec<(&'static str, Option<Permission>)>> = LazyLock::new(|| {
    let routes = pages::routes();
    let gets = routes.iter().filter(|route| route.method == "GET");
    gets.map(|route| (route.path, route.needs)).collect()
});

impl Menu {
    /// The menu of the page at `path`, in `organisation` if it is about one; `may` says what whoever looks is allowed to.
    pub fn of(path: &str, organisation: Option<&str>, may: impl Fn(Permission) -> bool) -> Self {
        let is_open = |route: &str| {
            let mut own = NEEDS.iter().filter(|(path, _)| *path == route);
            own.next().is_some_and(|(_, needs)| needs.is_none_or(&may))
        };
        let mut groups = Vec::new();
        for (title, rows) in GROUPS {
            let open = rows.iter().filter(|(_, route)| is_open(route));
            let items: Vec<Item> = open
                .filter_map(|(text, route)| {
                    Some(Item {
                        text,
                        address: address(route, organisation)?,
                        is_here: false,
                    })
                })
                .collect();
            if !items.is_empty() {
                groups.push(Group { title, items });
            }
        }
        let mut menu = Self { groups };
        menu.mark(path);
        menu
    }

    /// Marks the item that leads closest to `path`.
    fn mark(&mut self, path: &str) {
        let mut path = path.to_owned();
        for (below, item) in ELSEWHERE {
            path = path.replacen(below, item, 1);
        }
        let path = path.as_str();
        let items = self.groups.iter_mut().flat_map(|group| &mut group.items);
        let nearest = items
            .filter(|item| leads_to(&item.address, path))
            .max_by_key(|item| item.address.len());
        if let Some(item) = nearest {
            item.is_here = true;
        }
    }
}

/// Where the route leads; none if it is about an organisation and the page is not, or the other way round for the help.
fn address(route: &str, organisation: Option<&str>) -> Option<String> {
    match (route.contains("{organisation}"), organisation) {
        (true, Some(name)) => Some(route.replace("{organisation}", name)),
        (true, None) => None,
        (false, Some(_)) if route == "/help" => None,
        (false, _) => Some(route.to_owned()),
    }
}

/// Whether `path` is `address` or lies below it. The overview has no pages below.
fn leads_to(address: &str, path: &str) -> bool {
    let rest = path.strip_prefix(address);
    let is_overview = address
        .strip_prefix("/o/")
        .is_some_and(|name| !name.contains('/'));
    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && !is_overview))
}

#[cfg(test)]
mod tests {
    use sealgate_core::permission::Role;

    use super::*;

    fn addresses(menu: &Menu) -> Vec<&str> {
        let items = menu.groups.iter().flat_map(|group| &group.items);
        items.map(|item| item.address.as_str()).collect()
    }

    fn here(menu: &Menu) -> Vec<&str> {
        let items = menu.groups.iter().flat_map(|group| &group.items);
        let marked = items.filter(|item| item.is_here);
        marked.map(|item| item.address.as_str()).collect()
    }

    const fn reads(permission: Permission) -> bool {
        matches!(
            permission,
            Permission::Oneself | Permission::Role(Role::Read)
        )
    }

    #[test]
    fn a_reader_sees_what_readers_may_use() {
        let menu = Menu::of("/o/x/help", Some("x"), reads);
        let addresses = addresses(&menu);
        assert!(addresses.contains(&"/o/x/smime/mailboxes"), "{addresses:?}");
        assert!(addresses.contains(&"/o/x/help"));
        for hidden in [
            "/o/x/audit",
            "/o/x/settings",
            "/system/organisations",
            "/reseller",
            "/help",
        ] {
            assert!(!addresses.contains(&hidden), "{hidden}");
        }
        assert!(menu.groups.iter().all(|group| !group.items.is_empty()));
    }

    #[test]
    fn the_operator_sees_the_installation_and_the_organisation() {
        let menu = Menu::of("/system/organisations", Some("x"), |_| true);
        let addresses = addresses(&menu);
        for shown in ["/o/x/audit", "/system/organisations", "/reseller"] {
            assert!(addresses.contains(&shown), "{shown}");
        }
    }

    #[test]
    fn without_an_organisation_nothing_of_one_is_shown() {
        let menu = Menu::of("/organisations", None, |_| true);
        assert!(
            addresses(&menu)
                .iter()
                .all(|address| !address.starts_with("/o/"))
        );
        assert!(addresses(&menu).contains(&"/help"));
    }

    #[test]
    fn the_page_itself_or_the_nearest_above_is_marked() {
        for (path, marked) in [
            ("/o/x/smime/mailboxes", Some("/o/x/smime/mailboxes")),
            ("/o/x/smime/mailboxes/a@b", Some("/o/x/smime/mailboxes")),
            ("/o/x/smime/rules/new", Some("/o/x/smime/rules")),
            ("/o/x/smime/directories/new", Some("/o/x/smime/keys")),
            ("/o/x/smime/partners", Some("/o/x/smime/keys")),
            ("/system/organisations", Some("/system/organisations")),
            ("/o/x/nothing", None),
            ("/o/x/helpful", None),
        ] {
            let menu = Menu::of(path, Some("x"), |_| true);
            assert_eq!(
                here(&menu),
                marked.into_iter().collect::<Vec<_>>(),
                "{path}"
            );
        }
    }
}

//! Organisations, for the operator; licences, for resellers.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use sealgate_core::tenant::Language;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Book, Operate, Posted, Resell};
use crate::office::organisations::{Booking, Customer, CustomerFilter, NewOrganisation};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Operate, _, _>("/system/organisations", list),
        post::<Operate, _, _>("/system/organisations", create),
        get::<Resell, _, _>("/reseller", customers),
        get::<Book, _, _>("/o/{organisation}/licence", licence),
        post::<Book, _, _>("/o/{organisation}/licence", book),
    ]
}

#[derive(Template)]
#[template(path = "organisations/list.html")]
struct List {
    view: View,
    filter: CustomerFilter,
    customers: Page<Customer>,
    /// Whether organisations can be made and entered here.
    of_all: bool,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    fn answer(
        view: View,
        filter: CustomerFilter,
        paging: &Paging,
        (customers, of_all): (Page<Customer>, bool),
    ) -> Result<Response, Problem> {
        let (first, next) = next_page(&view, &filter, paging, &customers);
        page(&Self {
            view,
            filter,
            customers,
            of_all,
            first,
            next,
        })
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
    Query(filter): Query<CustomerFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let customers = portal
        .office
        .organisations(&visit.permitted, &filter, &paging)
        .await?;
    List::answer(visit.view, filter, &paging, (customers, true))
}

async fn customers(
    State(portal): State<Portal>,
    visit: Visit<Resell>,
    Query(filter): Query<CustomerFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let customers = portal
        .office
        .customers(&visit.permitted, &filter, &paging)
        .await?;
    List::answer(visit.view, filter, &paging, (customers, false))
}

#[derive(Deserialize)]
struct Named {
    name: String,
    language: Language,
}

async fn create(
    State(portal): State<Portal>,
    Posted(permitted, named): Posted<Operate, Named>,
) -> Result<Response, Problem> {
    let new = NewOrganisation {
        name: named.name.trim().to_owned(),
        language: named.language,
    };
    portal.office.create_organisation(&permitted, &new).await?;
    let notice = Notice::new("organisation-created").text("name", &new.name);
    done(&portal, &permitted, notice, "/system/organisations").await
}

#[derive(Template)]
#[template(path = "organisations/licence.html")]
struct Licence {
    view: View,
    customer: Customer,
}

impl Licence {
    fn base(&self) -> String {
        let booked = self.customer.booked.as_ref();
        booked.map_or_else(String::new, |booked| booked.base.to_string())
    }

    fn smime(&self) -> String {
        let booked = self.customer.booked.as_ref();
        booked.map_or_else(String::new, |booked| booked.smime.to_string())
    }

    /// The last day of the term, as the field for a date has it.
    fn last_day(&self) -> String {
        let until = self
            .customer
            .booked
            .as_ref()
            .and_then(|booked| booked.until);
        let day = until.map(|until| until.0.plus(-1).rfc3339());
        day.and_then(|day| day.get(..10).map(str::to_owned))
            .unwrap_or_default()
    }
}

async fn licence(State(portal): State<Portal>, visit: Visit<Book>) -> Result<Response, Problem> {
    let customer = portal.office.licence(&visit.permitted).await?;
    page(&Licence {
        view: visit.view,
        customer,
    })
}

async fn book(
    State(portal): State<Portal>,
    Posted(permitted, booking): Posted<Book, BookingForm>,
) -> Result<Response, Problem> {
    let booking = Booking {
        base: booking.base,
        smime: booking.smime,
        until: Some(booking.until).filter(|day| !day.is_empty()),
    };
    portal.office.book(&permitted, &booking).await?;
    let to = format!("/o/{}/licence", permitted.organisation_name());
    done(&portal, &permitted, Notice::new("licences-booked"), &to).await
}

#[derive(Deserialize)]
struct BookingForm {
    base: u32,
    smime: u32,
    #[serde(default)]
    until: String,
}

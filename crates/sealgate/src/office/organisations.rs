//! The portal's questions about organisations and their licences.

use async_trait::async_trait;
use sealgate_core::licence::Licence;
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::Settings;
use sealgate_mail::Timestamp;
use sealgate_portal::auth::{Book, Operate, Permitted, Resell};
use sealgate_portal::office::organisations::{
    Booked, Booking, Customer, CustomerFilter, NewOrganisation, Organisations,
};
use sealgate_portal::office::{Asked, At, Page, Paging};
use sealgate_portal::problem::Problem;
use sealgate_store::{CustomerQuery, CustomerRow};

use super::{DAY, PortalOffice, one_page, problem};
use crate::gateway::now;

#[async_trait]
impl Organisations for PortalOffice {
    async fn organisations(
        &self,
        _: &Permitted<Operate>,
        filter: &CustomerFilter,
        paging: &Paging,
    ) -> Asked<Page<Customer>> {
        self.customer_page(CustomerQuery::default(), filter, paging)
            .await
    }

    async fn create_organisation(
        &self,
        who: &Permitted<Operate>,
        new: &NewOrganisation,
    ) -> Asked<()> {
        let settings = Settings {
            language: new.language,
            ..Settings::default()
        };
        let store = &self.0.store;
        let made = store.create_organisation(&new.name, settings, who.who(), now());
        made.await.map_err(problem)?;
        Ok(())
    }

    async fn customers(
        &self,
        who: &Permitted<Resell>,
        filter: &CustomerFilter,
        paging: &Paging,
    ) -> Asked<Page<Customer>> {
        let grants = &who.authenticated().grants;
        let query = CustomerQuery {
            reseller: grants.reseller.filter(|_| !grants.operator),
            ..CustomerQuery::default()
        };
        self.customer_page(query, filter, paging).await
    }

    async fn licence(&self, who: &Permitted<Book>) -> Asked<Customer> {
        let row = self.0.store.customer(who.organisation()).await;
        Ok(shown(row.map_err(problem)?))
    }

    async fn book(&self, who: &Permitted<Book>, booking: &Booking) -> Asked<Customer> {
        let until = booking.until.as_deref().map(last_day).transpose()?;
        let licence = Licence::book(booking.base, booking.smime, until);
        let licence = licence.map_err(|why| Problem::wrong("smime", why))?;
        let store = &self.0.store;
        let booked = store.book(who.organisation(), Some(licence), who.who(), now());
        booked.await.map_err(problem)?;
        self.licence(who).await
    }
}

impl PortalOffice {
    async fn customer_page(
        &self,
        query: CustomerQuery,
        filter: &CustomerFilter,
        paging: &Paging,
    ) -> Asked<Page<Customer>> {
        let query = CustomerQuery {
            search: filter.search.clone(),
            after: paging.after.clone(),
            limit: paging.rows(),
            ..query
        };
        let rows = self.0.store.customers(&query).await.map_err(problem)?;
        let place = |row: &CustomerRow| row.name.clone();
        Ok(one_page(rows, paging, (place, shown)))
    }
}

/// The end of a day such as 2027-12-31, in UTC.
fn last_day(text: &str) -> Asked<Timestamp> {
    let start = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    let wrong = || Problem::wrong("until", Inputs::LastDay {});
    Ok(start.ok_or_else(wrong)?.plus(DAY))
}

fn shown(row: CustomerRow) -> Customer {
    let licence = row.quota.licence;
    Customer {
        organisation: row.name,
        created: At(row.created),
        reseller: row.reseller,
        known: row.known,
        held: row.quota.held,
        free: row.quota.free(),
        booked: licence.map(|licence| Booked {
            base: licence.base,
            smime: licence.smime,
            until: licence.until.map(At),
            over: licence.is_over(now()),
        }),
    }
}

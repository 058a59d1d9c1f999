//! How many sessions there are, in all and of each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

/// The places of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    taken: Arc<Mutex<Taken>>,
    most: usize,
    most_of_one: usize,
    /// Proxies: behind each are many, so that only the limit of all counts.
    proxies: Arc<[IpNet]>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// One place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    network: IpAddr,
}

impl Places {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            taken: Arc::default(),
            most,
            most_of_one,
            proxies: Arc::default(),
        }
    }

    /// The same, where behind each address of `proxies` there are many.
    pub(crate) fn behind(self, proxies: &[IpNet]) -> Self {
        Self {
            proxies: proxies.into(),
            ..self
        }
    }

    /// A place for a client at `address`, if there is one.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut taken = self.lock();
        let of_one = taken.by_network.get(&network).copied().unwrap_or(0);
        let is_proxy = || {
            let address = address.to_canonical();
            self.proxies.iter().any(|proxy| proxy.contains(&address))
        };
        let is_too_many = of_one >= self.most_of_one && !is_proxy();
        if taken.all >= self.most || is_too_many {
            return None;
        }
        taken.all += 1;
        taken.by_network.insert(network, of_one + 1);
        Some(Place {
            places: self.clone(),
            network,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        match taken.by_network.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.by_network.remove(&self.network)),
        }
    }
}

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which is what one site has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << 64;
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let places = Places::new(3, 2);
        let first = places.enter(ip("192.0.2.1")).unwrap();
        let _second = places.enter(ip("::ffff:192.0.2.1")).unwrap();
        assert!(places.enter(ip("192.0.2.1")).is_none());
        let _third = places.enter(ip("2001:db8::1")).unwrap();
        assert!(places.enter(ip("2001:db8:1::1")).is_none(), "three in all");
        drop(first);
        let _fourth = places.enter(ip("2001:db8::2")).unwrap();
        drop(_second);
        assert!(
            places.enter(ip("2001:db8::3")).is_none(),
            "two of one network"
        );
        assert_eq!(places.lock().by_network.len(), 1);
    }

    #[test]
    fn a_proxy_may_take_all_places() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = ["192.0.2.1/32".parse().unwrap()];
        let places = Places::new(4, 1).behind(&proxies);
        let taken = [(); 3].map(|()| places.enter(ip("::ffff:192.0.2.1")));
        assert!(taken.iter().all(Option::is_some));
        let _other = places.enter(ip("192.0.2.2")).unwrap();
        assert!(places.enter(ip("192.0.2.2")).is_none());
        assert!(places.enter(ip("192.0.2.1")).is_none(), "four in all");
    }
}

//! Records when and from where keys are used, in the background.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Access, SecurityEvent, Timestamp, Unexpected, security};
use doyen_data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen_data::{Database, Session};

use crate::batch::BatchSink;
use crate::security::SecurityWriter;

/// Maximum number of networks kept for one key. The ones used last are kept.
const MAX_NETWORKS_PER_KEY: u32 = 100;

/// One use of a key.
pub(super) struct KeyUse {
    pub(super) key: Uuid,
    pub(super) owner: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) address: Option<IpAddr>,
}

/// Writes uses of keys, and a security event for each new network.
#[derive(Clone)]
pub(super) struct UsageSink {
    pub(super) database: Database,
    pub(super) log: Arc<SecurityWriter>,
}

impl BatchSink for UsageSink {
    type Item = KeyUse;
    const MAX_BATCH: usize = 200;

    async fn write(&mut self, batch: Vec<KeyUse>) {
        if batch.is_empty() {
            return;
        }
        match save(&self.database, &batch).await {
            Ok(events) => events.into_iter().for_each(|event| self.log.write(event)),
            Err(error) => {
                tracing::warn!(target: "security", error = %error.error(), "the use of API keys could not be written");
            }
        }
    }
}

/// Writes uses in one transaction. Returns the events for new networks.
async fn save(database: &Database, uses: &[KeyUse]) -> Result<Vec<SecurityEvent>, Unexpected> {
    let session = database.session(Access::Write);
    let mut events = Vec::new();
    let mut last: BTreeMap<Uuid, &KeyUse> = BTreeMap::new();
    // The same order on all nodes: two that write the same keys do not deadlock.
    let mut uses: Vec<&KeyUse> = uses.iter().collect();
    uses.sort_by_key(|one| (one.key, one.address.map(network)));
    for one in uses {
        let newest = last.entry(one.key).or_insert(one);
        if one.at > newest.at {
            *newest = one;
        }
        if let Some(address) = one.address
            && is_new(&session, one, &network(address)).await?
        {
            events.push(
                SecurityEvent::new(security::KEY_NEW_ADDRESS)
                    .subject(&one.owner)
                    .from(Some(address), None)
                    .detail("key", super::rows::KeyId::from(one.key).to_string()),
            );
        }
    }
    for (key, one) in last {
        let sql = "UPDATE auth_keys SET last_used_at = $1, last_address = $2 WHERE id = $3 AND (last_used_at IS NULL OR last_used_at <= $1)";
        let at = DateTimeUtc::from(one.at);
        let address = one
            .address
            .map(|address| address.to_canonical().to_string());
        session
            .execute_sql(sql, [at.into(), address.into(), key.into()])
            .await?;
    }
    session.commit().await?;
    Ok(events)
}

/// Records that a key was used from a network. Returns true if it is new.
async fn is_new(session: &Session, one: &KeyUse, network: &str) -> Result<bool, Unexpected> {
    let at = DateTimeUtc::from(one.at);
    let known = session
        .execute_sql(
            "UPDATE auth_key_places SET last_at = $1 WHERE key_id = $2 AND place = $3",
            [at.into(), one.key.into(), network.into()],
        )
        .await?;
    if known > 0 {
        return Ok(false);
    }
    // Another node may insert the same row: one of them succeeds.
    let sql = "INSERT INTO auth_key_places (key_id, place, last_at) VALUES ($1, $2, $3) ON CONFLICT (key_id, place) DO NOTHING";
    let new = session
        .execute_sql(sql, [one.key.into(), network.into(), at.into()])
        .await?;
    if new > 0 {
        let sql = format!(
            "DELETE FROM auth_key_places WHERE key_id = $1 AND place NOT IN \
             (SELECT place FROM auth_key_places WHERE key_id = $1 ORDER BY last_at DESC, place LIMIT {MAX_NETWORKS_PER_KEY})"
        );
        session.execute_sql(&sql, [one.key.into()]).await?;
    }
    Ok(new > 0)
}

/// Returns the network of an address: an IPv4 address itself, or the first 64 bits of an IPv6
/// address, whose other bits change within one household.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            format!("{}/64", std::net::Ipv6Addr::from(octets))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_household_are_one_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }
}

//! Measures the CPU time of a cached read in the memory of the process: a value of 1 KiB.
//!
//! `cargo run --release -p doyen-cache --example read`

use std::sync::Arc;
use std::time::Instant;

use doyen_cache::{CacheSettings, Engine};
use doyen_core::{Cache, CachePolicy, Caller, SystemClock, Unexpected, secs};

const POLICY: CachePolicy = CachePolicy::new("read", secs(3600));
const READS: u32 = 200_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let engine = Engine::new(CacheSettings::default(), Arc::new(SystemClock));
    let cache = Cache::new(Arc::new(engine));
    let me = Caller::new("usr_01jd9m3z6veqjsk4dy2hjcg8x4");
    let read = async || {
        let entry = cache.of(&me).entry(&POLICY, 7).tag("things");
        let load = async || Ok::<_, Unexpected>("a".repeat(1024));
        entry.get_or_load(load).await
    };
    let started = Instant::now();
    let mut bytes = 0;
    for _ in 0..READS {
        bytes += read().await.map_or(0, |text| text.len());
    }
    let each = started.elapsed() / READS;
    #[allow(clippy::print_stdout, reason = "the result")]
    {
        println!("{each:?} for each of {READS} reads, {bytes} bytes");
    }
}

//! The order of plugins does not depend on the order in which they were added.

use std::sync::{Arc, Mutex};

use doyen::app::{Manifest, Plugin, Registrar, SetupError, Stop};
use doyen::domain::sync;
use doyen::{App, Overrides};

use crate::{folder, loader};

type Events = Arc<Mutex<Vec<String>>>;

/// A value that `top` injects, so that it depends on `right` without declaring it.
struct Token;

macro_rules! plugin {
    ($type:ident, $name:literal, [$($requires:literal),*], $inject:ty, $provides:expr) => {
        struct $type(Events);

        impl Plugin for $type {
            const NAME: &'static str = $name;
            type Settings = ();

            fn manifest(&self, manifest: &mut Manifest) {
                $(manifest.requires($requires);)*
                let _ = manifest;
            }

            fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
                let provides: fn(&mut Registrar<'_>) = $provides;
                provides(app);
                let events = self.0;
                app.service($name, move |_: $inject| async move {
                    sync::lock(&events).push(concat!("start ", $name).to_owned());
                    Ok(Stop::with(move || async move {
                        sync::lock(&events).push(concat!("stop ", $name).to_owned());
                    }))
                });
                Ok(())
            }
        }
    };
}

plugin!(Base, "base", [], (), |_| {});
plugin!(Left, "left", ["base"], (), |_| {});
plugin!(Right, "right", ["base"], (), |app| app
    .provide(Arc::new(Token)));
// By name it would start first.
plugin!(Top, "all", ["left"], Arc<Token>, |_| {});

/// A generator of shuffles with a fixed seed.
fn shuffled(seed: &mut u64) -> [usize; 4] {
    let mut order = [0, 1, 2, 3];
    for last in (1..4).rev() {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(last, (*seed >> 33) as usize % (last + 1));
    }
    order
}

#[tokio::test]
async fn a_hundred_shuffled_additions_start_in_one_order_and_stop_in_the_reverse() {
    let mut seed = 7;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let order = shuffled(&mut seed);
        seen.insert(order);
        let events = Events::default();
        let mut app = App::new("order");
        for plugin in order {
            let events = Arc::clone(&events);
            app = match plugin {
                0 => app.plugin(Base(events)),
                1 => app.plugin(Left(events)),
                2 => app.plugin(Right(events)),
                _ => app.plugin(Top(events)),
            };
        }
        let runtime = app.start(loader("order"), Overrides::default()).await;
        runtime.unwrap().stop().await;
        assert_eq!(
            *sync::lock(&events),
            [
                "start base",
                "start left",
                "start right",
                "start all",
                "stop all",
                "stop right",
                "stop left",
                "stop base",
            ],
            "{order:?}"
        );
    }
    assert!(seen.len() > 15, "the shuffles are all alike: {seen:?}");
    std::fs::remove_dir_all(folder("order")).unwrap();
}

//! Pages: no row lost or repeated, no cursor forged.

use doyen_core::{Access, Page, PageFrom, Paging, Problem as _, Total, Unexpected};
use doyen_data::sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use doyen_data::{CursorKey, Database, Order, Session};

use crate::entities::{customer, ticket};
use crate::harness::{Fresh, both, everywhere};

type Tickets = Result<Page<ticket::Model>, Unexpected>;

/// By rank, in which many are equal; then by id, descending.
async fn page(session: &Session, from: PageFrom) -> Tickets {
    let order = Order::by(ticket::Column::Rank)
        .then(ticket::Column::Id)
        .desc();
    session
        .page(
            ticket::Entity::find(),
            order,
            &Paging { limit: 7, from },
            "all",
        )
        .await
}

async fn seeded(fresh: &Fresh, tickets: i64) -> Database {
    fresh.migrated().await;
    let database = fresh
        .database
        .clone()
        .with_cursor_key(CursorKey::new([7; 32]));
    let session = database.session(Access::Write);
    let new = customer::ActiveModel {
        id: Set(1),
        email: Set("a".into()),
    };
    customer::Entity::insert(new).exec(&session).await.unwrap();
    for id in 1..=tickets {
        put(&session, id * 10).await;
    }
    session.commit().await.unwrap();
    database
}

async fn put(session: &Session, id: i64) {
    let new = ticket::ActiveModel {
        id: Set(id),
        customer_id: Set(1),
        subject: Set(format!("{id}")),
        rank: Set(id / 10 % 4),
        version: Set(1),
        ..Default::default()
    };
    ticket::Entity::insert(new).exec(session).await.unwrap();
}

fn sorted(mut rows: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    rows.sort_by_key(|(rank, id)| (*rank, -id));
    rows
}

fn keys(page: &Page<ticket::Model>) -> Vec<(i64, i64)> {
    page.items
        .iter()
        .map(|ticket| (ticket.rank, ticket.id))
        .collect()
}

everywhere! {
    async fn a_walk_there_and_back_shows_each_row_once(fresh) {
        let database = seeded(fresh, 60).await;
        let session = database.session(Access::Read);
        let expected = sorted((1..=60).map(|n| (n * 10 / 10 % 4, n * 10)).collect());
        let (mut there, mut pages, mut from) = (Vec::new(), 0, PageFrom::Start);
        let last = loop {
            let page = page(&session, from).await.unwrap();
            assert_eq!(page.prev.is_none(), pages == 0);
            there.extend(keys(&page));
            pages += 1;
            match page.next.clone() {
                Some(next) => from = next,
                None => break page,
            }
        };
        assert_eq!(there, expected);
        assert_eq!(pages, 9);
        let (mut back, mut from) = (vec![keys(&last)], last.prev);
        while let Some(prev) = from {
            let page = page(&session, prev).await.unwrap();
            assert!(page.next.is_some());
            back.push(keys(&page));
            from = page.prev;
        }
        back.reverse();
        assert_eq!(back.concat(), expected);
        // One statement a page, its limit written as a number.
        assert!(session.query_stats().fingerprints.iter().all(|one| one.sql.ends_with("LIMIT 8")), "{:?}", session.query_stats());
    }
}

everywhere! {
    async fn rows_that_come_and_go_do_not_disturb_the_others(fresh) {
        let database = seeded(fresh, 80).await;
        let change = async |step: i64| {
            let session = database.session(Access::Write);
            // Rows that end in 5 are inserted, before and after the position; every eighth of the
            // old ones is deleted, including rows that a cursor points to.
            put(&session, step * 10 + 5).await;
            put(&session, 800 - step * 10 + 5).await;
            ticket::Entity::delete_by_id(step * 80).exec(&session).await.unwrap();
            session.commit().await.unwrap();
        };
        let stays = |id: i64| id % 10 == 0 && (id / 10) % 8 != 0;
        let expected = sorted((1..=80).map(|n| (n % 4, n * 10)).filter(|(_, id)| stays(*id)).collect());
        let session = database.session(Access::Read);
        let (mut there, mut from, mut step) = (Vec::new(), PageFrom::Start, 0);
        let last = loop {
            let page = page(&session, from).await.unwrap();
            there.extend(keys(&page));
            step += 1;
            change(step).await;
            // The row of the cursor is deleted too.
            if let Some((_, id)) = keys(&page).last().filter(|(_, id)| !stays(*id)) {
                let session = database.session(Access::Write);
                ticket::Entity::delete_by_id(*id).exec(&session).await.unwrap();
                session.commit().await.unwrap();
            }
            match page.next.clone() {
                Some(next) => from = next,
                None => break page,
            }
        };
        let mut once = there.clone();
        once.dedup();
        assert_eq!(once.len(), there.len(), "nothing twice");
        assert_eq!(there.iter().copied().filter(|(_, id)| stays(*id)).collect::<Vec<_>>(), expected, "nothing lost");
        let (mut back, mut from) = (vec![keys(&last)], last.prev);
        while let Some(prev) = from {
            let page = page(&session, prev).await.unwrap();
            back.push(keys(&page));
            step += 1;
            change(step).await;
            from = page.prev;
        }
        back.reverse();
        let back = back.concat();
        assert_eq!(back.iter().copied().filter(|(_, id)| stays(*id)).collect::<Vec<_>>(), expected);
        assert!(back.windows(2).all(|pair| (pair[0].0, -pair[0].1) < (pair[1].0, -pair[1].1)), "in order, nothing twice");
    }
}

everywhere! {
    async fn an_empty_page_still_leads_back(fresh) {
        let database = seeded(fresh, 14).await;
        let session = database.session(Access::Read);
        let first = page(&session, PageFrom::Start).await.unwrap();
        let next = first.next.clone().unwrap();
        let writer = database.session(Access::Write);
        let kept: Vec<i64> = first.items.iter().map(|ticket| ticket.id).collect();
        ticket::Entity::delete_many().filter(ticket::Column::Id.is_not_in(kept)).exec(&writer).await.unwrap();
        writer.commit().await.unwrap();
        let second = page(&session, next).await.unwrap();
        assert!(second.items.is_empty() && second.next.is_none());
        let again = page(&session, second.prev.unwrap()).await.unwrap();
        assert_eq!(keys(&again), keys(&first), "the row the cursor stood on is not lost");
        assert!(again.prev.is_none());
    }
}

everywhere! {
    async fn a_cursor_that_does_not_fit_is_refused(fresh) {
        let database = seeded(fresh, 20).await;
        let session = database.session(Access::Read);
        let Some(PageFrom::Cursor(text)) = page(&session, PageFrom::Start).await.unwrap().next else { panic!("no cursor") };
        let before = session.totals().0;
        for at in 0..text.len() {
            for other in ['A', 'B', '_'] {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                if changed != text {
                    let refused = page(&session, PageFrom::Cursor(changed)).await.unwrap_err();
                    assert_eq!((refused.info().code, refused.info().kind.status()), ("invalid_cursor", 400));
                }
            }
        }
        let refused = |result: Tickets| assert_eq!(result.unwrap_err().info().code, "invalid_cursor");
        let paging = Paging { limit: 7, from: PageFrom::Cursor(text.clone()) };
        let order = || Order::by(ticket::Column::Rank).then(ticket::Column::Id).desc();
        refused(session.page(ticket::Entity::find(), order(), &paging, "other").await);
        refused(session.page(ticket::Entity::find(), Order::by(ticket::Column::Rank).then(ticket::Column::Id), &paging, "all").await);
        refused(session.page(ticket::Entity::find(), Order::by(ticket::Column::Rank).then(ticket::Column::Version).desc(), &paging, "all").await);
        let other_table = session.page(customer::Entity::find(), Order::by(customer::Column::Email).then(customer::Column::Id).desc(), &paging, "all").await;
        assert_eq!(other_table.unwrap_err().info().code, "invalid_cursor");
        let other_key = fresh.database.clone().with_cursor_key(CursorKey::new([8; 32]));
        refused(page(&other_key.session(Access::Read), PageFrom::Cursor(text.clone())).await);
        assert_eq!(session.totals().0, before, "none of them reached the database");
        assert!(page(&session, PageFrom::Cursor(text)).await.is_ok());
    }
}

everywhere! {
    async fn a_column_that_may_be_null_has_no_order(fresh) {
        let database = seeded(fresh, 3).await;
        let session = database.session(Access::Read);
        let refused = session.page(ticket::Entity::find(), Order::by(ticket::Column::Note).then(ticket::Column::Id), &Paging::default(), "").await;
        assert!(refused.unwrap_err().error().to_string().contains("`note`"));
    }
}

everywhere! {
    async fn numbered_pages_count(fresh) {
        let database = seeded(fresh, 20).await;
        let session = database.session(Access::Read);
        let first = page(&session, PageFrom::Number(1)).await.unwrap();
        assert_eq!((first.total, &first.prev, &first.next), (Some(Total::counted(20)), &None, &Some(PageFrom::Number(2))));
        let third = page(&session, PageFrom::Number(3)).await.unwrap();
        assert_eq!((third.items.len(), &third.next), (6, &None));
        let beyond = page(&session, PageFrom::Number(9)).await.unwrap();
        assert!(beyond.items.is_empty() && beyond.next.is_none() && beyond.total == Some(Total::counted(20)));
        for number in [0, Paging::MAX_NUMBER + 1, u32::MAX] {
            assert_eq!(page(&session, PageFrom::Number(number)).await.unwrap_err().info().code, "invalid_cursor");
        }
        let none = session.page(ticket::Entity::find().filter(ticket::Column::Rank.gt(99)), Order::by(ticket::Column::Id), &Paging::default(), "").await.unwrap();
        assert!(none.items.is_empty() && none.next.is_none() && none.prev.is_none());
    }
}

both! {
    /// Also a page far behind, and the last that a number reaches.
    async fn a_total_is_exact_to_its_maximum(fresh) {
        const LIMIT: u64 = 100;
        let database = seeded(fresh, 1).await;
        let numbers = if fresh.is_postgres() {
            "SELECT generate_series(11, $1::bigint) AS n"
        } else {
            "WITH RECURSIVE numbers (n) AS (VALUES (11) UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) SELECT n FROM numbers"
        };
        let insert = format!("INSERT INTO tickets (id, customer_id, subject, rank) SELECT n, 1, 's', n / 3 FROM ({numbers}) AS numbers");
        let session = database.session(Access::Write);
        // With the seeded one, id 10, as many as are counted.
        session.execute_sql(&insert, [i64::try_from(Total::MAX + 9).unwrap().into()]).await.unwrap();
        session.commit().await.unwrap();
        let session = database.session(Access::Read);
        let numbered = async |number: u64| {
            let order = Order::by(ticket::Column::Rank).then(ticket::Column::Id);
            let paging = Paging { limit: 100, from: PageFrom::Number(u32::try_from(number).unwrap()) };
            session.page(ticket::Entity::find(), order, &paging, "all").await.unwrap()
        };
        let last = numbered(Total::MAX / LIMIT).await;
        assert_eq!(last.total, Some(Total { count: Total::MAX, exceeded: false }));
        assert_eq!((last.items.len(), last.items[99].id, last.next), (100, i64::try_from(Total::MAX + 9).unwrap(), None));
        let more = database.session(Access::Write);
        more.execute_sql("INSERT INTO tickets (id, customer_id, subject, rank) VALUES (1, 1, 's', 0)", []).await.unwrap();
        more.commit().await.unwrap();
        let last = numbered(Total::MAX / LIMIT).await;
        assert_eq!(last.total, Some(Total { count: Total::MAX, exceeded: true }));
        assert_eq!(last.next, Some(PageFrom::Number(101)));
        let beyond = numbered(Total::MAX / LIMIT + 1).await;
        assert_eq!((beyond.items.len(), beyond.next), (1, None));
        assert!(numbered(Total::MAX / LIMIT + 2).await.items.is_empty());
    }
}

everywhere! {
    async fn the_cursor_of_a_key_and_a_filter_is_the_same_on_every_node(fresh) {
        let database = seeded(fresh, 8).await;
        let session = database.session(Access::Read);
        let order = Order::by(ticket::Column::Rank).then(ticket::Column::Id);
        let paging = Paging { limit: 2, from: PageFrom::Start };
        let filter = (Some("open"), None::<i64>);
        let page = session.page(ticket::Entity::find(), order, &paging, &filter).await.unwrap();
        assert_eq!(page.next, Some(PageFrom::Cursor("AQAFAAgAAAAAAAAAAAUACAAAAAAAAABQGpjbZa7h4N5Q6E6zYXd1_g".into())));
    }
}

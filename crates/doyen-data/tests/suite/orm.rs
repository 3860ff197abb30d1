//! SeaORM through a Session: entities, relations, violations, versions.

use doyen_core::Access;
use doyen_data::sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _,
    LoaderTrait as _, ModelTrait as _, QueryFilter as _, QueryOrder as _,
};
use doyen_data::{Session, UpdateError, Violation as _};

use crate::entities::{customer, ticket};
use crate::harness::everywhere;

async fn seeded(session: &Session) {
    for (customer, tickets) in [("ann", 2), ("bob", 3), ("cy", 0)] {
        let customer = customer::ActiveModel {
            email: Set(customer.to_owned()),
            ..Default::default()
        }
        .insert(session)
        .await
        .unwrap();
        for n in 0..tickets {
            let subject = format!("{} {n}", customer.email);
            let new = ticket::ActiveModel {
                customer_id: Set(customer.id),
                subject: Set(subject),
                rank: Set(n),
                version: Set(1),
                ..Default::default()
            };
            new.insert(session).await.unwrap();
        }
    }
}

everywhere! {
    async fn relations_are_loaded_without_a_query_in_a_loop(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        seeded(&session).await;
        assert_eq!(session.totals().0, 8, "one statement for each row: {:?}", session.query_stats());
        session.commit().await.unwrap();

        let session = fresh.database.session(Access::Read);
        let all = customer::Entity::load().with(ticket::Entity).order_by_asc(customer::Column::Id).all(&session).await.unwrap();
        let counts: Vec<usize> = all.iter().map(|customer| customer.tickets.len()).collect();
        assert_eq!(counts, [2, 3, 0]);
        assert_eq!(session.totals().0, 2, "has-many: {:?}", session.query_stats());

        let session = fresh.database.session(Access::Read);
        let all = ticket::Entity::load().with(customer::Entity).order_by_asc(ticket::Column::Id).all(&session).await.unwrap();
        assert_eq!(all.iter().filter(|ticket| ticket.customer.as_ref().is_some_and(|customer| customer.email == "bob")).count(), 3);
        assert_eq!(session.totals().0, 1, "belongs-to joins: {:?}", session.query_stats());

        let session = fresh.database.session(Access::Read);
        let customers = customer::Entity::find().order_by_asc(customer::Column::Id).all(&session).await.unwrap();
        let tickets = customers.load_many(ticket::Entity, &session).await.unwrap();
        assert_eq!(tickets.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3, 0]);
        assert_eq!(session.totals().0, 2);
        assert_eq!(customers[1].find_related(ticket::Entity).all(&session).await.unwrap().len(), 3);
    }
}

everywhere! {
    async fn violations_are_named_alike(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        seeded(&session).await;
        let try_it = async |sql: &str| -> DbErr {
            session.savepoint(async |s| s.execute_sql(sql, []).await).await.unwrap_err()
        };
        let error = try_it("INSERT INTO customers (email) VALUES ('ann')").await;
        assert!(error.is_unique("customers.email"), "{:?}", error.unique_violation());
        assert!(!error.is_unique("customers.id") && !error.is_foreign_key());
        assert!(try_it("INSERT INTO customers (id, email) VALUES (1, 'x')").await.is_unique("customers.id"));
        for sql in [
            "CREATE TABLE members (team text NOT NULL, name text NOT NULL, UNIQUE (team, name))",
            "CREATE UNIQUE INDEX members_any_case ON members (lower(name))",
            "CREATE TABLE strict (id integer PRIMARY KEY, ticket integer NOT NULL REFERENCES strict (id))",
            "INSERT INTO members VALUES ('a', 'Bo')",
        ] {
            session.execute_sql(sql, []).await.unwrap();
        }
        assert!(try_it("INSERT INTO members VALUES ('a', 'Bo')").await.unique_violation().is_some());
        let error = try_it("INSERT INTO members VALUES ('b', 'BO')").await;
        assert!(error.is_unique("members_any_case"), "{:?}", error.unique_violation());
        let error = try_it("INSERT INTO strict VALUES (1, 2)").await;
        assert!(error.is_foreign_key() && error.unique_violation().is_none(), "{error}");
        let error = try_it("INSERT INTO nowhere VALUES (1)").await;
        assert!(!error.is_foreign_key() && error.unique_violation().is_none());
        assert!(doyen_data::classify(&error).is_none(), "a fault of ours is no 503");
    }
}

everywhere! {
    async fn two_columns_are_named_in_order(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        session.execute_sql("CREATE TABLE members (team text NOT NULL, name text NOT NULL, UNIQUE (team, name))", []).await.unwrap();
        session.execute_sql("INSERT INTO members VALUES ('a', 'b')", []).await.unwrap();
        let error = session.execute_sql("INSERT INTO members VALUES ('a', 'b')", []).await.unwrap_err();
        assert!(error.is_unique("members.team, members.name"), "{:?}", error.unique_violation());
    }
}

fn subject(id: i64, subject: &str) -> ticket::ActiveModel {
    ticket::ActiveModel {
        id: Set(id),
        subject: Set(subject.to_owned()),
        ..Default::default()
    }
}

everywhere! {
    async fn of_two_writers_one_is_told(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        seeded(&session).await;
        session.commit().await.unwrap();
        let seen = ticket::Entity::find().one(&fresh.database.session(Access::Read)).await.unwrap().unwrap();

        let update = async |text: &str, expected: i64| {
            let session = fresh.database.session(Access::Write);
            let result = session.update_version(subject(seen.id, text), ticket::Column::Version, expected).await;
            match &result {
                Ok(_) => session.commit().await.unwrap(),
                Err(_) => session.rollback().await,
            }
            result
        };
        // Both read version 1; they race forty times, and each time one succeeds.
        for round in 0..40_i64 {
            let (one, two) = futures_util::future::join(update("one", 1 + round), update("two", 1 + round)).await;
            let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
            assert_eq!(won.unwrap().version, 2 + round);
            assert!(matches!(lost, Err(UpdateError::Stale)), "{lost:?}");
        }
        let gone = fresh.database.session(Access::Write);
        let result = gone.update_version(subject(9999, "x"), ticket::Column::Version, 1).await;
        assert!(matches!(result, Err(UpdateError::Missing)));
        let without = ticket::ActiveModel { subject: Set("x".into()), ..Default::default() };
        assert!(matches!(gone.update_version(without, ticket::Column::Version, 1).await, Err(UpdateError::Database(_))));
        let others = ticket::Entity::find().filter(ticket::Column::Id.ne(seen.id)).all(&fresh.database.session(Access::Read)).await.unwrap();
        assert!(others.iter().all(|ticket| ticket.version == 1));
    }
}

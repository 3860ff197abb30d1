//! The unit of work: start, use, end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::inject::{Container, RequestFacts};
use doyen_core::{Access, Inject, Problem as _, Unexpected};
use doyen_data::sea_orm::{
    ConnectionTrait as _, DbErr, TransactionSession as _, TransactionTrait as _,
};
use doyen_data::{Database, Event, Session};

use crate::harness::everywhere;

pub(crate) async fn count(database: &Database, table: &str) -> i64 {
    let session = database.session(Access::Read);
    number(&session, &format!("SELECT count(*) FROM {table}")).await
}

async fn number(session: &Session, sql: &str) -> i64 {
    let statement = doyen_data::sea_orm::Statement::from_string(session.backend(), sql);
    session
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap()
        .try_get_by_index(0)
        .unwrap()
}

async fn add(session: &Session, email: &str) -> Result<u64, DbErr> {
    session
        .execute_sql("INSERT INTO customers (email) VALUES ($1)", [email.into()])
        .await
}

#[derive(Debug, doyen_data::sea_orm::FromQueryResult, doyen_data::Row)]
struct Email {
    email: String,
}

everywhere! {
    async fn a_commit_keeps_and_a_rollback_undoes(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 0, "it is not visible before the commit");
        assert_eq!(number(&session, "SELECT count(*) FROM customers").await, 1, "but the unit of work itself does");
        session.commit().await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 1);

        let session = fresh.database.session(Access::Write);
        add(&session, "b").await.unwrap();
        session.rollback().await;
        assert_eq!(count(&fresh.database, "customers").await, 1);
        assert!(add(&session, "c").await.unwrap_err().to_string().contains("closed"));
        assert!(session.commit().await.is_err(), "a closed session does not commit");
        assert_eq!(count(&fresh.database, "customers").await, 1);
    }
}

everywhere! {
    async fn the_first_statement_is_like_any_other(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        let several = session.execute_sql("INSERT INTO customers (email) VALUES ($2), ($1), ($3)", ["a".into(), "b".into(), "c".into()]).await;
        assert_eq!(several.unwrap(), 3);
        session.commit().await.unwrap();

        let session = fresh.database.session(Access::Write);
        let none = session.execute_sql("DELETE FROM customers WHERE email = $1", ["unknown".into()]).await;
        assert_eq!(none.unwrap(), 0, "not what the transaction before has touched");
        session.commit().await.unwrap();

        let session = fresh.database.session(Access::Write);
        let rows = session.query_as::<Email>("UPDATE customers SET email = email || $1 WHERE email < $2 RETURNING email", ["!".into(), "c".into()]).await;
        let mut emails: Vec<String> = rows.unwrap().into_iter().map(|row| row.email).collect();
        emails.sort();
        assert_eq!(emails, ["a!", "b!"]);
        session.commit().await.unwrap();

        let session = fresh.database.session(Access::Write);
        let row = session.query_one_as::<Email>("INSERT INTO customers (email) VALUES ($1) RETURNING email", ["d".into()]).await;
        assert_eq!(row.unwrap().unwrap().email, "d");
        session.rollback().await;
        assert_eq!(count(&fresh.database, "customers").await, 3);
    }
}

everywhere! {
    async fn a_first_statement_that_fails_is_the_end_of_its_unit_of_work(fresh) {
        fresh.migrated().await;
        for sql in ["INSERT INTO nowhere (email) VALUES ($1)", "INSERT INTO customers (email) VALUES ($1), ($1)"] {
            let session = fresh.database.session(Access::Write);
            session.execute_sql(sql, ["a".into()]).await.unwrap_err();
            let next = add(&session, "b").await.unwrap_err();
            assert!(next.to_string().contains("failed before"), "{next}");
            assert!(session.commit().await.is_err());
        }
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 1);
    }
}

everywhere! {
    async fn a_first_statement_that_is_given_up_is_not_forgotten(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        let (sleep, value) = match session.backend() {
            doyen_data::sea_orm::DbBackend::Postgres => ("SELECT 'a' AS email FROM pg_sleep($1)", 60.0.into()),
            _ => ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT max(i) AS email FROM n", 1_000_000_000_i64.into()),
        };
        let asked = session.query_as::<Email>(sleep, [value]);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(50), asked).await.is_err());
        let next = add(&session, "b").await.unwrap_err();
        assert!(next.to_string().contains("given up"), "{next}");
        assert!(session.commit().await.is_err());
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 1);
    }
}

everywhere! {
    async fn nothing_is_begun_before_the_first_statement(fresh) {
        let before = fresh.database.pool();
        let sessions: Vec<_> = (0..50).map(|_| fresh.database.session(Access::Write)).collect();
        for session in &sessions {
            session.commit().await.unwrap();
        }
        assert_eq!(fresh.database.pool(), before);
    }
}

everywhere! {
    async fn a_reading_session_cannot_write(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Read);
        let error = add(&session, "a").await.unwrap_err().to_string();
        assert!(error.contains("only reads"), "{error}");
        // The database itself refuses writes that the first keyword does not show.
        let mut tricks = vec![
            "WITH x AS (SELECT 1) INSERT INTO customers (email) SELECT 'x' FROM x",
            "SELECT 1; INSERT INTO customers (email) VALUES ('x')",
            "SELECT 1; PRAGMA query_only = off",
            "SELECT 1; SET default_transaction_read_only = off",
        ];
        if fresh.is_postgres() {
            tricks.extend(["WITH x AS (INSERT INTO customers (email) VALUES ('x') RETURNING 1) SELECT * FROM x", "SELECT nextval('customers_id_seq')",
                "SELECT set_config('transaction_read_only', 'off', false)"]);
        }
        for sql in tricks {
            let _ = session.execute_unprepared(sql).await;
            let _ = session.execute_sql(sql, []).await;
            let statement = doyen_data::sea_orm::Statement::from_string(session.backend(), sql);
            let _ = session.query_all_raw(statement).await;
            let error = session.execute_unprepared("WITH x AS (SELECT 1) INSERT INTO customers (email) SELECT 'y' FROM x").await.unwrap_err();
            assert!(error.to_string().contains("only reads"), "{sql}: {error}");
        }
        assert_eq!(count(&fresh.database, "customers").await, 0);
        assert!(session.begin().await.is_err(), "there is no transaction to nest in");
    }
}

everywhere! {
    async fn a_failed_statement_ends_the_unit_of_work(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        add(&session, "a").await.unwrap_err();
        let error = add(&session, "b").await.unwrap_err().to_string();
        assert!(error.contains("failed before") && error.to_lowercase().contains("unique"), "{error}");
        // The handler ignored the error and returns a 200, which would be wrong.
        let refused = session.commit().await.unwrap_err();
        assert_eq!(refused.info().code, "internal");
        assert_eq!(count(&fresh.database, "customers").await, 0);
    }
}

everywhere! {
    async fn a_savepoint_is_undone_alone(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        let failed: Result<(), DbErr> = session
            .savepoint(async |s| {
                add(&s, "b").await?;
                add(&s, "a").await?;
                Ok(())
            })
            .await;
        assert!(failed.is_err());
        let kept: Result<u64, Unexpected> = session
            .savepoint(async |s| {
                add(&s, "c").await?;
                let inner: Result<(), DbErr> = s.savepoint(async |s| { add(&s, "d").await?; Err(DbErr::Custom("no".into())) }).await;
                assert!(inner.is_err());
                Ok(add(&s, "e").await?)
            })
            .await;
        assert_eq!(kept.unwrap(), 1);
        // SeaORM's own transaction; dropped before its end it is rolled back.
        let savepoint = session.begin().await.unwrap();
        savepoint.execute_unprepared("INSERT INTO customers (email) VALUES ('f')").await.unwrap();
        drop(savepoint);
        let savepoint = session.begin().await.unwrap();
        savepoint.execute_unprepared("INSERT INTO customers (email) VALUES ('g')").await.unwrap();
        savepoint.commit().await.unwrap();
        // An abandoned savepoint, followed by the commit at once.
        let savepoint = session.begin().await.unwrap();
        savepoint.execute_unprepared("INSERT INTO customers (email) VALUES ('h')").await.unwrap();
        drop(savepoint);
        session.commit().await.unwrap();
        let emails: Vec<String> = {
            #[derive(doyen_data::sea_orm::FromQueryResult, doyen_data::Row)]
            struct Row { email: String }
            let rows = fresh.database.session(Access::Read).query_as::<Row>("SELECT email FROM customers ORDER BY email", []).await.unwrap();
            rows.into_iter().map(|row| row.email).collect()
        };
        assert_eq!(emails, ["a", "c", "e", "g"]);
    }
}

everywhere! {
    async fn a_failure_swallowed_inside_a_savepoint_undoes_that_savepoint(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        let result: Result<(), DbErr> = session
            .savepoint(async |s| {
                add(&s, "b").await?;
                let _ = add(&s, "a").await;
                Ok(())
            })
            .await;
        assert!(result.is_err());
        session.commit().await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 1);
    }
}

everywhere! {
    async fn a_deferred_constraint_fails_the_commit(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        session.execute_sql("INSERT INTO tickets (customer_id, subject, rank) VALUES (99, 'x', 1)", []).await.unwrap();
        let ran = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&ran);
        session.after_commit(async move { seen.fetch_add(1, Ordering::SeqCst); });
        let refused = session.commit().await.unwrap_err();
        assert_eq!(refused.info().code, "commit_failed");
        assert_eq!(refused.info().kind.status(), 503);
        assert_eq!(ran.load(Ordering::SeqCst), 0);
        assert_eq!(count(&fresh.database, "tickets").await, 0);
        // The connection stays usable.
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        session.commit().await.unwrap();
    }
}

everywhere! {
    async fn work_after_the_commit_runs_once_and_only_then(fresh) {
        fresh.migrated().await;
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let session = fresh.database.session(Access::Write);
        add(&session, "a").await.unwrap();
        for n in 1..=3 {
            let order = Arc::clone(&order);
            let database = fresh.database.clone();
            session.after_commit(async move {
                assert_eq!(count(&database, "customers").await, 1, "it runs after the commit");
                order.lock().unwrap().push(n);
                assert!(n != 2, "a panic does not stop the others");
            });
        }
        session.commit().await.unwrap();
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);

        let session = fresh.database.session(Access::Write);
        let seen = Arc::clone(&order);
        session.after_commit(async move { seen.lock().unwrap().push(4); });
        session.rollback().await;
        drop(session);
        assert_eq!(order.lock().unwrap().len(), 3);
    }
}

everywhere! {
    async fn the_context_commits_and_counts(fresh) {
        fresh.migrated().await;
        let mut builder = Container::builder();
        builder.provide(Arc::new(fresh.database.clone()));
        let mut needs = doyen_core::inject::Needs::default();
        needs.add::<Session>();
        let container = builder.build(&[("POST /".to_owned(), needs)]).unwrap();

        let cx = container.context();
        let (one, two) = (cx.get::<Session>().await.unwrap(), cx.get::<Session>().await.unwrap());
        add(&one, "a").await.unwrap();
        add(&two, "b").await.unwrap();
        let seen = cx.peek::<Session>().unwrap().query_stats();
        assert_eq!(seen.statements, 2);
        assert_eq!(seen.fingerprints.len(), 1);
        assert_eq!(seen.fingerprints[0].count, 2);
        assert!(seen.time > std::time::Duration::ZERO);
        cx.commit().await.unwrap();
        assert_eq!(count(&fresh.database, "customers").await, 2);

        let cx = container.context();
        add(&cx.get::<Session>().await.unwrap(), "c").await.unwrap();
        cx.rollback().await;
        assert_eq!(count(&fresh.database, "customers").await, 2);

        let cx = container.context_of(RequestFacts { access: Some(Access::Read), ..RequestFacts::default() });
        assert!(add(&cx.get::<Session>().await.unwrap(), "d").await.is_err());
        cx.commit().await.unwrap();
        assert!(Session::node().problems.iter().any(|problem| problem.code == "commit_failed"));
    }
}

everywhere! {
    async fn an_autocommit_read_holds_nothing(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        let reader = session.autocommit();
        assert_eq!(number(&reader, "SELECT count(*) FROM customers").await, 0);
        // On SQLite another unit of work would wait for the writer if this one held it.
        let other = fresh.database.session(Access::Write);
        add(&other, "a").await.unwrap();
        other.commit().await.unwrap();
        assert_eq!(number(&reader, "SELECT count(*) FROM customers").await, 1);
        assert_eq!(session.query_stats().statements, 2, "both count for the request");
    }
}

everywhere! {
    async fn a_session_ends_its_transaction_itself(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        for sql in ["COMMIT", "BEGIN", "rollback", "SAVEPOINT x"] {
            assert!(session.execute_unprepared(sql).await.unwrap_err().to_string().contains("savepoint"), "{sql}");
        }
        add(&session, "a").await.unwrap();
        session.commit().await.unwrap();
    }
}

#[derive(Event)]
#[event(topic = "customers.joined")]
struct Joined {
    email: String,
}

everywhere! {
    async fn an_event_is_there_if_and_only_if_the_change_is(fresh) {
        fresh.migrated().await;
        for (n, keep) in [(1, true), (2, false), (3, true)] {
            let session = fresh.database.session(Access::Write);
            session.set_trace("4bf92f3577b34da6a3ce929d0e0e4736");
            add(&session, &format!("{n}")).await.unwrap();
            session.emit(&Joined { email: format!("{n}") }).await.unwrap();
            if keep { session.commit().await.unwrap() } else { session.rollback().await }
            assert_eq!(count(&fresh.database, "doyen_outbox").await, count(&fresh.database, "customers").await);
        }
        #[derive(doyen_data::sea_orm::FromQueryResult, doyen_data::Row)]
        struct Row { topic: String, payload: String, trace: Option<String> }
        let rows = fresh.database.session(Access::Read).query_as::<Row>("SELECT topic, payload, trace FROM doyen_outbox ORDER BY created_at", []).await.unwrap();
        assert_eq!(rows[1].topic, "customers.joined");
        assert_eq!(rows[1].payload, r#"{"email":"3"}"#);
        assert_eq!(rows[1].trace.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }
}

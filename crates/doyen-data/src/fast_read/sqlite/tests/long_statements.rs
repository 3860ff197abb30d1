//! What takes long: statements, locks, queues.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_long_statement_moves_to_a_thread_and_others_continue() {
    let fresh = Fresh::new().await;
    let reader = Arc::new(fresh.reader(2));
    let sql = counting_to(2_000_000);
    assert!(reader.slow.try_inline(&sql));
    let reading = (Arc::clone(&reader), sql.clone());
    let long = tokio::spawn(async move { reading.0.one::<i64>(&reading.1, &[]).await });
    // One thread runs this loop and the read alike.
    let (mut turns, mut longest) = (0, Duration::ZERO);
    let mut last = Instant::now();
    while !long.is_finished() {
        tokio::task::yield_now().await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
        turns += 1;
    }
    assert_eq!(long.await.unwrap().unwrap(), 2_000_000);
    assert!(turns > 100, "{turns} turns, the longest {longest:?}");
    // On a busy machine the clock may be what ended the first slice, which counts the second time.
    if reader.slow.try_inline(&sql) {
        assert_eq!(reader.one::<i64>(&sql, &[]).await.unwrap(), 2_000_000);
    }
    assert!(!reader.slow.try_inline(&sql), "it is remembered");
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn a_task_that_only_reads_lets_others_in() {
    let fresh = Fresh::new().await;
    let reader = Arc::new(fresh.reader(1));
    assert!(reader.one::<i64>("SELECT 1 AS v", &[]).await.is_ok());
    let reading = Arc::clone(&reader);
    let busy = tokio::spawn(async move {
        for _ in 0..20_000 {
            assert!(reading.one::<i64>("SELECT 1 AS v", &[]).await.is_ok());
        }
    });
    let mut turns = 0;
    while !busy.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    busy.await.unwrap();
    assert!(turns > 100, "{turns} turns");
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn giving_up_a_long_statement_ends_it() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    for _ in 0..3 {
        let waited = Duration::from_millis(50);
        let sql = endless();
        let read = reader.one::<i64>(&sql, &[]);
        assert!(tokio::time::timeout(waited, read).await.is_err());
        let started = Instant::now();
        assert_eq!(reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap(), 1);
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(reader.size().open, 1, "the connection is used again");
    }
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn cancelling_at_any_moment_ends_no_other_statement() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    let sql = counting_to(3_000);
    for i in 0..300 {
        let read = reader.one::<i64>(&sql, &[]);
        let waited = Duration::from_micros(i * 10);
        if let Ok(read) = tokio::time::timeout(waited, read).await {
            assert_eq!(read.unwrap(), 3_000);
        }
        // On a thread, and inline.
        assert_eq!(reader.one::<i64>(&sql, &[]).await.unwrap(), 3_000);
        assert_eq!(reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap(), 1);
    }
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn a_count_of_a_whole_table_is_one_step_and_ends_too() {
    let fresh = Fresh::new().await;
    fresh.write("CREATE TABLE wide (body text)").await;
    fresh
        .write(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO wide SELECT hex(zeroblob(1500)) FROM n",
        )
        .await;
    let reader = fresh.reader(1);
    // Some 250 steps, so the meter hardly ever intervals.
    let sql = format!(
        "SELECT {} AS v",
        ["(SELECT count(*) FROM wide)"; 40].join(" + ")
    );
    let (mut whole, mut given_up) = (Duration::ZERO, Duration::ZERO);
    for round in 0..7 {
        let started = Instant::now();
        assert_eq!(reader.one::<i64>(&sql, &[]).await.unwrap(), 80_000);
        let time = started.elapsed();
        if round == 1 && time > 2 * SLOW_RUN {
            assert!(!reader.slow.try_inline(&sql), "the measured time counts");
        }
        // In any case from here on.
        reader.slow.was_long(&sql);
        let started = Instant::now();
        let read = reader.one::<i64>(&sql, &[]);
        let _given_up = tokio::time::timeout(time / 10, read).await;
        assert_eq!(reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap(), 1);
        whole += time;
        given_up += started.elapsed();
    }
    assert!(
        given_up < whole / 2,
        "to the end {whole:?}, given up {given_up:?}"
    );
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn a_statement_timeout_is_the_error_of_the_pool() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader_with(|options| {
        options.max_connections = 1;
        options.statement_timeout = Duration::from_millis(100);
    });
    let started = Instant::now();
    let error = reader.one::<i64>(&endless(), &[]).await.unwrap_err();
    let ReadError::Failed(error) = error else {
        panic!("{error:?}");
    };
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(
        matches!(crate::error::sqlx_error(&error), Some(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut),
        "{error:?}"
    );
    assert_eq!(crate::classify(&error).unwrap().code, "unavailable");
    assert_eq!(reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap(), 1);
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn waiting_for_a_connection_ends_too() {
    let fresh = Fresh::new().await;
    let reader = Arc::new(fresh.reader_with(|options| {
        options.max_connections = 1;
        options.acquire_timeout = Duration::from_millis(50);
    }));
    let reading = Arc::clone(&reader);
    let long = tokio::spawn(async move { reading.one::<i64>(&endless(), &[]).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap_err();
    assert!(
        matches!(
            error,
            ReadError::Failed(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
        ),
        "{error:?}"
    );
    long.abort();
    assert!(long.await.unwrap_err().is_cancelled());
    assert_eq!(reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap(), 1);
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_reads_share_few_connections_while_a_writer_commits() {
    let fresh = Fresh::new().await;
    fresh.write("CREATE TABLE things (v integer)").await;
    let reader = Arc::new(fresh.reader(4));
    let reads = (0..200_i64).map(|i| {
        let reader = Arc::clone(&reader);
        tokio::spawn(async move {
            let mut seen = 0;
            for j in 0..20 {
                let count: i64 = reader
                    .one("SELECT count(*) AS v FROM things", &[])
                    .await
                    .unwrap();
                assert!(count >= seen, "what was committed stays");
                seen = count;
                if (i + j) % 50 == 0 {
                    let counted: i64 = reader.one(&counting_to(20_000), &[]).await.unwrap();
                    assert_eq!(counted, 20_000);
                }
                assert!(reader.size().open <= 4);
            }
        })
    });
    let writes = async {
        for _ in 0..50 {
            fresh.write("INSERT INTO things VALUES (1)").await;
        }
    };
    let (reads, ()) = tokio::join!(join_all(reads), writes);
    for read in reads {
        read.unwrap();
    }
    assert_eq!(
        reader
            .one::<i64>("SELECT count(*) AS v FROM things", &[])
            .await
            .unwrap(),
        50
    );
    let size = reader.size();
    assert!(size.open <= 4 && size.open == size.idle, "{size:?}");
    reader.close().await;
    fresh.drop().await;
}

/// As another process that holds the file for itself. On a thread, because the connections of the
/// database are still closing.
async fn hold(fresh: &Fresh) -> rusqlite::Connection {
    let file = fresh.file();
    let hold = tokio::task::spawn_blocking(move || {
        let other = rusqlite::Connection::open(file).unwrap();
        other
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (v integer); COMMIT;")
            .unwrap();
        other
    });
    hold.await.unwrap()
}

#[tokio::test]
async fn a_lock_that_passes_is_waited_for() {
    let fresh = Fresh::new().await;
    fresh.database.close().await;
    let other = hold(&fresh).await;
    let reader = Arc::new(fresh.reader(1));
    let reading = Arc::clone(&reader);
    let read = tokio::spawn(async move {
        reading
            .one::<i64>("SELECT count(*) AS v FROM held", &[])
            .await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!read.is_finished(), "it waits, and this task continues");
    drop(other);
    assert_eq!(read.await.unwrap().unwrap(), 0);
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn a_lock_that_stays_is_an_error() {
    let fresh = Fresh::new().await;
    fresh.database.close().await;
    let other = hold(&fresh).await;
    let reader = fresh.reader_with(|options| options.busy_timeout = Duration::from_millis(100));
    let error = reader.one::<i64>("SELECT 1 AS v FROM held", &[]).await;
    let Err(ReadError::Failed(error)) = error else {
        panic!("{error:?}");
    };
    let code: u32 = crate::error::code(&error).unwrap().parse().unwrap();
    assert_eq!(code & 0xff, 5, "{error}");
    assert_eq!(crate::classify(&error).unwrap().code, "unavailable");
    reader.close().await;
    drop(other);
    fresh.drop().await;
}

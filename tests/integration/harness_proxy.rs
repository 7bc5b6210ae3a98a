//! Tests of the harness: the proxy.
use std::time::Duration;

use anyhow::Result;
use integration_tests::{Loss, Proxy, Side, TestDatabase};
use tokio_postgres::{Client, Config, Error, NoTls};

/// A database with an empty table, and a proxy in front of its server.
async fn database_behind_proxy() -> Result<(TestDatabase, Proxy)> {
    let database = TestDatabase::create_empty().await;
    let create = "create table rows (id integer)";
    database.connect().await.batch_execute(create).await?;
    let proxy = Proxy::start(database.server());
    Ok((database, proxy))
}

async fn connect(url: &str) -> Result<Client, Error> {
    let mut config: Config = url.replacen("+asyncpg", "", 1).parse()?;
    config.connect_timeout(Duration::from_secs(5));
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn connect_through(proxy: &Proxy, database: &TestDatabase) -> Result<Client, Error> {
    connect(&database.url_through(proxy.port())).await
}

/// What became of a transaction, by a connection that doesn't go through the proxy.
/// Waits until the server has noticed that its client is gone.
async fn fate(database: &TestDatabase, transaction: &str) -> Result<(String, i64)> {
    let client = database.connect().await;
    loop {
        let fate = "select txid_status($1::text::bigint), (select count(*) from rows)";
        let row = client.query_one(fate, &[&transaction]).await?;
        let (status, rows) = (row.get::<_, String>(0), row.get(1));
        if status != "in progress" {
            return Ok((status, rows));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts a transaction that inserts a row, and gives its number.
async fn begin_and_insert(client: &Client) -> Result<String, Error> {
    let statements = "begin; insert into rows values (1)";
    client.batch_execute(statements).await?;
    let number = client.query_one("select txid_current()::text", &[]).await?;
    Ok(number.get(0))
}

#[tokio::test]
async fn it_passes_much_in_both_directions() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    let long = "x".repeat(5_000_000);
    let echo = client.query_one("select $1::text || 'y'", &[&long]).await?;
    assert_eq!(echo.get::<_, String>(0).len(), 5_000_001);
    assert_eq!(proxy.cuts(), 0);
    Ok(())
}

#[tokio::test]
async fn it_passes_through_a_socket() -> Result<()> {
    let (database, _) = database_behind_proxy().await?;
    let folder = tempfile::tempdir()?;
    let proxy = Proxy::start_on_socket(database.server(), folder.path());
    let client = connect(&database.url_through_socket(folder.path())).await?;
    client.batch_execute("table rows").await?;
    proxy.cut_all();
    assert!(client.batch_execute("table rows").await.is_err());
    Ok(())
}

#[tokio::test]
async fn it_stalls_and_goes_on() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    proxy.stall();
    let query = client.batch_execute("insert into rows values (1)");
    let mut query = std::pin::pin!(query);
    let short = Duration::from_millis(200);
    assert!(tokio::time::timeout(short, &mut query).await.is_err());
    let rows = database.connect().await.query("table rows", &[]).await?;
    assert!(rows.is_empty());
    proxy.pass();
    query.await?;
    let rows = database.connect().await.query("table rows", &[]).await?;
    assert_eq!(rows.len(), 1);
    Ok(())
}

#[tokio::test]
async fn it_resets_connections_and_refuses_new_ones() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    proxy.cut_all();
    assert!(client.batch_execute("table rows").await.is_err());
    connect_through(&proxy, &database).await?;
    proxy.refuse_new_connections(true);
    assert!(connect_through(&proxy, &database).await.is_err());
    proxy.refuse_new_connections(false);
    connect_through(&proxy, &database).await?;
    Ok(())
}

#[tokio::test]
async fn a_cut_before_the_commit_undoes_it() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    let transaction = begin_and_insert(&client).await?;
    proxy.cut_before("COMMIT");
    let error = client.batch_execute("COMMIT").await.unwrap_err();
    assert!(error.is_closed() || error.code().is_none(), "{error:?}");
    let expected = ("aborted".to_owned(), 0);
    assert_eq!(fate(&database, &transaction).await?, expected);
    assert_eq!(proxy.cuts(), 1);

    let client = connect_through(&proxy, &database).await?;
    client.batch_execute("BEGIN; COMMIT").await?;
    Ok(())
}

#[tokio::test]
async fn a_cut_after_the_commit_leaves_it_done_and_unanswered() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    let transaction = begin_and_insert(&client).await?;
    proxy.cut_after("COMMIT");
    proxy.refuse_after_cut(true);
    let error = client.batch_execute("COMMIT").await.unwrap_err();
    assert!(error.code().is_none(), "{error:?}");
    let expected = ("committed".to_owned(), 1);
    assert_eq!(fate(&database, &transaction).await?, expected);
    assert!(connect_through(&proxy, &database).await.is_err());
    Ok(())
}

#[tokio::test]
async fn prepared_statements_are_cut_where_they_run() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let insert = "insert into rows values ($1)";
    for (rows_after, cut) in [
        (0, Proxy::cut_before as fn(&Proxy, &str)),
        (1, Proxy::cut_after),
    ] {
        let client = connect_through(&proxy, &database).await?;
        let prepared = client.prepare(insert).await?;
        cut(&proxy, "into rows");
        assert!(client.execute(&prepared, &[&1]).await.is_err());
        let rows = database.connect().await.query("table rows", &[]).await?;
        assert_eq!(rows.len(), rows_after);
    }
    assert_eq!(proxy.cuts(), 2);
    Ok(())
}

#[tokio::test]
async fn it_cuts_in_the_middle_of_a_stream() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    let long = "x".repeat(100_000);
    proxy.cut_after_sent(50_000);
    assert!(client.query("select $1::text", &[&long]).await.is_err());
    let client = connect_through(&proxy, &database).await?;
    proxy.cut_after_received(50_000);
    let many = client.query("select generate_series(1, 1000000)", &[]);
    assert!(many.await.is_err());
    assert_eq!(proxy.cuts(), 2);
    Ok(())
}

#[tokio::test]
async fn it_loses_a_connection_at_the_statement_of_a_number() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    for loss in [Loss::Reset, Loss::Closed, Loss::Silent] {
        for (side, added) in [(Side::Before, 1), (Side::After, 2)] {
            let look = database.connect().await;
            let rows = async || anyhow::Ok(look.query("table rows", &[]).await?.len());
            let (client, before) = (connect_through(&proxy, &database).await?, rows().await?);
            proxy.lose_at(proxy.statements().len() + 1, side, loss);
            let insert = "insert into rows values (1)";
            client.batch_execute(insert).await?;
            let patience = Duration::from_millis(300);
            let second = tokio::time::timeout(patience, client.batch_execute(insert)).await;
            let is_silent = second.is_err();
            assert_eq!(is_silent, loss == Loss::Silent, "{side:?} {loss:?}");
            assert!(is_silent || second?.is_err(), "{side:?} {loss:?}");
            assert_eq!(rows().await?, before + added, "{side:?} {loss:?}");
            proxy.cut_all();
        }
    }
    assert_eq!(proxy.cuts(), 6);
    Ok(())
}

#[tokio::test]
async fn it_passes_in_pieces() -> Result<()> {
    let (database, proxy) = database_behind_proxy().await?;
    let client = connect_through(&proxy, &database).await?;
    proxy.in_pieces(1, Duration::ZERO);
    let echo = client.query_one("select $1::text || 'y'", &[&"x"]).await?;
    assert_eq!(echo.get::<_, String>(0), "xy");
    let pause = Duration::from_millis(50);
    proxy.in_pieces(usize::MAX, pause);
    let began = std::time::Instant::now();
    client.batch_execute("table rows").await?;
    assert!(began.elapsed() >= pause * 2);
    Ok(())
}

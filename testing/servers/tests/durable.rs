//! What a server has acknowledged is there after it was killed with SIGKILL and started again.

mod http;
mod installed;

use std::path::Path;
use std::process::Command;

use tenure_test_servers::{Options, Process, Reply, Server, redis_command};

use http::http;
use installed::installed;

/// Kills, looks that all is dead, and starts again.
fn crash(server: &Server) {
    let before = server.processes();
    assert!(!before.is_empty());
    server.kill().expect("killed");
    assert!(!before.iter().any(Process::is_alive));
    server.start().expect("started again");
    assert_eq!(server.processes().len(), before.len());
}

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

fn redis_is_durable(server: &Server) {
    let port = server.nodes()[0].port();
    for round in 0..3 {
        let (key, value) = (format!("key-{round}"), format!("value-{round}"));
        assert_eq!(redis_command(port, &["SET", &key, &value]).expect("set"), text("OK"));
        crash(server);
        assert_eq!(redis_command(port, &["GET", &key]).expect("got"), text(&value));
    }
}

#[test]
fn redis_keeps_what_it_acknowledged() {
    let Some(server) = installed(Server::redis(&Options::new())) else { return };
    redis_is_durable(&server);
}

#[test]
fn valkey_keeps_what_it_acknowledged() {
    let Some(server) = installed(Server::valkey(&Options::new())) else { return };
    redis_is_durable(&server);
}

#[test]
fn volatile_redis_begins_empty() {
    let Some(server) = installed(Server::redis(&Options::new().volatile())) else { return };
    let port = server.nodes()[0].port();
    assert_eq!(redis_command(port, &["SET", "key", "value"]).expect("set"), text("OK"));
    crash(&server);
    assert_eq!(redis_command(port, &["GET", "key"]).expect("got"), Reply::Nil);
}

#[test]
fn a_replaced_server_is_empty_at_the_same_place() {
    let Some(mut server) = installed(Server::redis(&Options::new())) else { return };
    let (url, port) = (server.url().to_owned(), server.nodes()[0].port());
    assert_eq!(redis_command(port, &["SET", "key", "value"]).expect("set"), text("OK"));
    let before = (server.processes(), server.folder().to_owned());
    server.replace(&Options::new()).expect("another");
    assert_eq!(server.url(), url);
    assert_eq!(redis_command(port, &["GET", "key"]).expect("got"), Reply::Nil);
    assert!(!before.0.iter().any(Process::is_alive));
    assert!(!before.1.exists());
    crash(&server);
}

/// Runs a statement by a client that comes with the server.
fn sql(client: &str, arguments: &[&str], statement: &str) -> String {
    let output = Command::new(client).args(arguments).arg(statement).output().expect(client);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn postgres_keeps_what_it_acknowledged() {
    let Some(server) = installed(Server::postgres(&Options::new())) else { return };
    let psql = |statement: &str| sql("psql", &[server.url(), "-XAtqc"], statement);
    psql("CREATE TABLE kept (value text)");
    for round in 1..=3 {
        psql("INSERT INTO kept VALUES ('x')");
        crash(&server);
        assert_eq!(psql("SELECT count(*) FROM kept"), round.to_string());
    }
    assert_eq!(psql("SHOW fsync") + &psql("SHOW synchronous_commit"), "onon");
}

#[test]
fn pgbouncer_finds_its_server_again() {
    let Some(postgres) = installed(Server::postgres(&Options::new())) else { return };
    let bouncer = Server::pgbouncer(postgres.nodes()[0].port(), &Options::new());
    let Some(bouncer) = installed(bouncer) else { return };
    let psql = |statement: &str| sql("psql", &[bouncer.url(), "-XAtqc"], statement);
    assert_eq!(psql("SELECT 1"), "1");
    postgres.stop().expect("stopped");
    postgres.start().expect("started");
    crash(&bouncer);
    assert_eq!(psql("SELECT 2"), "2");
}

#[test]
fn mariadb_keeps_what_it_acknowledged() {
    let Some(server) = installed(Server::mariadb(&Options::new())) else { return };
    let port = format!("-P{}", server.nodes()[0].port());
    let login = ["--no-defaults", "-h127.0.0.1", &port, "-utenure", "-ptenure", "tenure", "-BNe"];
    let client = |statement: &str| sql("mariadb", &login, statement);
    client("CREATE TABLE kept (value TEXT)");
    for round in 1..=3 {
        client("INSERT INTO kept VALUES ('x')");
        crash(&server);
        assert_eq!(client("SELECT count(*) FROM kept"), round.to_string());
    }
}

#[test]
fn mongodb_keeps_what_it_acknowledged() {
    const COUNT: &str = "import pymongo, sys\n\
        kept = pymongo.MongoClient(sys.argv[1])['tenure']['kept']\n\
        print(kept.count_documents({}))\n\
        kept.insert_one({})\n";
    let Some(server) = installed(Server::mongodb(&Options::new())) else { return };
    // The server is a Python program, and beside it is the client.
    let process = server.processes()[0].id;
    let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).expect("it runs");
    let python = command.split('\0').next().expect("a program");
    for round in 0..3 {
        assert_eq!(sql(python, &["-c", COUNT], server.url()), round.to_string());
        crash(&server);
    }
}

#[test]
fn couchdb_keeps_what_it_acknowledged() {
    let Some(server) = installed(Server::couchdb(&Options::new())) else { return };
    let port = server.nodes()[0].port();
    assert!(http(port, "PUT", "/kept", "").starts_with("HTTP/1.1 201"));
    for round in 0..3 {
        let path = format!("/kept/{round}");
        assert!(http(port, "PUT", &path, r#"{"value":"x"}"#).starts_with("HTTP/1.1 201"));
        crash(&server);
        assert!(http(port, "GET", &path, "").contains(r#""value":"x""#));
    }
}

#[test]
fn nothing_is_left_when_it_is_dropped() {
    let Some(server) = installed(Server::postgres(&Options::new().volatile())) else { return };
    let (processes, folder) = (server.processes(), server.folder().to_owned());
    drop(server);
    assert!(!processes.iter().any(Process::is_alive));
    assert!(!folder.exists());
}

#[test]
fn kept_servers_outlive_their_owner() {
    let Some(server) = installed(Server::redis(&Options::new())) else { return };
    let folder = server.folder().to_owned();
    let processes = server.keep();
    assert!(processes.iter().all(Process::is_alive));
    assert!(folder.exists());
    processes.iter().for_each(|process| process.kill().expect("killed"));
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// The child of [`servers_do_not_outlive_a_killed_owner`].
const CHILD: &str = "TENURE_SERVERS_CHILD";

#[test]
fn servers_do_not_outlive_a_killed_owner() {
    if let Some(file) = std::env::var_os(CHILD) {
        let server = Server::redis(&Options::new()).expect("redis");
        let line = format!("{} {}", server.processes()[0].id, server.folder().display());
        std::fs::write(&file, line).expect("told");
        std::process::abort();
    }
    let Some(server) = installed(Server::redis(&Options::new())) else { return };
    let file = server.folder().join("child");
    let status = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "servers_do_not_outlive_a_killed_owner"])
        .env(CHILD, &file)
        .output()
        .expect("it runs")
        .status;
    assert!(!status.success(), "it was aborted");
    let told = std::fs::read_to_string(&file).expect("told");
    let (id, folder) = told.split_once(' ').expect("two words");
    let id = id.parse().expect("a number");
    for _ in 0..500 {
        if Process::of(id).is_none() && !Path::new(folder).exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("process {id} or {folder} is still there");
}
